"""The open page: its own letters, at once, until they are received; nobody gets another's."""

import asyncio
import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from console_world import COMPOUND
from httpx import AsyncClient as Browser

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
from console.accounts.models import Role
from storage import Database, new_id

INBOX = "/api/v1/notifications/inbox"


class Desk:
    """Hands letters over as the engine does."""

    def __init__(self, database: Database, clock) -> None:
        self._database = database
        self._clock = clock

    def hand_over(
        self, responder: str | None, kind: ChannelKind = ChannelKind.PHONE_PAGE, **changes: object
    ) -> str:
        attempt, row = new_id(), new_id()
        now = self._clock.now()
        facts: dict[str, object] = {
            "id": row, "compound": COMPOUND, "key": row, "purpose": Purpose.TEST, "responder": responder,
            "severity": 2, "arguments": {}, "state": NotificationState.TOLD, "asked_at": now,
        }  # fmt: skip
        with self._database.write() as session:
            contact = Contact(
                id=new_id(), compound=COMPOUND, responder=responder, kind=kind, name="page", address="page",
                settings={}, enabled=True, created_at=now,
            )  # fmt: skip
            session.add(contact)
            session.add(Notification(**facts | changes))
            session.flush()
            session.add(
                NotificationAttempt(
                    id=attempt, notification=row, contact=contact.id, kind=kind, number=1,
                    state=AttemptState.HANDED_OVER, at=now,
                )
            )  # fmt: skip
        return attempt

    def change(self, attempt: str, **changes: object) -> None:
        with self._database.write() as session:
            row = session.get_one(NotificationAttempt, attempt)
            for name, value in changes.items():
                setattr(row, name, value)

    def end(self, attempt: str, state: NotificationState) -> None:
        with self._database.write() as session:
            row = session.get_one(NotificationAttempt, attempt)
            session.get_one(Notification, row.notification).state = state


@pytest.fixture
def desk(database: Database, clock, world: SimpleNamespace) -> Desk:
    return Desk(database, clock)


@pytest.fixture
def li(signed_in: Callable[..., Browser], world: SimpleNamespace) -> Browser:
    return signed_in(Role.VOLUNTEER, responder_id="li", name="li")


@pytest.fixture
def wang(signed_in: Callable[..., Browser], world: SimpleNamespace) -> Browser:
    return signed_in(Role.VOLUNTEER, responder_id="wang", name="wang")


async def shown(browser: Browser, **query: object) -> list[str]:
    answer = await browser.get(INBOX, params=query)
    assert answer.status_code == 200, answer.text
    return [item["attempt"] for item in answer.json()["items"]]


async def test_nobody_gets_anothers_letter(li: Browser, wang: Browser, desk: Desk) -> None:
    mine, theirs = desk.hand_over("li"), desk.hand_over("wang")

    assert await shown(li) == [mine]
    assert await shown(wang) == [theirs]


async def test_what_waited_is_there_when_the_page_comes_back_and_gone_once_received(
    li: Browser, desk: Desk, clock
) -> None:
    attempt = desk.hand_over("li")
    clock.advance(hours=2)

    assert await shown(li) == [attempt]
    desk.change(attempt, state=AttemptState.RECEIVED, received_at=clock.now())
    clock.advance(seconds=20)
    assert await shown(li) == []


async def test_what_one_page_has_received_is_heard_by_the_others_of_the_same_person_too(
    li: Browser, desk: Desk, clock
) -> None:
    attempt = desk.hand_over("li")
    desk.change(attempt, state=AttemptState.RECEIVED, received_at=clock.now())
    clock.advance(seconds=1)

    assert await shown(li) == [attempt]


@pytest.mark.parametrize("state", [AttemptState.SENDING, AttemptState.FAILED, AttemptState.RECEIVED])
async def test_only_what_was_handed_over_is_shown(li: Browser, desk: Desk, state: AttemptState) -> None:
    desk.change(desk.hand_over("li"), state=state)

    assert await shown(li) == []


async def test_a_try_of_which_nobody_knows_is_shown_rather_than_lost(li: Browser, desk: Desk) -> None:
    attempt = desk.hand_over("li")
    desk.change(attempt, state=AttemptState.UNCERTAIN)

    assert await shown(li) == [attempt]


