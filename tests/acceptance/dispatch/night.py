"""A night on the virtual clock: what happens, who hears of it when, and nothing else.

    fire = night.raises("fire", severity=1, zone="hall")
    night.hears("op-1", "incident", fire)
    night.passes(20)
    night.hears("op-2", "escalation", fire)

Incidents, timers, reactions, rounds, rosters and the delivery engine are the real ones on a real database;
only the phones are ours. A letter that came and that the story does not name fails the test.
"""

import asyncio
import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from prometheus_client import CollectorRegistry
from sqlalchemy import event, func, select

from alerts import reactions, rounds
from alerts.dispatch import actions as dispatching
from alerts.dispatch.models import Dispatch
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.incidents import raising
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import Comparison, FalseAlarmReason, State, Step
from alerts.incidents.models import Incident, Transition
from alerts.notify.channels.channel import Address, Letter, Outcome, Result
from alerts.notify.engine import Engine
from alerts.notify.letters import Told
from alerts.notify.metrics import DeliveryMetrics
from alerts.notify.models import ChannelKind, Contact, Notification, Purpose
from alerts.routing.models import RouteGroup, Telling
from alerts.rules import Observation, Signal
from registry.models import Compound, Ring, Zone
from ringward.followups import REACTIONS, ROUNDS
from storage import Database

COMPOUND = "willow"
START = dt.datetime(2026, 11, 23, 14, 40, tzinfo=dt.UTC)  # 22:40 in Shanghai
ZONES = {"gate": "entrance", "square": "common", "hall": "building"}
_NEXT = {"gate": ["square"], "square": ["gate", "hall"], "hall": ["square"]}

# Who is on duty through the night, in which team, leading it or not, standing where.
PEOPLE: Mapping[str, tuple[TeamKind, bool, str | None]] = {
    "op-1": (TeamKind.OPERATOR, False, None),
    "op-2": (TeamKind.OPERATOR, False, None),
    "op-lead": (TeamKind.OPERATOR, True, None),
    "guard-1": (TeamKind.GUARD, False, "gate"),
    "guard-2": (TeamKind.GUARD, False, None),
    "volunteer-1": (TeamKind.VOLUNTEER_POLICE, False, "square"),
    "volunteer-2": (TeamKind.VOLUNTEER_POLICE, False, None),
    "volunteer-lead": (TeamKind.VOLUNTEER_POLICE, True, None),
    "medic-1": (TeamKind.EMERGENCY, False, None),
    "medic-2": (TeamKind.EMERGENCY, False, None),
    "steward": (TeamKind.STEWARD, False, None),
    "grid": (TeamKind.GRID, False, None),
    "mediator": (TeamKind.MEDIATION, False, None),
    "manager": (TeamKind.PROPERTY, True, None),
    "police": (TeamKind.POLICE, False, None),
    "community": (TeamKind.COMMUNITY, False, None),
    "street": (TeamKind.STREET, False, None),
}


DESK = ("op-1", "op-2", "op-lead")
# Who hears of what is confirmed in the common areas.
SQUARE = ("guard-1", "guard-2", "volunteer-1", "volunteer-2", "volunteer-lead")

_LOOK = dt.timedelta(seconds=1)
_LONGEST = dt.timedelta(seconds=60)
# Whatever becomes due by itself.
_DUE = (
    Incident.due_at,
    Dispatch.due_at,
    Dispatch.alone_due_at,
    Notification.due_at,
    RouteGroup.due_at,
    Telling.again_at,
)


class Clock:
    def __init__(self) -> None:
        self.moment = START

    def now(self) -> dt.datetime:
        return self.moment


def found(database: Database) -> None:
    """Founds the compound with everybody on duty from the evening to the morning."""
    with database.write() as session:
        session.add(Compound(id=COMPOUND, name="柳荫小区", time_zone="Asia/Shanghai"))
        session.flush()
        for zone, ring in ZONES.items():
            session.add(
                Zone(
                    id=zone,
                    compound=COMPOUND,
                    name=zone,
                    ring=Ring(ring),
                    kind=ring,
                    outline=[[0, 0]],
                    neighbours=_NEXT[zone],
                )
            )
        for kind in TeamKind:
            session.add(Team(id=kind.value, compound=COMPOUND, name=kind.value, kind=kind, zones=[]))
        session.flush()
        for name, (kind, leads, post) in PEOPLE.items():
            session.add(Responder(id=name, team=kind.value, name=name, post=post, leads=leads))
        session.flush()
        for name in PEOPLE:
            session.add(
                Shift(
                    id=f"shift-{name}",
                    responder=name,
                    starts_at=START - dt.timedelta(hours=2, minutes=40),
                    ends_at=START + dt.timedelta(days=90),
                )
            )
            session.add(phone_of(name))


