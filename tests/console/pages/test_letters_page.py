"""Letters on open pages, in a real browser: heard, seen, acknowledged, and nobody gets another's."""

import datetime as dt
import json
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Contact,
    Notification,
    NotificationAttempt,
    NotificationState,
    Purpose,
)
from console.context import Rooms
from storage import content_id, new_id
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser


def hand_over(rooms: Rooms, responder: str, **changes: object) -> str:
    """A letter handed over to the open page of a responder, as the engine writes it down."""
    attempt, row, at = new_id(), new_id(), rooms.clock.now()
    contact = content_id("page", rooms.compound, responder)
    facts: dict[str, object] = {
        "id": row, "compound": rooms.compound, "key": row, "purpose": Purpose.OFFER, "responder": responder,
        "severity": 2, "arguments": {"kind": "door.forced", "place": f"{responder} 那里"},
        "state": NotificationState.PENDING, "asked_at": at,
    }  # fmt: skip
    with rooms.database.write() as session:
        if session.get(Contact, contact) is None:
            session.add(
                Contact(
                    id=contact, compound=rooms.compound, responder=responder, kind=ChannelKind.PHONE_PAGE,
                    name="-", address="page", settings={}, enabled=True, created_at=at,
                )
            )  # fmt: skip
        session.add(Notification(**facts | changes))
        session.flush()
        session.add(
            NotificationAttempt(
                id=attempt, notification=row, contact=contact, kind=ChannelKind.PHONE_PAGE, number=1,
                state=AttemptState.HANDED_OVER, at=at,
            )
        )  # fmt: skip
    return attempt


def state_of(rooms: Rooms, attempt: str) -> AttemptState:
    with rooms.database.read() as session:
        return AttemptState(session.get_one(NotificationAttempt, attempt).state)


def test_two_phones_two_people_each_hears_its_own(browse: Callable[..., Page], served) -> None:
    li = browse("li", width=390, height=844)
    wang = browse("wang", width=390, height=844)
    for page in (li, wang):
        page.goto(f"{served.url}/phone")
        expect(page.locator("#letters-state")).to_have_attribute("data-state", "live")
        page.locator("#letters-sound").click()
        page.evaluate("delete document.documentElement.dataset.sounded")

    attempt = hand_over(served.rooms, "r-li")

    letter = li.locator("#letters-list .letter")
    expect(letter).to_have_count(1)
    expect(letter).to_contain_text("r-li 那里")
    expect(li.locator("html")).to_have_attribute("data-sounded", "2")
    wait_until(lambda: state_of(served.rooms, attempt) is AttemptState.RECEIVED, "the receipt")
    expect(wang.locator("#letters-list .letter")).to_have_count(0)
    assert wang.evaluate("document.documentElement.dataset.sounded ?? null") is None


def test_what_waited_while_the_phone_was_away_is_there_when_it_comes_back(
    browse: Callable[..., Page], served
) -> None:
    page = browse("li", width=390, height=844)
    page.goto(f"{served.url}/phone")
    expect(page.locator("#letters-state")).to_have_attribute("data-state", "live")
    page.goto("about:blank")
    attempt = hand_over(served.rooms, "r-li")

    page.goto(f"{served.url}/phone")

    expect(page.locator("#letters-list .letter")).to_have_count(1)
    wait_until(lambda: state_of(served.rooms, attempt) is AttemptState.RECEIVED, "the receipt")


def test_letters_in_the_same_words_are_one_card_and_each_has_its_receipt(
    browse: Callable[..., Page], served
) -> None:
    page = browse("li", width=390, height=844)
    page.goto(f"{served.url}/phone")
    expect(page.locator("#letters-state")).to_have_attribute("data-state", "live")
    same = {"arguments": {"kind": "door.forced", "place": "17幢"}}

    attempts = [hand_over(served.rooms, "r-li", **same) for _ in range(2)]
    other = hand_over(served.rooms, "r-li")

    for one in (*attempts, other):
        wait_until(lambda one=one: state_of(served.rooms, one) is AttemptState.RECEIVED, "the receipt")
    expect(page.locator("#letters-list .letter")).to_have_count(2)


