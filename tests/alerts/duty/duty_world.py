"""Teams of a small compound, and what they are told, on a clock that only the story moves."""

import datetime as dt
from zoneinfo import ZoneInfo

from sqlalchemy import select
from timeline import COMPOUND

from alerts.duty import rostering
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.duty.roster import Rotation, Slot
from alerts.duty.rounds import ROUNDS
from alerts.incidents.actor import Actor
from alerts.notify.models import Notification
from storage import Database

SHANGHAI = ZoneInfo("Asia/Shanghai")
MANAGER = Actor("manager-1", "property_manager")
HOUR = dt.timedelta(hours=1)
# A Monday, ten in the morning.
MONDAY = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
BEGINS = dt.date(2026, 11, 1)

_TEAMS = {
    "control": (TeamKind.OPERATOR, ["o1", "o2", "o3", "o4"]),
    "guards": (TeamKind.GUARD, ["g1", "g2", "g3"]),
    "volunteers": (TeamKind.VOLUNTEER_POLICE, ["v1", "v2", "v3"]),
    "office": (TeamKind.PROPERTY, ["lead", "clerk"]),
}


def local(day: int, hour: float = 0, month: int = 11) -> dt.datetime:
    midnight = dt.datetime(2026, month, day, tzinfo=SHANGHAI)
    return (midnight + hour * HOUR).astimezone(dt.UTC)


class Duty:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.at = MONDAY
        with database.write() as session:
            for team, (kind, people) in _TEAMS.items():
                session.add(Team(id=team, compound=COMPOUND, name=team, kind=kind))
                session.flush()
                for one in people:
                    session.add(Responder(id=one, team=team, name=f"{one} 某", leads=one == "lead"))

    def does(self, work, *args, **more):
        """`work(session, compound, …, at)` in a commit of its own; its result, detached."""
        with self.database.write() as session:
            made = work(session, COMPOUND, *args, self.at, **more)
            session.flush()
            session.expunge_all()
            return made

    def until(self, moment: dt.datetime) -> None:
        """Time passes; the rounds are kept every half hour and at the end."""
        while self.at < moment:
            self.at = min(moment, self.at + HOUR / 2)
            self.rounds()

    def rounds(self) -> None:
        for one in ROUNDS:
            with self.database.write() as session:
                one.do(session, self.at)

    def roster(self, team: str, *slots: Slot, **more):
        given = rostering.Definition(team, f"{team} roster", slots, **({"starts_on": BEGINS} | more))
        return self.does(rostering.create, given, MANAGER)

    def changed(self, row, team: str, *slots: Slot, **more):
        given = rostering.Definition(team, f"{team} roster", slots, **({"starts_on": BEGINS} | more))
        return self.does(rostering.change, row.id, row.version, given, MANAGER)

    def shifts(self, *who: str) -> list[Shift]:
        with self.database.read() as session:
            query = select(Shift).order_by(Shift.starts_at, Shift.responder)
            found = list(session.scalars(query.where(Shift.responder.in_(who)) if who else query))
            session.expunge_all()
        return found

    def who(self, start: dt.datetime, end: dt.datetime) -> list[tuple[str, float, float]]:
        """Who is on duty in a span, with hours since its beginning."""
        return [
            (row.responder, (row.starts_at - start) / HOUR, (row.ends_at - start) / HOUR)
            for row in self.shifts()
            if row.ends_at > start and row.starts_at < end
        ]

    def told(self, responder: str) -> list[str]:
        """What somebody was told, in order: why, or state where it was taken back."""
        with self.database.read() as session:
            rows = session.scalars(
                select(Notification)
                .where(Notification.responder == responder)
                .order_by(Notification.asked_at, Notification.key)
            )
            return [
                str(row.arguments["why"]) if row.ended_at is None else f"{row.arguments['why']}:{row.state}"
                for row in rows
            ]


def by_turns(*people: str, every: int = 1) -> Rotation:
    return Rotation(tuple((one,) for one in people), BEGINS, every)


def slot(key: str, starts: int, ends: int, rotation: Rotation, **more) -> Slot:
    return Slot(key, dt.time(starts % 24), dt.time(ends % 24), rotation, **more)
