"""A compound with houses, mediators and technicians, and people who report."""

import datetime as dt
from collections.abc import Callable

from sqlalchemy import select

from alerts import reactions
from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State, Step
from alerts.incidents.models import Incident
from alerts.intake import reaction
from alerts.intake.kinds import Danger, ReportKind
from alerts.intake.taking import Reporter, Taken, Told, take
from alerts.notify.models import Notification
from registry.models import Building
from storage import Database

COMPOUND = "willow"
NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
OPERATOR = Actor("operator-1", "operator")


def settle(database: Database) -> None:
    """3幢 is alone in its zone, 4幢 and 5幢 share one."""
    with database.write() as session:
        for building, zone in (("b3", "hall"), ("b4", "square"), ("b5", "square")):
            session.add(
                Building(
                    id=building, compound=COMPOUND, zone=zone, name=f"{building[1]}幢",
                    x=0, y=0, width=9, height=9,
                )
            )  # fmt: skip
        for team, kind in (("mediators", TeamKind.MEDIATION), ("property", TeamKind.PROPERTY)):
            session.add(Team(id=team, compound=COMPOUND, name=team, kind=kind))
        session.flush()
        for name, team, more in (
            ("mei", "mediators", {}),
            ("mo", "mediators", {}),
            ("pan", "property", {"leads": True}),
            ("tian", "property", {"skills": ["technical"]}),
            ("gu", "property", {}),
        ):
            session.add(Responder(id=name, team=team, name=f"{name} 某", **more))


class Desk:
    """Takes reports and steps, and does what follows."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW

    def later(self, **delta: float) -> None:
        self.now += dt.timedelta(**delta)

    def report(
        self,
        kind: ReportKind,
        *,
        by: str = "u1",
        danger: Danger = Danger.NONE,
        responder: str | None = None,
        person: str | None = None,
        **told: object,
    ) -> Taken:
        told.setdefault("building", "b3")
        with self.database.write() as session:
            taken = take(
                session,
                COMPOUND,
                Reporter(by, "resident", responder, person),
                Told(kind, danger, **told),
                self.now,
            )
            session.flush()
            session.expunge_all()
        return taken

    def step(self, incident: str, to: State, **more: object) -> None:
        with self.database.write() as session:
            take_step(session, incident, Step(to, **more), OPERATOR, self.now)

    def follow(self) -> None:
        failed: list[str] = []
        while reactions.react(self.database, [("intake", reaction.follow)], lambda: self.now, failed.append):
            pass
        assert failed == []

    def incidents(self) -> list[Incident]:
        return self.all(Incident)

    def told(self) -> list[Notification]:
        return self.all(Notification)

    def all(self, table: type, *where: object) -> list:
        with self.database.read() as session:
            rows = list(session.scalars(select(table).where(*where)))
            session.expunge_all()
        return rows

    def write(self, work: Callable) -> object:
        with self.database.write() as session:
            return work(session)