def test_a_browser_that_blocks_sound_says_so_and_one_press_helps(browse: Callable[..., Page], served) -> None:
    page = browse("li", width=390, height=844)
    page.goto(f"{served.url}/phone")

    expect(page.locator("#letters-blocked")).to_be_visible()
    page.locator("#letters-blocked button").click()
    expect(page.locator("#letters-blocked")).to_be_hidden()


def test_the_control_room_hears_the_gravest_until_it_is_acknowledged(
    browse: Callable[..., Page], served
) -> None:
    with served.rooms.database.write() as session:
        incident = session.query(Incident).filter(Incident.state == State.RAISED).first()
        assert incident is not None
        incident.severity, name = 1, incident.id
    page = browse("operator")
    page.goto(f"{served.url}/console")
    # A browser that blocks sound says so on one button of the head.
    expect(page.locator("#sound-button")).to_have_attribute("data-state", "blocked")
    page.locator("#sound-button").click()
    page.locator("#letters-sound").click()
    expect(page.locator("#sound-button")).to_have_attribute("data-state", "on")
    expect(page.locator("#letters-state")).to_have_attribute("data-state", "live")
    page.evaluate("delete document.documentElement.dataset.sounded")

    expect(page.locator("html")).to_have_attribute("data-sounded", "1", timeout=20_000)
    with served.rooms.database.write() as session:
        session.get_one(Incident, name).state = State.ACKNOWLEDGED
    expect(page.locator("#letters")).to_have_attribute("data-loud", "0")


def test_the_service_worker_shows_a_pushed_letter_and_says_that_it_came(
    browse: Callable[..., Page], served
) -> None:
    page = browse("li", width=390, height=844, permissions=["notifications"])
    page.goto(f"{served.url}/phone")
    attempt = hand_over(served.rooms, "r-li", expires_at=served.rooms.clock.now() - dt.timedelta(seconds=1))
    scope = page.evaluate("navigator.serviceWorker.ready.then((r) => r.scope)")
    assert scope == f"{served.url}/"

    push(page, served.url, {
        "attempt": attempt, "title": "【演练】能去吗？", "body": "3幢", "severity": 1, "path": "/phone",
        "tag": "incident-7", "lang": "zh-CN",
    })  # fmt: skip

    shown = wait_until(lambda: notifications(page), "the notification")
    assert shown == [["【演练】能去吗？", "3幢", "incident-7", True, False]]
    wait_until(lambda: state_of(served.rooms, attempt) is AttemptState.RECEIVED, "the receipt")


def test_a_push_that_cannot_be_read_is_still_a_call_to_look(browse: Callable[..., Page], served) -> None:
    page = browse("li", width=390, height=844, permissions=["notifications"])
    page.goto(f"{served.url}/phone")
    page.evaluate("navigator.serviceWorker.ready.then((r) => r.scope)")

    push(page, served.url, "not json")

    assert wait_until(lambda: notifications(page), "the notification")[0][0]


def push(page: Page, url: str, content: object) -> None:
    """What a push service would deliver, handed to the worker by the browser itself."""
    context: BrowserContext = page.context
    devtools = context.new_cdp_session(page)
    found: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(
            one["registrationId"] for one in event["registrations"] if one["scopeURL"] == f"{url}/"
        ),
    )
    devtools.send("ServiceWorker.enable")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    wait_until(lambda: found or page.wait_for_timeout(20), "the registration")
    data = content if isinstance(content, str) else json.dumps(content)
    devtools.send(
        "ServiceWorker.deliverPushMessage", {"origin": url, "registrationId": found[0], "data": data}
    )


def notifications(page: Page) -> list[list[object]]:
    return page.evaluate(
        """navigator.serviceWorker.ready.then(async (r) => (await r.getNotifications())
           .map((n) => [n.title, n.body, n.tag, n.requireInteraction, n.silent]))"""
    )
