"""Nobody needs a mouse: each stop of Tab can be seen, and what an operator, a guard and a volunteer do goes by keys."""

from collections.abc import Callable
from typing import Any

import pages_linked
import pytest
from focusing import small_targets, stop, tab_through, trouble
from playwright.sync_api import Page, expect
from test_accessibility import beyond
from test_journeys import state_of

from console.accounts.models import User
from console.accounts.passwords import hash_password

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Browse = Callable[..., Page]

STOPS = {
    "operator": [
        "/console?incident=i-face",
        "/console/incidents/i-plate/timeline",
        "/console/history",
        "/console/search",
    ],
    "admin": [
        "/console/devices",
        "/console/devices/cam-east",
        "/console/refused",
        "/console/users",
        "/audit",
    ],
    "guard": ["/registry/gate", "/registry"],
    "li": ["/phone", "/phone/me", "/phone/report"],
    "resident": ["/my", "/my/data", "/account"],
}
PHONE = {
    "li": ["/phone", "/phone/duty", "/phone/patrol", "/phone/report", "/phone/me", "/phone/ratings"],
    "guard": ["/phone"],
}


@pytest.mark.parametrize("who", STOPS)
def test_each_stop_of_the_tab_key_is_seen_and_goes_on_as_one_reads(
    browse: Browse, served: Any, who: str
) -> None:
    page = browse(who, **({"width": 390, "height": 844} if who == "li" else {}))
    found: dict[str, list[str]] = {}
    for path in STOPS[who]:
        page.goto(served.url + path, timeout=30_000)
        names, wrong = tab_through(page)
        assert len(names) > 5, path
        if wrong:
            found[path] = wrong
    assert found == {}, found


def test_a_stop_that_nobody_sees_is_found(browse: Browse, served: Any) -> None:
    page = browse("admin")
    page.goto(f"{served.url}/account", timeout=30_000)
    page.evaluate(
        """() => { const sheet = new CSSStyleSheet();
          sheet.replaceSync('a:focus-visible { outline: none !important; box-shadow: none !important }');
          document.adoptedStyleSheets = [sheet]; }"""
    )
    _, wrong = tab_through(page, 6)
    assert any("looks as without focus" in one for one in wrong)


def test_the_first_stop_leads_past_the_menu(browse: Browse, served: Any) -> None:
    for who, path in (
        ("operator", "/console"),
        ("admin", "/console/users"),
        ("li", "/phone"),
        ("resident", "/my"),
    ):
        page = browse(who, locale="en-GB")
        page.goto(served.url + path, timeout=30_000)
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#main", who
        assert trouble(stop(page)) == []
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('#main').contains(document.activeElement)"), who


def go_to(page: Page, selector: str, most: int = 90) -> None:
    """Presses Tab until something has the focus."""
    for _ in range(most):
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            assert trouble(stop(page)) == []
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {selector}")


def test_somebody_signs_in_by_keys(browse: Browse, served: Any) -> None:
    with served.rooms.database.write() as session:
        session.get_one(User, "u-guard").password_hash = hash_password("correct horse battery", "guard")
    page = browse("guard")
    page.context.clear_cookies()
    page.goto(f"{served.url}/sign-in", timeout=30_000)
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type("guard")
    page.keyboard.press("Tab")
    expect(page.locator("#password")).to_be_focused()
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url, timeout=30_000)
    go_to(page, "main a, main button, main input, main select, main summary")


