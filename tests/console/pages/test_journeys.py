"""The operator's and the volunteer's way through an incident, in a real browser, live."""

from collections.abc import Callable
from typing import Any

import pages_history
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from alerts.dispatch.actions import accept, send
from alerts.dispatch.models import Dispatch
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State, Step
from alerts.incidents.models import Incident
from alerts.incidents.record import announce
from console.context import Rooms

pytestmark = pytest.mark.browser


Browse = Callable[..., Page]
COLLEAGUE = Actor("u-admin", "administrator")


def raise_incident(rooms: Rooms, incident_id: str, **changes: Any) -> None:
    """What the alerts room does: the row and its message in one commit."""
    at = rooms.clock.now()
    with rooms.database.write() as session:
        row = pages_history.incident(incident_id, at, **changes)
        session.add(row)
        announce(session, row, at)


def colleague_acknowledges(rooms: Rooms, incident_id: str) -> None:
    with rooms.database.write() as session:
        take_step(session, incident_id, Step(State.ACKNOWLEDGED), COLLEAGUE, rooms.clock.now())


def state_of(rooms: Rooms, incident_id: str) -> str:
    with rooms.database.read() as session:
        return str(session.get_one(Incident, incident_id).state)


def open_console(browse: Browse, served: Any, **more: Any) -> Page:
    page = browse("operator", **more)
    page.goto(f"{served.url}/console", timeout=30_000)
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    return page


