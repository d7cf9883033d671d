"""The desk in a real browser: one by keyboard alone, two who see each other, what comes back, what is said."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from test_journeys import open_console, raise_incident, state_of

from alerts.incidents import putting_aside
from alerts.incidents.models import Incident
from alerts.incidents.record import announce

pytestmark = pytest.mark.browser
Browse = Callable[..., Page]

# A browser without a network has a voice of its own or none: here it has one, and we hear what it was given.
VOICE = """
window.spoken = [];
const voice = {lang: "en-GB", name: "test", localService: true};
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
Object.defineProperty(window, "speechSynthesis", {value: {
  getVoices: () => [voice], speak: (one) => window.spoken.push(one.text), cancel: () => {},
  addEventListener: () => {},
}});
"""


def test_keyboard_alone_takes_an_alarm_from_the_queue_to_its_end(browse: Browse, served: Any) -> None:
    page = open_console(browse, served, locale="en-GB")
    raise_incident(served.rooms, "i-new", severity=1, kind="door.forced", reason="door_forced", zone="b3")
    expect(page.locator("#say-now")).to_contain_text("Critical. ")
    expect(page).to_have_title(re.compile("^‼2 "))
    page.keyboard.press(".")
    expect(page.locator("#item-i-new")).to_be_focused()
    page.keyboard.press("Enter")
    opened = page.locator("[data-open='i-new']")
    expect(opened).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator("[data-open='i-new'][data-state='acknowledged']")).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator("[data-open='i-new'][data-state='confirmed']")).to_be_visible()
    # Whom to send is open, the best one chosen, and the focus is on the button that sends.
    expect(page.locator("#form-dispatch [data-first]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-open='i-new'][data-state='dispatched']")).to_be_visible()
    page.keyboard.press("r")
    expect(page.locator("#resolve-note")).to_be_focused()
    # Keys are letters while somebody types.
    page.keyboard.type("a cat, no damage")
    page.keyboard.press("Enter")
    expect(page.locator("[data-open='i-new'][data-state='resolved']")).to_be_visible()
    expect(page.locator("#detail")).to_be_focused()
    assert state_of(served.rooms, "i-new") == "resolved"


def test_false_alarm_is_two_keys(browse: Browse, served: Any) -> None:
    page = open_console(browse, served)
    page.locator("#item-i-face").click()
    expect(page.locator("[data-open='i-face']")).to_be_visible()
    page.keyboard.press("f")
    page.keyboard.press("3")
    expect(page.locator("[data-open='i-face'][data-state='false_alarm']")).to_be_visible()


def test_two_operators_see_each_others_hands_and_taking_over_asks(browse: Browse, served: Any) -> None:
    one = open_console(browse, served, locale="en-GB")
    two = browse("admin", locale="en-GB")
    two.goto(f"{served.url}/console?incident=i-face")
    two.keyboard.press("f")
    hands = one.locator("#item-i-face [data-hands]")
    expect(hands).to_contain_text("is deciding")
    one.locator("#item-i-face").click()
    expect(one.locator("#detail .others")).to_contain_text("is deciding")
    one.keyboard.press("a")
    expect(one.locator("#take-over")).to_be_visible()
    one.locator("#take-over button[value=no]").click()
    assert state_of(served.rooms, "i-face") == "raised"
    one.keyboard.press("a")
    one.locator("#take-over button[value=yes]").click()
    expect(one.locator("[data-open='i-face'][data-state='acknowledged']")).to_be_visible()
    # It never blocks: the other one is told who was faster.
    two.locator("#form-false-alarm [data-pick='3']").click()
    if two.locator("#take-over").is_visible():
        two.locator("#take-over button[value=yes]").click()
    expect(two.locator("#detail .notice.bad")).to_contain_text("was faster")


def test_nothing_jumps_under_the_focus_and_what_is_new_is_counted(browse: Browse, served: Any) -> None:
    page = open_console(browse, served, locale="en-GB")
    page.mouse.move(900, 500)
    page.locator("#item-i-face").focus()
    top = page.locator("#item-i-face").bounding_box()
    raise_incident(served.rooms, "i-new", severity=2)
    expect(page.locator("#queue-held")).to_contain_text("1 new, gravest: Urgent")
    expect(page.locator("#say-now")).to_contain_text("Urgent. ")
    expect(page.locator("#item-i-new")).to_have_count(0)
    expect(page.locator("#item-i-face")).to_be_focused()
    page.keyboard.press(".")
    expect(page.locator("#item-i-new")).to_be_focused()
    assert top is not None


def test_put_aside_comes_back_with_a_sound_when_its_time_is_over(browse: Browse, served: Any) -> None:
    page = open_console(browse, served)
    page.locator("#item-i-face").click()
    expect(page.locator("[data-open='i-face']")).to_be_visible()
    page.keyboard.press("p")
    page.keyboard.press("1")
    expect(page.locator("[data-part='aside'] #item-i-face")).to_be_visible()
    page.evaluate("delete document.documentElement.dataset.sounded")
    page.mouse.move(900, 500)
    served.rooms.clock.advance(minutes=2)
    with served.rooms.database.write() as session:
        assert putting_aside.sweep(session, served.rooms.clock.now()) == 1
    expect(page.locator("[data-part='active'] #item-i-face")).to_be_visible()
    expect(page.locator("#say-later")).to_contain_text("回到队列")
    expect(page.locator("html")).to_have_attribute("data-sounded", "3")


def test_new_incident_is_said_aloud_with_severity_kind_and_place(browse: Browse, served: Any) -> None:
    page = browse("operator", locale="en-GB")
    page.add_init_script(VOICE)
    page.goto(f"{served.url}/console")
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    page.keyboard.press("s")
    page.locator("#sound-speech").check()
    page.keyboard.press("Escape")
    page.mouse.move(900, 500)
    raise_incident(served.rooms, "i-new", severity=2, kind="door.forced", reason="door_forced", zone="b3")
    page.wait_for_function("() => window.spoken.length > 0")
    [words] = page.evaluate("window.spoken")
    assert words.startswith("Urgent. ")
    assert words.endswith(". 3幢")
    with served.rooms.database.write() as session:
        row = session.get_one(Incident, "i-new")
        row.severity, row.version = 1, row.version + 1
        announce(session, row, served.rooms.clock.now())
    page.wait_for_function("() => window.spoken.length > 1")
    assert "Graver now: Critical. " in page.evaluate("window.spoken")[1]
