"""The database is killed in the middle of an escalation: the ladder goes on where it stood, each rung once."""

import asyncio
import collections
import dataclasses
import datetime as dt
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import select

from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.incidents import raising
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
    Purpose,
)
from alerts.reactions import IncidentChange
from alerts.rules import Observation, Signal
from registry.models import Compound, Ring, Zone
from ringward.foundation import Foundation, lay
from ringward.notifyside import NotifyRole
from ringward.settings import Settings
from storage import Database
from tests.support.clock import VirtualClock
from tests.support.compound import COMPOUND
from tests.support.postgres import Postgres
from tests.support.waiting import until

pytestmark = pytest.mark.slow

DESK = ("op-1", "op-2")
PEOPLE = {"op-1": TeamKind.OPERATOR, "op-2": TeamKind.OPERATOR, "manager": TeamKind.PROPERTY}


@dataclasses.dataclass
class Phones:
    """Everybody's phone, which takes what comes."""

    kind: ClassVar[ChannelKind] = ChannelKind.PHONE_PAGE
    stays_inside: ClassVar[bool] = True

    heard: collections.Counter[tuple[str, str]] = dataclasses.field(default_factory=collections.Counter)

    async def send(self, to: Address, letter: Letter) -> Outcome:
        self.heard[to.address, str(letter.purpose)] += 1
        return Outcome(Result.RECEIVED)

    def have(self, who: str, purpose: Purpose) -> int:
        return self.heard[who, str(purpose)]


class Plain:
    def letter(self, told: Told, language: str) -> tuple[str, str, str | None]:
        return told.purpose.value, language, None


def making(phones: Phones) -> Callable[[Foundation, DeliveryMetrics], Engine]:
    def make(foundation: Foundation, metrics: DeliveryMetrics) -> Engine:
        channels = {phones.kind: phones}
        return Engine(foundation.database, foundation.clock, channels, Plain(), "one", metrics)

    return make


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server that may be killed. Outside pytest's own folder, as for the one that all share."""
    with tempfile.TemporaryDirectory(prefix="ringward-pg-") as folder:
        server = Postgres(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def ground(own_postgres: Postgres, tmp_path: Path, clock: VirtualClock) -> Iterator[Foundation]:
    settings = Settings(data_dir=tmp_path / "data", compound=COMPOUND, database_url=own_postgres.migrated())
    foundation = dataclasses.replace(lay(settings), clock=clock)
    _people(foundation.database, clock.now())
    yield foundation
    foundation.database.close()


def _people(database: Database, now: dt.datetime) -> None:
    day = dt.timedelta(days=1)
    with database.write() as session:
        session.add(Compound(id=COMPOUND, name="红花"))
        session.flush()
        session.add(
            Zone(id="hall", compound=COMPOUND, name="hall", ring=Ring.BUILDING, kind="hall", outline=[[0, 0]])
        )
        for kind in set(PEOPLE.values()):
            session.add(Team(id=kind.value, compound=COMPOUND, name=kind.value, kind=kind, zones=[]))
        session.flush()
        for name, kind in PEOPLE.items():
            leads = kind is TeamKind.PROPERTY
            session.add(Responder(id=name, team=kind.value, name=name, post=None, leads=leads))
        session.flush()
        for name in PEOPLE:
            session.add(Shift(id=name, responder=name, starts_at=now - day, ends_at=now + day))
            session.add(
                Contact(
                    id=name,
                    compound=COMPOUND,
                    responder=name,
                    kind=ChannelKind.PHONE_PAGE,
                    name="phone",
                    address=name,
                    settings={},
                    created_at=now,
                )
            )


def raise_fire(ground: Foundation) -> None:
    now = ground.clock.now()
    seen = Observation(
        id="o",
        event_id="e",
        type="fire.smoke",
        at=now,
        received_at=now,
        device="smoke",
        zone="hall",
        ring="building",
    )
    signal = Signal(
        rule="R-C09",
        kind="fire.smoke",
        severity=1,
        dedupe_key="smoke",
        dedupe_window=dt.timedelta(minutes=10),
        anchor=seen,
        evidence=(seen,),
        reason="fire",
        reason_args={},
    )
    with ground.database.write() as session:
        raising.apply_all(session, COMPOUND, [signal], now)


def is_settled(ground: Foundation) -> bool:
    """Nothing waits to be followed, to be told or to be settled."""
    with ground.database.read() as session:
        due = select(Notification.id).where(Notification.due_at <= ground.clock.now())
        sending = select(NotificationAttempt.id).where(NotificationAttempt.state == AttemptState.SENDING)
        return not any(
            session.scalar(query.limit(1)) for query in (select(IncidentChange.incident), due, sending)
        )


async def test_kill_9_of_postgresql_in_the_middle_of_an_escalation(
    ground: Foundation, own_postgres: Postgres, clock: VirtualClock
) -> None:
    phones = Phones()
    role = NotifyRole(ground, make=making(phones))
    await role.start()
    try:
        raise_fire(ground)
        await until(lambda: all(phones.have(one, Purpose.INCIDENT) for one in DESK), "the desk is told", 60)
        clock.advance(20)
        await until(lambda: all(phones.have(one, Purpose.ESCALATION) for one in DESK), "nobody took it", 60)
        await asyncio.to_thread(own_postgres.kill)
        # The next rung becomes due while there is no database.
        clock.advance(60)
        await asyncio.to_thread(own_postgres.revive)
        await until(lambda: phones.have("manager", Purpose.ESCALATION), "the manager is told", 90)
        await until(lambda: is_settled(ground), "nothing is on its way", 60)
    finally:
        await role.stop()
    assert dict(phones.heard) == {
        ("op-1", "incident"): 1,
        ("op-2", "incident"): 1,
        ("op-1", "escalation"): 1,
        ("op-2", "escalation"): 1,
        ("manager", "escalation"): 1,
    }
