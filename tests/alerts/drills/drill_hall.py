"""A hall in which drills are played beside what is real."""

import datetime as dt

from sqlalchemy import select

from alerts.drills import playing
from alerts.drills.models import Drill
from alerts.drills.results import results
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.incidents import raising
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import Step
from alerts.rules import Observation, Signal

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
MANAGER = Actor("manager", "property_manager")
OPERATOR = Actor("operator-1", "operator")
S = dt.timedelta(seconds=1)


class Hall:
    def __init__(self, database):
        self.database = database
        self.now = NOW

    def write(self, work):
        with self.database.write() as session:
            return work(session)

    def start(self, scenario="sos", **more):
        return self.write(
            lambda session: playing.start(session, "willow", scenario, MANAGER, self.now, **more).id
        )

    def keep(self):
        return self.write(lambda session: playing.keep(session, self.now))

    def end(self, drill, by=MANAGER):
        self.write(lambda session: playing.end(session, "willow", drill, by, self.now))

    def step(self, incident, to, **more):
        self.write(lambda session: take_step(session, incident, Step(to, **more), OPERATOR, self.now))

    def all(self, table):
        with self.database.read() as session:
            rows = list(session.scalars(select(table)))
            session.expunge_all()
        return rows

    def real(self, kind="person.needs_help", rule="R-C08", severity=1, key="R-C08:square"):
        seen = Observation(
            id=f"o-{self.now.isoformat()}-{key}", type="alarm.sos", at=self.now, received_at=self.now,
            device="sos-1", zone="square", ring="common",
        )  # fmt: skip
        signal = Signal(rule, kind, severity, key, dt.timedelta(minutes=5), seen, (), "sos", {"night": False})
        return self.write(
            lambda session: raising.apply_all(session, "willow", [signal], self.now)[0].incident.id
        )

    def results(self, drill):
        with self.database.read() as session:
            return results(session, session.get_one(Drill, drill))


def enlist(hall, *names, kind=TeamKind.GUARD):
    def work(session):
        session.add(Team(id="guards", compound="willow", name="保安", kind=kind))
        session.flush()
        for name in names:
            session.add(Responder(id=name, team="guards", name=name))
        session.flush()
        for name in names:
            session.add(
                Shift(id=f"s-{name}", responder=name, starts_at=NOW - 3600 * S, ends_at=NOW + 36000 * S)
            )

    hall.write(work)