def test_an_operator_handles_a_hit_by_keyboard(browse: Browse, served: Any) -> None:
    page = open_console(browse, served)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")

    # Down to the watch-list hit, open it, acknowledge.
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("#item-i-hit")).to_be_focused()
    page.keyboard.press("Enter")
    detail = page.locator("#detail")
    expect(detail.get_by_role("heading", name="布控命中")).to_be_visible()
    expect(detail.locator("figure img")).to_have_count(2)
    for picture in detail.locator("figure img").all():
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("image => image.naturalWidth") > 0
    page.keyboard.press("a")
    expect(detail.locator("[data-version='2']")).to_be_visible()
    expect(page.locator("#item-i-hit .chip").first).to_have_text("已受理")

    # The comparison is a decision of its own: c leads to it, it does not confirm by itself.
    page.keyboard.press("c")
    expect(page.locator("#comparison-match")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(detail.locator("[data-version='3']")).to_be_visible()

    # Whom to send stands open already, the best chosen: one key and Enter send them.
    expect(page.locator("#responder-1")).to_be_checked()
    # Also when the page is drawn anew between, as by the news of one's own step.
    with served.rooms.database.write() as session:
        row = session.get_one(Incident, "i-hit")
        row.version += 1
        announce(session, row, served.rooms.clock.now())
    expect(detail.locator("[data-version='4']")).to_be_visible()
    page.keyboard.press("d")
    expect(detail.locator("#form-dispatch button.primary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(detail.locator(".asked").first).to_contain_text("等待答复")
    assert state_of(served.rooms, "i-hit") == "dispatched"


def test_a_new_incident_appears_by_itself_and_the_open_one_stays(browse: Browse, served: Any) -> None:
    page = open_console(browse, served, locale="en-GB")
    page.locator("#item-i-plate").click()
    expect(page.locator("[data-open='i-plate']")).to_be_visible()
    page.keyboard.press("r")
    page.locator("#resolve-note").fill("half a sente")
    raise_incident(served.rooms, "i-new", severity=1, kind="door.forced", reason="door_forced")
    expect(page.locator("#item-i-new")).to_be_visible()
    expect(page.locator(".map .incident[data-incident='i-new']")).to_be_attached()
    # Neither the text half written nor the cursor was lost.
    expect(page.locator("#resolve-note")).to_have_value("half a sente")
    expect(page.locator("#resolve-note")).to_be_focused()


def test_a_colleagues_step_is_announced_while_one_is_answering(browse: Browse, served: Any) -> None:
    page = open_console(browse, served, locale="en-GB")
    page.locator("#item-i-face").click()
    expect(page.locator("[data-open='i-face']")).to_be_visible()
    page.keyboard.press("f")
    page.locator("#false-alarm-note").fill("it was the courier")
    colleague_acknowledges(served.rooms, "i-face")
    expect(page.locator("#detail-stale")).to_be_visible()
    expect(page.locator("#false-alarm-note")).to_have_value("it was the courier")
    page.locator("#detail-reload").click()
    expect(page.locator("#detail [data-version='2']")).to_be_visible()
    expect(page.locator("#detail-stale")).to_be_hidden()


def test_nothing_jumps_under_the_pointer(browse: Browse, served: Any) -> None:
    page = open_console(browse, served, locale="en-GB")
    page.locator("#item-i-face").hover()
    raise_incident(served.rooms, "i-new", severity=1)
    expect(page.locator("#queue-held")).to_be_visible()
    expect(page.locator("#item-i-new")).to_have_count(0)
    page.mouse.move(700, 400)
    expect(page.locator("#item-i-new")).to_be_visible()
    expect(page.locator("#queue-held")).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (360, 640)])
def test_a_volunteer_takes_an_alert_to_its_end(browse: Browse, served: Any, width: int, height: int) -> None:
    page = browse("li", width=width, height=height, has_touch=True, is_mobile=True)
    page.goto(f"{served.url}/phone")
    card = page.locator("[data-task='d-plate']")
    accept_button = card.get_by_role("button", name="接单")
    # The buttons are on the first screen and as large as a thumb.
    box = accept_button.bounding_box()
    assert box
    assert box["y"] + box["height"] < height
    assert box["height"] >= 56
    decline = card.get_by_role("button", name="谢绝").bounding_box()
    assert decline
    assert decline["height"] == box["height"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    accept_button.tap()
    expect(page.locator("[data-state='accepted']")).to_be_visible()
    page.get_by_role("button", name="我已到场").tap()
    expect(page.locator("[data-state='arrived']")).to_be_visible()
    page.locator("textarea").fill("司机是访客")
    page.get_by_role("button", name="处置完毕").tap()
    expect(page.locator(".empty")).to_be_visible()
    assert state_of(served.rooms, "i-plate") == "resolved"


def test_an_alert_arrives_and_a_colleagues_acceptance_shows_at_once(browse: Browse, served: Any) -> None:
    page = browse("wang", width=390, height=844, locale="en-GB")
    page.goto(f"{served.url}/phone")
    expect(page.locator(".empty")).to_contain_text("No alerts")
    # This feed cannot be resumed: what is said before the page listens reaches nobody.
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    rooms: Rooms = served.rooms
    with rooms.database.write() as session:
        send(session, "i-door", ["r-li", "r-wang"], COLLEAGUE, rooms.clock.now())
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
    expect(page.locator(".advice")).to_contain_text("110")
    with rooms.database.write() as session:
        first = session.scalars(
            select(Dispatch).where(Dispatch.incident == "i-door", Dispatch.responder == "r-li")
        ).one()
        accept(session, first.id, "r-li", rooms.clock.now())
    # Volunteers go in twos: who leads alone is worth a second, who need not accept any more.
    expect(page.get_by_text("A colleague goes alone")).to_be_visible()
    expect(page.get_by_role("button", name="I go along")).to_be_visible()
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)


def test_an_answer_against_the_hit_offers_what_follows(browse: Browse, served: Any) -> None:
    page = open_console(browse, served, locale="en-GB")
    page.locator("#item-i-hit").click()
    detail = page.locator("#detail")
    detail.get_by_text("Cannot tell").click()
    expect(detail.locator(".if-cannot-tell")).to_contain_text("赵保安")
    expect(detail.get_by_role("button", name="Confirm")).to_be_hidden()
    detail.get_by_text("Not the same person").click()
    expect(detail.locator(".if-cannot-tell")).to_be_hidden()
    detail.get_by_role("button", name="False alarm: recognition error").click()
    expect(detail.locator(".chip", has_text="Recognition error")).to_be_visible()
    assert state_of(served.rooms, "i-hit") == "false_alarm"


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("width", [360, 390])
def test_on_a_narrow_screen_one_thing_is_shown_at_a_time(
    browse: Browse, served: Any, width: int, locale: str
) -> None:
    page = open_console(browse, served, width=width, height=844, locale=locale)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # The menu is a row of its own that goes on beyond the edge; nothing else does.
    for control in page.locator(".top .brand:visible, .top .end a:visible, .top .end button:visible").all():
        box = control.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    page.locator("#item-i-done").click()
    title = page.locator("#detail .title h2")
    expect(title).to_be_in_viewport()
    expect(page.locator("#queue")).to_be_hidden()
    page.locator("#detail .back").click()
    expect(page.locator("#item-i-done")).to_be_in_viewport()
    expect(title).to_have_count(0)


def test_an_ended_session_leads_to_sign_in(browse: Browse, served: Any) -> None:
    page = open_console(browse, served, session_ends=True)
    page.context.clear_cookies()
    page.locator("#item-i-face").click()
    page.wait_for_url(lambda url: "/sign-in?next=/console" in url)
