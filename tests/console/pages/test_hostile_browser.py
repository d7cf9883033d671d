"""The same texts in a real browser: nothing runs, nothing is asked for, nobody is asked anything."""

from collections.abc import Callable
from typing import Any

import hostile_world
import pytest
from fastapi.testclient import TestClient
from hostile import TEXTS, Marked
from playwright.sync_api import Page, expect
from test_journeys import raise_incident

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Browse = Callable[..., Page]
PAGES = {
    "operator": [
        "/console?incident=i-face",
        "/console/wall",
        "/console/incidents/i-plate/timeline",
        "/console/history",
    ],
    "admin": ["/console/devices/cam-east", "/registry/people/p-1", "/console/refused", "/console/handovers"],
    "guard": ["/registry/gate"],
    "li": ["/phone", "/phone/duty", "/phone/patrol"],
    "resident": ["/my", "/my/data", "/my/reports"],
}


@pytest.fixture
def marked(seeded: Any, visit: Callable[..., TestClient]) -> Marked:
    return hostile_world.spoiled(seeded, visit)


def watched(page: Page) -> list[str]:
    """What a page does that it should not, as it goes on."""
    did: list[str] = []
    page.on("dialog", lambda dialog: (did.append(f"asks: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda one: did.append(f"wants {one.url}") if "rwx-asked" in one.url else None)
    page.on("popup", lambda one: did.append(f"opens {one.url}"))
    page.on("download", lambda one: did.append(f"loads {one.url}"))
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', e => (window.refused ||= []).push(e.violatedDirective))"
    )
    return did


def came_to_life(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """() => [
          ...('rwx' in window ? ['a script ran'] : []), ...(window.refused ?? []),
          ...[...document.querySelectorAll('[rwx], iframe, object, embed, base, style')].map(e => e.outerHTML.slice(0, 99)),
          // A plan's size is set by its script, which the policy allows.
          ...[...document.querySelectorAll('*')].filter(e => e.getAttributeNames().some(n => /^on|^hx-on|^style$/.test(n))
             && !e.closest('.map')).map(e => e.outerHTML.slice(0, 99)),
        ]"""
    )
    return found


@pytest.mark.parametrize("who", PAGES)
def test_nothing_comes_to_life_in_a_browser(browse: Browse, served: Any, marked: Marked, who: str) -> None:
    page = browse(who)
    did = watched(page)
    if who == "admin":
        page.goto(f"{served.url}/registry/purpose?next=/registry", timeout=30_000)
        page.locator("[name=purpose]").first.press("Space")
        page.locator("main button").first.press("Enter")
    for path in PAGES[who]:
        page.goto(served.url + path, timeout=30_000)
        expect(page.locator("main").first).to_be_visible()
        assert [*did, *came_to_life(page)] == [], path


def test_what_comes_in_live_stays_text_and_is_said_as_words(
    browse: Browse, served: Any, marked: Marked
) -> None:
    page = browse("operator", locale="en-GB")
    did = watched(page)
    page.goto(f"{served.url}/console", timeout=30_000)
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    for number, text in enumerate((TEXTS[0], TEXTS[25], TEXTS[27])):
        told = {"plate": text[:16], "lane": text, "cause": text, "window_s": 60.0}
        raise_incident(
            served.rooms, f"i-new{number}", severity=2, reason="unregistered_plate", reason_args=told, lane=text[:64],
            kind="vehicle.unregistered", subject_kind="plate", subject=text[:64],
        )  # fmt: skip
        expect(page.locator("#say-now")).to_contain_text("Urgent")
    page.keyboard.press(".")
    expect(page.locator("#item-i-new0")).to_be_visible()
    page.locator("#item-i-new0").click()
    expect(page.locator("[data-open='i-new0']")).to_be_visible()
    assert [*did, *came_to_life(page)] == []


def test_a_text_that_came_to_life_would_be_found(browse: Browse, served: Any) -> None:
    page = browse("resident")
    watched(page)
    page.goto(f"{served.url}/my", timeout=30_000)
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<b rwx>x</b>')")
    assert came_to_life(page) == ['<b rwx="">x</b>']
