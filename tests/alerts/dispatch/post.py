"""Two teams and their people, and an incident that is confirmed."""

import datetime as dt
from dataclasses import dataclass

from timeline import COMPOUND, START

from alerts.dispatch.models import Dispatch
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from storage import Database, new_id

HOUR = dt.timedelta(hours=1)


@dataclass
class Post:
    """The compound's people on one database. `lin`, `zhou` and `he` are volunteers, `qian` a guard."""

    database: Database

    def __post_init__(self) -> None:
        self.add(
            Team(id="guards", compound=COMPOUND, name="保安队", kind=TeamKind.GUARD),
            Team(id="watch", compound=COMPOUND, name="义警队", kind=TeamKind.VOLUNTEER_POLICE),
        )
        self.responder("qian", team="guards", post="gate")
        for name in ("lin", "zhou", "he"):
            self.responder(name)

    def add(self, *rows: object) -> None:
        with self.database.write() as session:
            for row in rows:
                session.add(row)
                session.flush()

    def responder(
        self, name: str, *, team: str = "watch", post: str | None = None, active: bool = True
    ) -> None:
        self.add(Responder(id=name, team=team, name=f"{name} of {team}", post=post, active=active))

    def on_duty(self, *names: str, start: dt.timedelta = -HOUR, end: dt.timedelta = HOUR) -> None:
        for name in names:
            self.add(Shift(id=new_id(), responder=name, starts_at=START + start, ends_at=START + end))

    def incident(
        self, state: State = State.CONFIRMED, *, team: str | None = "watch", zone: str = "hall"
    ) -> str:
        key = new_id()
        self.add(
            Incident(
                id=key,
                compound=COMPOUND,
                rule="R-B05",
                kind="door.forced",
                ring="building",
                zone=zone,
                device_id="hall-door",
                lane="hall",
                severity=2,
                state=state,
                version=2,
                happened_at=START,
                raised_at=START,
                last_signal_at=START,
                signal_count=1,
                active_key=None,
                needs_comparison=False,
                reason="door_forced",
                reason_args={},
                team=team,
            )
        )
        return key

    def of(self, incident: str) -> Incident:
        with self.database.read() as session:
            row = session.get_one(Incident, incident)
            session.expunge_all()
        return row

    def dispatch(self, key: str) -> Dispatch:
        with self.database.read() as session:
            row = session.get_one(Dispatch, key)
            session.expunge_all()
        return row