def test_the_desk_never_loses_the_focus(browse: Browse, served: Any) -> None:
    with served.rooms.database.write() as session:
        pages_linked.proposed(session, served.rooms.clock.now(), "i-off", "i-face")
    page = browse("operator", locale="en-GB")
    page.goto(f"{served.url}/console", timeout=30_000)
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    keys = page.keyboard
    keys.press("?")
    expect(page.locator("#help")).to_be_visible()
    keys.press("Escape")
    expect(page.locator("#help")).to_be_hidden()

    def opened(incident: str) -> None:
        for _ in range(8):
            keys.press("k")
        for _ in range(8):
            if page.evaluate("document.activeElement.id") == f"item-{incident}":
                break
            keys.press("j")
        assert trouble(stop(page)) == []
        keys.press("Enter")
        expect(page.locator(f"[data-open='{incident}']")).to_be_visible()

    def now(incident: str, state: str) -> None:
        expect(page.locator(f"[data-open='{incident}'][data-state='{state}']")).to_be_visible()
        # Once what was swapped in has settled, the focus is somewhere.
        page.wait_for_function("() => document.activeElement !== document.body")
        assert not stop(page).get("lost"), (incident, state)

    opened("i-face")
    keys.press("a")
    now("i-face", "acknowledged")
    # Made one with the other that was proposed.
    keys.press("m")
    page.wait_for_function("() => document.activeElement !== document.body")
    go_to(page, "#form-proposal-mp-1 button[value='merge']")
    keys.press("Enter")
    expect(page.locator("#form-undo-mp-1, [id^='form-undo-'], [data-state='merged']").first).to_be_visible()
    page.wait_for_function("() => document.activeElement !== document.body")

    opened("i-hit")
    keys.press("p")
    keys.press("1")
    expect(page.locator("[data-part='aside'] #item-i-hit")).to_be_visible()
    page.wait_for_function("() => document.activeElement !== document.body")

    opened("i-door")
    keys.press("d")
    keys.press("Enter")
    now("i-door", "dispatched")
    keys.press("r")
    keys.type("nothing is broken")
    keys.press("Enter")
    now("i-door", "resolved")
    assert state_of(served.rooms, "i-door") == "resolved"


def test_somebody_is_looked_for_by_keys_with_a_purpose(browse: Browse, served: Any) -> None:
    page = browse("operator", locale="en-GB")
    page.goto(f"{served.url}/console", timeout=30_000)
    page.keyboard.press("/")
    page.wait_for_url("**/console/search")
    go_to(page, "input[name=purpose]")
    page.keyboard.press("Space")
    go_to(page, "#s-plate")
    page.keyboard.type("云M8X21K")
    page.keyboard.press("Enter")
    expect(page.locator("#hits-title")).to_be_visible()


def test_a_pass_is_looked_up_at_the_gate_by_keys(browse: Browse, served: Any) -> None:
    page = browse("guard", locale="en-GB")
    page.goto(f"{served.url}/registry/gate", timeout=30_000)
    go_to(page, "#shown")
    page.keyboard.type("0000")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict.no, .notice.bad").first).to_be_visible()


def test_a_volunteer_goes_from_the_call_to_its_end_by_keys(browse: Browse, served: Any) -> None:
    page = browse("li", locale="en-GB", width=390, height=844)
    page.goto(f"{served.url}/phone", timeout=30_000)
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    task = page.locator("[data-task='d-plate']")
    for button, state in (("accept--d-plate", "accepted"), ("arrive--d-plate", "arrived")):
        go_to(page, f"#{button}")
        page.keyboard.press("Enter")
        expect(task).to_have_attribute("data-now", state)
        page.wait_for_function("() => document.activeElement !== document.body")
    go_to(page, "form[data-press=resolve] button")
    page.keyboard.press("Enter")
    expect(page.locator("[data-task='d-plate']")).to_have_count(0)
    assert state_of(served.rooms, "i-plate") == "resolved"


@pytest.mark.parametrize("who", PHONE)
def test_a_thumb_hits_what_it_aims_at(browse: Browse, served: Any, who: str) -> None:
    page = browse(who, width=390, height=844, has_touch=True, is_mobile=True)
    found = {}
    for path in PHONE[who]:
        page.goto(served.url + path, timeout=30_000)
        if wrong := [*small_targets(page), *beyond(page)]:
            found[path] = wrong
    assert found == {}, found
