"""Everybody of the ladder, an incident, and a clock that only the story moves.

What follows from a change follows at once; rounds are kept every second, as the process does.
"""

import datetime as dt

from sqlalchemy import select
from timeline import COMPOUND, OPERATOR, START

from alerts import reactions, rounds
from alerts.dispatch import actions, needing, waiting
from alerts.dispatch import reaction as dispatching
from alerts.dispatch.models import Dispatch
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.escalation import reaction as escalating
from alerts.incidents import rounds as timing
from alerts.incidents.actions import take_step
from alerts.incidents.actor import SYSTEM, Actor
from alerts.incidents.lifecycle import State, Step
from alerts.incidents.models import Incident
from alerts.incidents.record import record
from alerts.notify.models import Notification
from storage import Database, new_id

FOLLOW = (("dispatch", dispatching.follow), ("escalation", escalating.follow))
ROUNDS = (timing.ROUND, *waiting.ROUNDS)

PEOPLE = {
    "op-1": (TeamKind.OPERATOR, False),
    "op-2": (TeamKind.OPERATOR, False),
    "op-lead": (TeamKind.OPERATOR, True),
    "steward-1": (TeamKind.STEWARD, False),
    "manager-1": (TeamKind.PROPERTY, True),
    "community-1": (TeamKind.COMMUNITY, False),
    "street-1": (TeamKind.STREET, False),
    "vol-1": (TeamKind.VOLUNTEER_POLICE, False),
    "vol-2": (TeamKind.VOLUNTEER_POLICE, False),
    "vol-3": (TeamKind.VOLUNTEER_POLICE, False),
    "vol-lead": (TeamKind.VOLUNTEER_POLICE, True),
    "guard-1": (TeamKind.GUARD, False),
}
"""Who there is; leads are at home, everybody else is on duty for the day."""


class Climb:
    """A story: what people do, and what is told by when."""

    def __init__(self, database: Database, *on_duty: str) -> None:
        self.database = database
        self.at = 0.0
        self._told: set[str] = set()
        with database.write() as session:
            for kind in {kind for kind, _ in PEOPLE.values()}:
                session.add(Team(id=str(kind), compound=COMPOUND, name=str(kind), kind=kind))
            session.flush()
            for name, (kind, leads) in PEOPLE.items():
                session.add(Responder(id=name, team=str(kind), name=name, leads=leads))
        self.on_duty(*(on_duty or (name for name, (_, leads) in PEOPLE.items() if not leads)))

    @property
    def now(self) -> dt.datetime:
        return START + dt.timedelta(seconds=self.at)

    def on_duty(self, *names: str, start: float = -3600, end: float = 10 * 3600) -> None:
        with self.database.write() as session:
            for name in names:
                session.add(
                    Shift(
                        id=new_id(),
                        responder=name,
                        starts_at=START + dt.timedelta(seconds=start),
                        ends_at=START + dt.timedelta(seconds=end),
                    )
                )

    def off_duty(self, name: str) -> None:
        with self.database.write() as session:
            for shift in session.scalars(select(Shift).where(Shift.responder == name)):
                shift.ends_at = self.now

    def incident(
        self,
        severity: int = 2,
        state: State = State.RAISED,
        *,
        kind: str = "door.forced",
        team: TeamKind = TeamKind.VOLUNTEER_POLICE,
        by: Actor = SYSTEM,
        reason: str | None = None,
        **more: object,
    ) -> str:
        """Raised, and moved to `state` in the same breath."""
        with self.database.write() as session:
            facts = {
                "rule": "R-B05",
                "ring": "building",
                "zone": "hall",
                "device_id": "hall-door",
                "signal_count": 1,
                "needs_comparison": False,
                "reason": "door_forced",
                "reason_args": {},
                "held": False,
                "escalation": 0,
            } | more
            row = Incident(
                id=new_id(),
                compound=COMPOUND,
                kind=kind,
                severity=severity,
                state=State.RAISED,
                version=0,
                happened_at=self.now,
                raised_at=self.now,
                last_signal_at=self.now,
                team=str(team),
                **facts,
            )
            session.add(row)
            session.flush()
            record(session, row, State.RAISED, SYSTEM, self.now)
            if state is not State.RAISED:
                record(session, row, state, by, self.now, reason=reason)
            key = row.id
        self.react()
        return key

    def step(self, incident: str, to: State, actor: Actor = OPERATOR, **more: object) -> None:
        with self.database.write() as session:
            take_step(session, incident, Step(to, **more), actor, self.now)
        self.react()

    def send(self, incident: str, *names: str) -> None:
        with self.database.write() as session:
            actions.choose(session, incident, names, OPERATOR, self.now)
        self.react()

    def does(self, incident: str, name: str, what: str, *more: object) -> str:
        """One tap on somebody's phone; gives the state of their dispatch after it."""
        act = getattr(actions, what, None) or getattr(needing, what)
        with self.database.write() as session:
            key = session.scalars(
                select(Dispatch.id).where(Dispatch.incident == incident, Dispatch.responder == name)
            ).one()
        with self.database.write() as session:
            state = str(act(session, key, name, *more, self.now).state)
        self.react()
        return state

    def react(self) -> None:
        while reactions.react(self.database, FOLLOW, lambda: self.now, self._fails):
            pass

    def passes(self, seconds: float, *, every: float = 1.0) -> None:
        end = self.at + seconds
        while self.at < end:
            self.at = min(end, self.at + every)
            rounds.keep(self.database, ROUNDS, lambda: self.now, self._fails)
            self.react()

    def told(self) -> list[tuple[str, str]]:
        """(receiver, purpose) of what is new since the last look, by receiver."""
        with self.database.read() as session:
            rows = session.scalars(select(Notification).order_by(Notification.responder)).all()
            fresh = [row for row in rows if row.id not in self._told]
            self._told |= {row.id for row in fresh}
            return [(row.responder, str(row.purpose)) for row in fresh]

    def standing(self) -> list[tuple[str, str]]:
        """(receiver, purpose) of what is still to be told."""
        with self.database.read() as session:
            query = select(Notification).where(Notification.due_at.is_not(None))
            return sorted((row.responder, str(row.purpose)) for row in session.scalars(query))

    def of(self, incident: str) -> Incident:
        with self.database.read() as session:
            row = session.get_one(Incident, incident)
            session.expunge_all()
        return row

    def states(self, incident: str) -> dict[str, str]:
        with self.database.read() as session:
            rows = session.execute(
                select(Dispatch.responder, Dispatch.state).where(Dispatch.incident == incident)
            )
            return {name: str(state) for name, state in rows}

    def _fails(self, name: str) -> None:
        raise AssertionError(f"{name} failed")