def phone_of(name: str) -> Contact:
    """Somebody's open phone page."""
    return Contact(
        id=f"phone-of-{name}",
        compound=COMPOUND,
        responder=name,
        kind=ChannelKind.PHONE_PAGE,
        name="phone",
        address=name,
        settings={},
        created_at=START,
    )


@dataclass(frozen=True, slots=True)
class Heard:
    """A letter that came to somebody's phone."""

    at: dt.datetime
    who: str
    letter: Letter


@dataclass
class Phones:
    """Everybody's phone: takes what comes and gives a receipt, or does what the story says."""

    kind: ClassVar[ChannelKind] = ChannelKind.PHONE_PAGE
    stays_inside: ClassVar[bool] = True

    clock: Clock
    heard: list[Heard] = field(default_factory=list)
    # It comes to them, and they give no sign.
    silent: set[str] = field(default_factory=set)

    async def send(self, to: Address, letter: Letter) -> Outcome:
        self.heard.append(Heard(self.clock.now(), to.address, letter))
        return Outcome(Result.HANDED_OVER if to.address in self.silent else Result.RECEIVED)


def _not_to_disk(connection: Any, _record: object) -> None:
    """Nobody pulls the plug in these stories."""
    connection.execute("PRAGMA synchronous=OFF")


class PlainWords:
    """Words are another's matter here."""

    def letter(self, told: Told, language: str) -> tuple[str, str, str | None]:
        del language
        return str(told.purpose), f"{told.more} more" if told.more else "", "/phone"


