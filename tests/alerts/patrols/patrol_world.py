"""A compound that is walked: a team on duty, three checkpoints, a route, and a clock that only the test moves."""

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import select
from timeline import COMPOUND

from alerts import calendar
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.incidents.actor import Actor
from alerts.notify.models import Notification
from alerts.patrols import checkpoints, keeping, readers, routes, visiting, walking
from alerts.patrols.checkpoints import PointGiven
from alerts.patrols.models import How, PatrolRound, PatrolVisit, PointKind
from alerts.patrols.routes import RouteGiven, ScheduleGiven
from alerts.patrols.standing import Standing, standing
from alerts.patrols.visiting import Told
from alerts.rules import Observation
from devices.models import Device, DeviceKind, Stage
from storage import Database, new_id
from storage.events import EventRow

MANAGER = Actor("manager", "property_manager")
# Ten in the evening of a Monday by the compound's clock.
EVENING = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
READER = "square-point"


class Nothing:
    patrols = ()
    posts = ()


def at(minutes: float) -> dt.datetime:
    return EVENING + minutes * MINUTE


@dataclass
class Patrols:
    """`codes` are those of the checkpoints by name."""

    database: Database
    codes: dict[str, str] = field(default_factory=dict)
    points: dict[str, str] = field(default_factory=dict)
    route: str = ""
    schedule: str = ""

    def settle_in(self, kind: TeamKind = TeamKind.GUARD, **more: object) -> "Patrols":
        with self.database.write() as session:
            for team, of in (("walkers", kind), ("room", TeamKind.OPERATOR)):
                session.add(Team(id=team, compound=COMPOUND, name=team, kind=of))
            session.flush()
            for name, team in (("li", "walkers"), ("wang", "walkers"), ("op", "room")):
                session.add(Responder(id=name, team=team, name="甲"))
            session.add(
                Device(
                    id=READER,
                    compound=COMPOUND,
                    zone="square",
                    kind=DeviceKind.SENSOR,
                    name="point",
                    secret_hash="",
                    stage=Stage.APPROVED,
                )
            )
            session.flush()
            for name in ("li", "wang", "op"):
                session.add(self.shift(name, -120, 600))
            for name, zone, kind_of, device in (
                ("gate", "gate", PointKind.QR, None),
                ("square", "square", PointKind.READER, READER),
                ("hall", "hall", PointKind.NFC, None),
            ):
                given = PointGiven(name, zone, kind_of, device)
                row, code = checkpoints.add_point(session, COMPOUND, given, MANAGER, at(-600))
                self.points[name] = row.id
                if code is not None:
                    self.codes[name] = code
            given_route = RouteGiven("night", "walkers", tuple(self.points.values()), **more)
            self.route = routes.add_route(session, COMPOUND, given_route, MANAGER, at(-600)).id
            hours = ScheduleGiven((22 * 60,), 30, weekdays=(0,))
            self.schedule = routes.add_schedule(session, COMPOUND, self.route, hours, MANAGER, at(-600)).id
        return self

    @staticmethod
    def shift(responder: str, begins: float, ends: float, **more: object) -> Shift:
        return Shift(id=new_id(), responder=responder, starts_at=at(begins), ends_at=at(ends), **more)

    def turn(self, minutes: float) -> int:
        """What comes back with time, at that minute."""
        with self.database.write() as session:
            done = readers.take(session, at(minutes), lambda *_: None)
            return done + keeping.keep(session, at(minutes))

    def round(self) -> PatrolRound:
        with self.database.read() as session:
            row = session.scalars(select(PatrolRound)).one()
            session.expunge_all()
            return row

    def rounds(self) -> list[PatrolRound]:
        with self.database.read() as session:
            rows = list(session.scalars(select(PatrolRound).order_by(PatrolRound.due_from)))
            session.expunge_all()
            return rows

    def standing(self, minutes: float) -> Standing:
        with self.database.read() as session:
            (stands,) = standing(session, session.scalars(select(PatrolRound)).all(), at(minutes))
            session.expunge_all()
            return stands

    def begins(self, minutes: float, by: str = "li") -> None:
        with self.database.write() as session:
            walking.start(session, COMPOUND, self.round().id, by, at(minutes))

    def scans(
        self,
        name: str,
        minutes: float,
        *,
        by: str = "li",
        client: str | None = None,
        told: float | None = None,
        code: str | None = None,
    ) -> tuple[PatrolVisit, bool]:
        """By the code on the wall; `told` is when the phone found a network."""
        with self.database.write() as session:
            point, old = visiting.by_code(session, COMPOUND, code or self.codes[name])
            visit = Told(
                client or new_id(),
                at(minutes),
                at(minutes if told is None else told),
                How.QR,
                by,
                old_code=old,
            )
            row, is_new = visiting.visit(session, COMPOUND, point, visit)
            session.flush()
            session.refresh(row)
            session.expunge(row)
            return row, is_new

    def reports(self, minutes: float, kind: str = "patrol.checkin") -> None:
        """The reader says that somebody held a tag before it."""
        moment = at(minutes)
        with self.database.write() as session:
            session.add(
                EventRow(
                    id=new_id(),
                    compound=COMPOUND,
                    device_id=READER,
                    record_id=new_id(),
                    type=kind,
                    ring="common",
                    zone="square",
                    device_time=moment,
                    corrected_time=moment,
                    received_at=moment,
                    late=False,
                    marks=[],
                    body={},
                    content_hash="0" * 32,
                )
            )

    def told(self) -> list[tuple[str, str]]:
        """What somebody was asked to be told: (why, whom)."""
        with self.database.read() as session:
            rows = session.scalars(select(Notification).order_by(Notification.asked_at, Notification.key))
            return [(row.arguments["why"], row.responder) for row in rows]

    def calendar(self, begins: float, ends: float, plans: object = Nothing) -> list[Observation]:
        with self.database.read() as session:
            return calendar.between(session, COMPOUND, at(begins), at(ends), plans)
