"""A control room in which one shift follows another at ten in the morning."""

import datetime as dt

from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.incidents.actor import Actor
from storage import Database
from tests.support.compound import COMPOUND, settle_in

CHANGE = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
NIGHT = Actor("user-night", "operator")
DAY = Actor("user-day", "operator")


def later(**delta: float) -> dt.datetime:
    return CHANGE + dt.timedelta(**delta)


def shift(responder: str, start: float, end: float, **more: object) -> Shift:
    """Hours from the change."""
    return Shift(
        id=f"{responder}{start:+g}",
        responder=responder,
        starts_at=later(hours=start),
        ends_at=later(hours=end),
        **more,
    )


def staffed(database: Database) -> None:
    settle_in(database)
    with database.write() as session:
        session.add_all(
            [
                Team(id="control", compound=COMPOUND, name="监控室", kind=TeamKind.OPERATOR),
                Team(id="guards", compound=COMPOUND, name="门岗", kind=TeamKind.GUARD),
            ]
        )
        session.flush()
        for responder, team, leads in (
            ("op-night", "control", False),
            ("op-day", "control", False),
            ("op-lead", "control", True),
            ("guard", "guards", False),
        ):
            session.add(Responder(id=responder, team=team, name=f"名字{responder}", leads=leads))
        session.flush()
        session.add_all([shift("op-night", -8, 0), shift("op-day", 0, 8), shift("guard", -8, 0)])