class Night:
    """One story. Seconds count from its beginning."""

    def __init__(self, database: Database) -> None:
        self.database = database
        event.listen(database.engine, "connect", _not_to_disk)
        database.engine.dispose()
        self.clock = Clock()
        self.phones = Phones(self.clock)
        self.failed: list[str] = []
        self.engine = self.start_engine("first")
        self._numbers = itertools.count()

    def start_engine(self, holder: str) -> Engine:
        return Engine(
            self.database,
            self.clock,
            {ChannelKind.PHONE_PAGE: self.phones},
            PlainWords(),
            holder,
            DeliveryMetrics(CollectorRegistry()),
        )

    # ── what happens ──────────────────────────────────────────────────────────

    def raises(
        self,
        kind: str,
        *,
        severity: int,
        zone: str = "square",
        rule: str = "R-C01",
        key: str | None = None,
        confirm_alone: frozenset[str] = frozenset(),
        settles: bool = True,
        **more: object,
    ) -> str:
        """Something happens and is raised; returns the incident's id. Without `settles` nothing follows yet."""
        now, number = self.clock.now(), next(self._numbers)
        seen = Observation(
            id=f"o-{number}",
            event_id=f"e-{number}",
            type="door.forced",
            at=now,
            received_at=now,
            device=f"{zone}-device",
            zone=zone,
            ring=ZONES[zone],
            lane=zone,
        )
        signal = Signal(
            **{
                "rule": rule,
                "kind": kind,
                "severity": severity,
                "dedupe_key": key or f"{rule}:{zone}:{number}",
                "dedupe_window": dt.timedelta(minutes=10),
                "anchor": seen,
                "evidence": (seen,),
                "reason": "door_forced",
                "reason_args": {},
            }
            | more
        )
        with self.database.write() as session:
            changes = raising.apply_all(session, COMPOUND, [signal], now, confirm_alone=confirm_alone)
            incident = changes[-1].incident.id
        if settles:
            self.settles()
        return incident

    def step(self, incident: str, to: State, who: str = "op-1", **how: object) -> None:
        """An operator takes a step."""
        with self.database.write() as session:
            take_step(session, incident, Step(to, **how), Actor(who, "operator"), self.clock.now())
        self.settles()

    def acknowledges(self, incident: str, who: str = "op-1") -> None:
        self.step(incident, State.ACKNOWLEDGED, who)

    def confirms(self, incident: str, who: str = "op-1", comparison: Comparison | None = None) -> None:
        self.step(incident, State.CONFIRMED, who, comparison=comparison)

    def says_false(self, incident: str, who: str = "op-1") -> None:
        self.step(incident, State.FALSE_ALARM, who, reason=FalseAlarmReason.ANIMAL)

    def sends(self, incident: str, *whom: str, who: str = "op-1") -> None:
        """The operator asks people to go."""
        with self.database.write() as session:
            dispatching.send(session, incident, whom, Actor(who, "operator"), self.clock.now())
        self.settles()

    def answers(self, who: str, reply: str, incident: str, **how: object) -> Dispatch:
        """A responder presses a button: accept, decline, depart, arrive or resolve."""
        with self.database.write() as session:
            row = session.scalars(
                select(Dispatch).where(Dispatch.incident == incident, Dispatch.responder == who)
            ).one()
            answered = getattr(dispatching, reply)(session, row.id, who, self.clock.now(), **how)
        self.settles()
        return answered

    def give_phone(self, name: str) -> None:
        with self.database.write() as session:
            session.add(phone_of(name))

    # ── time ──────────────────────────────────────────────────────────────────

    def passes(self, seconds: float) -> None:
        """Time, which everything notices: moment by moment where something is due, and at its end."""
        end = self.clock.moment + dt.timedelta(seconds=seconds)
        while self.clock.moment < end:
            soonest = self.clock.moment + _LOOK
            # Rounds that look at something else than a due moment come by, too.
            later = self.clock.moment + max(_LONGEST, dt.timedelta(seconds=seconds / 200))
            due = self._next_due() or end
            self.clock.moment = min(end, later, max(due, soonest))
            self.settles()

    def _next_due(self) -> dt.datetime | None:
        with self.database.read() as session:
            found = [session.scalar(select(func.min(column))) for column in _DUE]
        return min((moment for moment in found if moment is not None), default=None)

    def follows(self) -> None:
        """What follows from changes, without a letter being brought."""
        while reactions.react(self.database, REACTIONS, self.clock.now, self.failed.append):
            pass
        assert not self.failed, self.failed

    def settles(self) -> None:
        """What follows from it, until nothing more does."""
        for _ in range(50):
            done = reactions.react(self.database, REACTIONS, self.clock.now, self.failed.append)
            done += rounds.keep(self.database, ROUNDS, self.clock.now, self.failed.append)
            done += asyncio.run(self.engine.turn())
            if not done:
                break
        assert not self.failed, self.failed

    # ── what is heard ─────────────────────────────────────────────────────────

    def hears(self, who: str, purpose: str | Purpose, incident: str | None = None) -> Letter:
        """Somebody has heard that, once; it is not expected any more."""
        for number, one in enumerate(self.phones.heard):
            letter = one.letter
            if (
                one.who == who
                and letter.purpose == purpose
                and (incident is None or letter.incident == incident)
            ):
                del self.phones.heard[number]
                return letter
        raise AssertionError(f"{who} heard nothing of {purpose}; what was heard: {self.told()}")

    def all_hear(self, purpose: str | Purpose, incident: str | None, *who: str) -> None:
        """Each of them has heard that, once."""
        for one in who:
            self.hears(one, purpose, incident)

    def forgets(self) -> None:
        """What was heard so far is not what the story is about."""
        self.phones.heard.clear()

    def told(self) -> list[str]:
        """What was heard and not expected yet, for people."""
        return [
            f"+{(one.at - START).total_seconds():g} s {one.who}: {one.letter.purpose}"
            for one in self.phones.heard
        ]

    def silence(self) -> None:
        """Nobody has heard anything that was not named."""
        assert not self.phones.heard, self.told()

    def ends(self) -> None:
        self.silence()

    # ── how it stands ─────────────────────────────────────────────────────────

    def incident(self, incident: str) -> Incident:
        with self.database.read() as session:
            row = session.get_one(Incident, incident)
            session.expunge_all()
        return row

    def path(self, incident: str) -> list[tuple[str, str | None]]:
        """Its states with the reasons, in order."""
        with self.database.read() as session:
            rows = session.scalars(
                select(Transition).where(Transition.incident == incident).order_by(Transition.version)
            ).all()
            return [(str(row.to_state), row.reason) for row in rows]

    def steps(self, incident: str) -> list[Transition]:
        with self.database.read() as session:
            rows = list(
                session.scalars(
                    select(Transition).where(Transition.incident == incident).order_by(Transition.version)
                )
            )
            session.expunge_all()
        return rows

    def dispatches(self, incident: str) -> dict[str, str]:
        with self.database.read() as session:
            rows = session.scalars(select(Dispatch).where(Dispatch.incident == incident)).all()
            return {row.responder: str(row.state) for row in rows}
