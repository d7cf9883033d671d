"""The three commonest incidents of the demo, from the queue to their end, by whoever has never seen the pages.

Only what is written on a page is pressed: no key, no address that one would have to know, no id.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from test_journeys import raise_incident, state_of

from console.texts import Texts, load
from registry.models import Ring

pytestmark = pytest.mark.browser


Browse = Callable[..., Page]
LANGUAGES = {"zh_CN": "zh-CN", "en": "en-GB"}


@pytest.fixture(params=LANGUAGES)
def words(request: pytest.FixtureRequest) -> Texts:
    return load(request.param)


def named(words: str) -> re.Pattern[str]:
    """A button by its words: the key beside them belongs to its name as well."""
    return re.compile(rf"^{re.escape(words)}(\s|$)")


def opened(page: Page, kind: str) -> Locator:
    """Presses a line of the queue; returns the incident."""
    page.get_by_role("link", name=re.compile(re.escape(kind))).first.click()
    incident = page.get_by_role("article")
    expect(incident.get_by_role("heading", name=kind)).to_be_visible()
    return incident


def press(page: Page, text: str) -> None:
    page.get_by_role("button", name=named(text)).click()


def open_tray(incident: Locator, text: str) -> None:
    incident.get_by_text(named(text)).locator("visible=true").first.click()


def reviewed(page: Page, t: Texts, kind: str) -> None:
    """The manager finds by the menu what waits for a review, and writes it."""
    page.get_by_role("link", name=t("area.lookback")).click()
    page.get_by_role("link", name=t("nav.reviews"), exact=True).first.click()
    page.get_by_role("link", name=kind).first.click()
    page.get_by_role("radio", name=t("score.4")).check()
    page.get_by_label(t("reviews.cause")).select_option(index=1)
    page.get_by_label(t("reviews.alert")).select_option(index=1)
    page.get_by_label(t("reviews.lesson")).fill("…")
    press(page, t("reviews.save"))
    expect(page.get_by_text(t("state.reviewed"), exact=True).first).to_be_visible()


def closed(page: Page, t: Texts) -> None:
    """The operator sees that it is reviewed, and closes it."""
    press(page, t("action.close"))
    expect(page.get_by_text(t("desk.over"))).to_be_visible()


def test_a_stranger_who_slipped_in_was_the_courier(browse: Browse, served: Any, words: Texts) -> None:
    t, kind = words, words("kind.person.unknown_passed")
    page = browse("operator", locale=LANGUAGES[t.locale])
    page.goto(served.url)
    incident = opened(page, kind)
    press(page, t("action.acknowledge"))
    expect(incident.get_by_text(t("state.acknowledged"), exact=True).first).to_be_visible()
    open_tray(incident, t("action.false_alarm"))
    incident.get_by_role("button", name=t("false_alarm.courier")).click()
    # It says that it is over, and where it is found again; the queue does not have it any more.
    expect(incident.get_by_text(t("desk.over"))).to_be_visible()
    expect(page.locator("#item-i-face")).to_have_count(0)
    incident.get_by_role("link", name=t("nav.history")).click()
    expect(page.get_by_role("row").filter(has_text=kind).first).to_contain_text(t("state.false_alarm"))
    assert state_of(served.rooms, "i-face") == "false_alarm"


def test_a_forced_door_is_seen_to_by_a_volunteer_and_closed(
    browse: Browse, served: Any, words: Texts
) -> None:
    t, kind = words, words("kind.door.forced")
    lane = {"lane": "lane-1", "window_s": 3.0}
    raise_incident(
        served.rooms,
        "i-forced",
        severity=2,
        kind="door.forced",
        rule="R-B05",
        reason="door_forced",
        zone="b1",
        ring=Ring.BUILDING,
        device_id="door-1",
        reason_args=lane,
    )
    page = browse("operator", locale=LANGUAGES[t.locale])
    page.goto(served.url)
    page.get_by_role("link", name=re.compile(re.escape(kind))).filter(has_text="1幢").click()
    incident = page.get_by_role("article")
    press(page, t("action.acknowledge"))
    expect(incident.get_by_text(t("state.acknowledged"), exact=True).first).to_be_visible()
    press(page, t("action.confirm"))
    # Whom to send is open by itself, and it says that nobody goes alone.
    expect(incident.get_by_text(t("desk.never_alone"))).to_be_visible()
    incident.get_by_role("checkbox", name=re.compile("李队员")).check()
    press(page, t("action.dispatch"))
    expect(incident.get_by_text(t("dispatch.offered"), exact=True).first).to_be_visible()

    phone = browse("li", width=390, height=844, locale=LANGUAGES[t.locale])
    phone.goto(served.url)
    card = phone.get_by_role("article").filter(has_text=kind)
    card.get_by_role("button", name=t("phone.accept"), exact=True).click()
    expect(card.get_by_text(t("phone.you_lead"))).to_be_visible()
    card.get_by_role("button", name=t("phone.arrive"), exact=True).click()
    expect(card.get_by_text(t("phone.you_arrived"))).to_be_visible()
    card.get_by_label(t("task.result")).select_option(label=t("result.settled"))
    card.get_by_role("button", name=t("phone.resolve"), exact=True).click()
    expect(card).to_have_count(0)
    expect(incident.get_by_text(t("state.resolved"), exact=True).first).to_be_visible()

    reviewed(manager(browse, served, t), t, kind)
    closed(page, t)
    assert state_of(served.rooms, "i-forced") == "closed"


def test_an_unregistered_car_needs_nobody_on_the_spot(browse: Browse, served: Any, words: Texts) -> None:
    t, kind = words, words("kind.vehicle.unregistered")
    plate = {"plate": "云M7K33P", "window_s": 60.0}
    raise_incident(
        served.rooms,
        "i-car",
        severity=3,
        kind="vehicle.unregistered",
        rule="R-E04",
        reason="unregistered_plate",
        zone="gate-north",
        device_id="cam-north",
        reason_args=plate,
    )
    page = browse("operator", locale=LANGUAGES[t.locale])
    page.goto(served.url)
    page.get_by_role("link", name=re.compile(re.escape(kind))).filter(has_text="云M7K33P").click()
    incident = page.get_by_role("article")
    press(page, t("action.acknowledge"))
    expect(incident.get_by_text(t("state.acknowledged"), exact=True).first).to_be_visible()
    press(page, t("action.confirm"))
    open_tray(incident, t("action.resolve"))
    incident.get_by_label(t("action.resolve_note")).fill("…")
    press(page, t("action.resolve"))
    expect(incident.get_by_text(t("state.resolved"), exact=True).first).to_be_visible()
    reviewed(manager(browse, served, t), t, kind)
    closed(page, t)
    assert state_of(served.rooms, "i-car") == "closed"


def manager(browse: Browse, served: Any, t: Texts) -> Page:
    page = browse("manager", locale=LANGUAGES[t.locale])
    page.goto(served.url)
    return page