@pytest.mark.parametrize(
    "state", [NotificationState.WITHDRAWN, NotificationState.ANSWERED, NotificationState.EXPIRED]
)
async def test_what_is_over_is_shown_no_more(li: Browser, desk: Desk, state: NotificationState) -> None:
    desk.end(desk.hand_over("li"), state)

    assert await shown(li) == []


async def test_what_is_worth_nothing_any_more_is_not_shown(li: Browser, desk: Desk, clock) -> None:
    desk.hand_over("li", expires_at=clock.now() + dt.timedelta(seconds=30))
    clock.advance(seconds=31)

    assert await shown(li) == []


async def test_a_page_that_waits_hears_of_a_letter_as_soon_as_it_is_there(li: Browser, desk: Desk) -> None:
    mark = (await li.get(INBOX)).json()["mark"]
    waiting = asyncio.create_task(li.get(INBOX, params={"after": mark, "wait": 20}))
    await asyncio.sleep(0)
    attempt = await asyncio.to_thread(desk.hand_over, "li")

    async with asyncio.timeout(10):
        answer = (await waiting).json()

    assert [item["attempt"] for item in answer["items"]] == [attempt]
    assert answer["mark"] != mark


async def test_a_page_that_waits_hears_nothing_of_anothers_letter(
    li: Browser, wang: Browser, desk: Desk
) -> None:
    mark = (await li.get(INBOX)).json()["mark"]
    waiting = asyncio.create_task(li.get(INBOX, params={"after": mark, "wait": 1}))
    await asyncio.to_thread(desk.hand_over, "wang")

    async with asyncio.timeout(10):
        answer = (await waiting).json()

    assert (answer["items"], answer["mark"]) == ([], mark)


async def test_an_answer_that_was_lost_is_given_again(li: Browser, desk: Desk) -> None:
    """The mark goes back only once the answer was read: a page that never read it asks with the old one."""
    old = (await li.get(INBOX)).json()["mark"]
    attempt = desk.hand_over("li")

    assert await shown(li, after=old, wait=5) == [attempt]
    assert await shown(li, after=old, wait=5) == [attempt]


async def test_the_control_room_hears_what_is_for_everybody_there_and_what_nobody_acknowledged(
    operator: Browser, desk: Desk, database: Database, world: SimpleNamespace
) -> None:
    attempt = desk.hand_over(None, ChannelKind.CONSOLE)
    answer = (await operator.get(INBOX, params={"control_room": True})).json()

    assert [item["attempt"] for item in answer["items"]] == [attempt]
    assert [one["incident"] for one in answer["raised"]] == [world.raised]
    with database.write() as session:
        session.get_one(Incident, world.raised).state = State.ACKNOWLEDGED
    assert (await operator.get(INBOX, params={"control_room": True})).json()["raised"] == []


async def test_who_is_not_in_the_control_room_does_not_hear_its_letters(li: Browser, desk: Desk) -> None:
    desk.hand_over(None, ChannelKind.CONSOLE)

    assert await shown(li) == []
    refused = await li.get(INBOX, params={"control_room": True})
    assert refused.status_code == 403


async def test_an_exercise_says_so(li: Browser, desk: Desk) -> None:
    desk.hand_over("li", drill=True)

    item = (await li.get(INBOX, headers={"Accept-Language": "zh-CN"})).json()["items"][0]

    assert item["drill"] is True
    assert "演练" in item["title"]


@pytest.mark.parametrize(
    ("state", "there"),
    [(State.ARRIVED, True), (State.RESOLVED, False), (State.CLOSED, False), (State.FALSE_ALARM, False)],
)
@pytest.mark.parametrize("purpose", [Purpose.INCIDENT, Purpose.OFFER])
async def test_who_opens_the_page_when_the_work_is_done_is_called_to_nothing(
    li: Browser,
    desk: Desk,
    database: Database,
    world: SimpleNamespace,
    purpose: Purpose,
    state: State,
    there: bool,
) -> None:
    call = desk.hand_over("li", incident=world.raised, purpose=purpose)
    off = desk.hand_over("li", incident=world.raised, purpose=Purpose.CALLED_OFF)
    with database.write() as session:
        session.get_one(Incident, world.raised).state = state

    # That it is over is worth knowing.
    assert await shown(li) == ([call, off] if there else [off])
