"""Every page of every role's menu, in both sizes and both lights: nothing keeps anybody out of it.

axe-core looks for what keeps people out (WCAG 2.1 A and AA); beside it, each page is looked at for what
reaches beyond the edge, and `browse` fails where the browser complains, e.g. of the content security policy.
"""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from test_menus import links

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Browse = Callable[..., Page]
Visit = Callable[..., TestClient]
# One who sees each page; what somebody else sees of it is less.
EVERYBODY = ["admin", "operator", "manager", "grid", "guard", "auditor", "police", "resident", "li"]
LOOKS = {
    "a screen in the light": {"width": 1366, "height": 768, "color_scheme": "light", "locale": "zh-CN"},
    "a phone in the dark": {"width": 390, "height": 844, "color_scheme": "dark", "locale": "en-GB"},
}
# Pages that no menu leads to.
FURTHER = {
    "admin": [
        "/account",
        "/console/devices/cam-east",
        "/console/devices/new",
        "/console/wall",
        "/console/users/u-operator",
        "/console/users/new",
        "/console/rules/R-E01",
        "/console/roster/calendar",
        "/console/roster/rules",
        "/console/refused/l-3",
        "/help",
        "/help/operators-guide",
    ],
    "operator": [
        "/account",
        "/console?incident=i-door",
        "/console?incident=i-hit",
        "/console/wall",
        "/console/incidents/i-door/timeline",
    ],
    "manager": ["/registry/people/p-1", "/registry/households/h-1", "/registry/people/new/form"],
    "resident": ["/my/visitors/earlier", "/account"],
    "li": ["/account"],
    "guard": ["/phone", "/account"],
}
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
GRAVE = {"serious", "critical"}


def pages_of(visit: Visit, who: str) -> list[str]:
    client = visit(who)
    home = client.get("/").headers["location"]
    shown = dict.fromkeys([home, *links(client.get(home).text)])
    for path in list(shown):
        shown |= dict.fromkeys(links(client.get(path).text))
    return [*shown, *FURTHER.get(who, [])]


def findings(page: Page) -> list[str]:
    """What is found, as rule and place; nothing of a page is hidden from it."""
    result: dict[str, Any] = Axe().run(page, options=RULES | {"resultTypes": ["violations"]}).response
    return [
        f"{violation['id']}: {node['target']}"
        for violation in result["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"][:3]
    ]


def beyond(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """() => {
          const root = document.documentElement;
          if (root.scrollWidth <= root.clientWidth) return [];
          const dragged = e => e.parentElement
            && (/auto|scroll/.test(getComputedStyle(e.parentElement).overflowX) || dragged(e.parentElement));
          return ['wider than the window', ...[...document.body.querySelectorAll('*')]
            .filter(e => e.getBoundingClientRect().right > root.clientWidth + 1 && !dragged(e))
            .map(e => 'beyond the edge: ' + e.tagName + '.' + e.className).slice(0, 3)];
        }"""
    )
    return found


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("who", EVERYBODY)
def test_no_page_keeps_anybody_out(browse: Browse, served: Any, visit: Visit, who: str, look: str) -> None:
    page = browse(who, **LOOKS[look])
    found: dict[str, list[str]] = {}
    if who == "manager":
        # What is a person's is shown to whoever has said why they look.
        page.goto(f"{served.url}/registry/people/p-1")
        page.locator("button[name=purpose][value=registry_maintenance]").click()
        expect(page.locator("button[name=purpose]")).to_have_count(0)
    for path in pages_of(visit, who):
        answer = page.goto(served.url + path)
        assert answer is not None
        assert answer.ok, path
        if wrong := [*findings(page), *beyond(page)]:
            found[path] = wrong
    assert found == {}


def test_what_keeps_people_out_is_found(browse: Browse, served: Any) -> None:
    page = browse("admin")
    page.goto(f"{served.url}/account")
    page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    assert any(one.startswith("label: ") for one in findings(page))


def test_signed_out_pages_keep_nobody_out(browse: Browse, served: Any) -> None:
    page = browse("resident", width=390, height=844)
    page.context.clear_cookies()
    page.goto(f"{served.url}/sign-in")
    assert [*findings(page), *beyond(page)] == []
