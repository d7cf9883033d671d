"""The role `notify`: from a commit to a letter, over restarts of the role and of its database."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import make_url, select

from alerts import reactions
from alerts.duty.models import Responder, Team, TeamKind
from alerts.notify.asking import Ask, ask
from alerts.notify.channels.channel import Address, Letter, Outcome, Result
from alerts.notify.engine import Engine
from alerts.notify.letters import Told
from alerts.notify.metrics import DeliveryMetrics
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Contact,
    Notification,
    NotificationAttempt,
    NotificationState,
    Purpose,
)
from alerts.reactions import IncidentChange
from registry.models import Compound
from ringward import notifyside
from ringward.delivery import engine as usual_engine
from ringward.delivery import limits
from ringward.foundation import Foundation, lay
from ringward.notifyside import NotifyRole
from ringward.settings import Settings
from storage import Database, migrate, new_id
from tests.support.postgres import Postgres
from tests.support.waiting import until

HONGHUA = "honghua"


class Plain:
    def letter(self, told: Told, language: str) -> tuple[str, str, str | None]:
        return told.purpose.value, language, None


class Box:
    """A push service in this process, which holds on to letters while it is closed."""

    kind: ClassVar[ChannelKind] = ChannelKind.WEB_PUSH
    stays_inside: ClassVar[bool] = False

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, to: Address, letter: Letter) -> Outcome:
        del to
        self.sent.append(letter.notification)
        await self.open.wait()
        return Outcome(Result.HANDED_OVER)


def making(box: Box, holder: str = "one") -> Callable[[Foundation, DeliveryMetrics], Engine]:
    def make(foundation: Foundation, metrics: DeliveryMetrics) -> Engine:
        return Engine(
            foundation.database, foundation.clock, {box.kind: box}, Plain(), holder, metrics, deadline_s=5.0
        )

    return make


@pytest.fixture
def ground(tmp_path: Path) -> Foundation:
    foundation = lay(Settings(data_dir=tmp_path / "data", compound=HONGHUA))
    migrate.upgrade(foundation.database)
    _people(foundation.database)
    return foundation


def _people(database: Database) -> None:
    now = dt.datetime.now(dt.UTC)
    with database.write() as session:
        session.add(Compound(id=HONGHUA, name=HONGHUA))
        session.flush()
        session.add(Team(id="guards", compound=HONGHUA, name="guards", kind=TeamKind.GUARD))
        session.flush()
        session.add(Responder(id="qian", team="guards", name="qian"))
        session.flush()
        session.add(
            Contact(
                id="c1",
                compound=HONGHUA,
                responder="qian",
                kind=ChannelKind.WEB_PUSH,
                name="phone",
                address="{}",
                settings={},
                enabled=True,
                created_at=now,
                failures=0,
            )
        )


def tell(ground: Foundation, **changes: object) -> str:
    with ground.database.write() as session:
        facts: dict[str, object] = {"purpose": Purpose.SHIFT, "responder": "qian"} | changes
        (made,) = ask(
            session,
            [Ask(HONGHUA, new_id(), **facts)],  # type: ignore[arg-type]
            ground.clock.now(),
        )
        return made.id


def state(ground: Foundation, key: str) -> str:
    with ground.database.read() as session:
        return session.get_one(Notification, key).state


@asynccontextmanager
async def running(role: NotifyRole) -> AsyncIterator[NotifyRole]:
    await role.start()
    try:
        yield role
    finally:
        await role.stop()


async def test_what_is_asked_for_is_sent_by_itself(ground: Foundation) -> None:
    box = Box()
    async with running(NotifyRole(ground, follow=(), kept=(), make=making(box))) as role:
        await until(role.ready, "it looks")
        key = tell(ground)
        await until(lambda: state(ground, key) == NotificationState.TOLD, "it is told")
    assert box.sent == [key]


async def test_two_roles_send_it_once(ground: Foundation) -> None:
    box = Box()
    one = NotifyRole(ground, follow=(), kept=(), make=making(box, "one"))
    other = lay(ground.settings)
    two = NotifyRole(other, follow=(), kept=(), make=making(box, "two"))
    async with running(one), running(two):
        keys = [tell(ground, severity=1) for _ in range(20)]
        await until(lambda: all(state(ground, key) != "pending" for key in keys), "all are told")
    other.database.close()
    assert sorted(box.sent) == sorted(keys)


async def test_a_role_that_stops_settles_what_answers_and_leaves_the_rest_uncertain(
    ground: Foundation,
) -> None:
    box = Box()
    box.open.clear()
    async with running(NotifyRole(ground, follow=(), kept=(), make=making(box))):
        key = tell(ground, severity=1)
        await until(lambda: box.sent, "it is under way")
    with ground.database.read() as session:
        (left,) = session.scalars(select(NotificationAttempt.state)).all()
    assert left == AttemptState.UNCERTAIN

    # Whoever starts next asks once more: nothing is forgotten.
    box.open.set()
    again = lay(ground.settings)
    async with running(NotifyRole(again, follow=(), kept=(), make=making(box, "two"))):
        await until(lambda: state(ground, key) == NotificationState.TOLD, "it is told")
    again.database.close()
    assert box.sent == [key, key]


async def test_a_database_that_goes_away_in_the_middle_costs_no_letter(
    ground: Foundation, postgres: Postgres
) -> None:
    url = postgres.migrated()
    there = lay(ground.settings.model_copy(update={"database_url": url}))
    _people(there.database)
    box = Box()
    box.open.clear()
    try:
        async with running(NotifyRole(there, follow=(), kept=(), make=making(box))) as role:
            await until(role.ready, "it looks")
            first = tell(there, severity=1)
            await until(lambda: box.sent, "it is under way")
            # As in a restart: every connection breaks, and for a while none is had.
            name = make_url(url).database or ""
            await asyncio.to_thread(postgres.shut, name)
            # The letter is taken meanwhile: that is kept until it can be written down.
            box.open.set()
            await until(lambda: not role._delivery._engine._tasks, "it is taken")
            await asyncio.to_thread(postgres.reopen, name)
            second = tell(there, severity=1)
            await until(lambda: state(there, first) == state(there, second) == "told", "both are told", 60)
    finally:
        there.database.close()
    assert box.sent == [first, second]


async def test_whoever_changes_something_in_the_same_process_is_not_waited_for(
    ground: Foundation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifyside, "LOOK_S", 3600.0)
    async with running(NotifyRole(ground, follow=(), kept=(), make=making(Box()))) as role:
        await until(role.ready, "it has looked, and would look again in an hour")
        with ground.database.write() as session:
            session.add(IncidentChange(incident="i", version=1, compound=HONGHUA, at=ground.clock.now()))
        role.wake()
        await until(lambda: not reactions.waiting(ground.database), "it was followed")


def test_the_usual_engine_has_every_channel(ground: Foundation) -> None:
    made = usual_engine(ground, DeliveryMetrics(ground.metrics))
    assert made._kinds == frozenset(ChannelKind)
    assert limits(ground.settings).caps.keys() == {3, 4}
