"""Rounds and visits go when their time is over; those who walk on, and the routes, stay."""

import datetime as dt

from sqlalchemy import select

from alerts.duty.models import Responder, Team, TeamKind
from alerts.patrols.models import (
    Checkpoint,
    How,
    PatrolPoint,
    PatrolRound,
    PatrolRoute,
    PatrolVisit,
    PointKind,
    RoundState,
)
from privacy.retention import RetentionPolicy, run
from registry.models import Zone
from storage import Database, new_id
from tests.support import keeping
from tests.support.compound import COMPOUND
from tests.support.keeping import DAY, NOW


def test_rounds_and_visits_go_with_the_incidents_of_their_time(
    either_database: Database, media, vault
) -> None:
    database = either_database
    keeping.settle_in(database)
    old = NOW - (RetentionPolicy().incidents + 2) * DAY
    with database.write() as session:
        session.add(Team(id="walkers", compound=COMPOUND, name="t", kind=TeamKind.GUARD))
        session.flush()
        session.add(Responder(id="li", team="walkers", name="甲"))
        zone = session.scalars(select(Zone.id).where(Zone.compound == COMPOUND)).first()
        if zone is None:
            zone = "yard"
            session.add(Zone(id=zone, compound=COMPOUND, name="y", ring="common", kind="y", outline=[[0, 0]]))
            session.flush()
        session.add(Checkpoint(id="p", compound=COMPOUND, name="p", zone=zone, kind=PointKind.QR))
        session.add(PatrolRoute(id="r", compound=COMPOUND, name="r", team="walkers", created_at=old))
        session.flush()
        session.add(PatrolPoint(route="r", number=1, checkpoint="p"))
        for name, at in (("old", old), ("new", NOW)):
            session.add(
                PatrolRound(
                    id=name,
                    compound=COMPOUND,
                    route="r",
                    due_from=at,
                    due_until=at + dt.timedelta(minutes=30),
                    counts_until=at + dt.timedelta(minutes=40),
                    responder="li",
                    state=RoundState.DONE,
                    plan={"name": "r", "points": []},
                )
            )
            session.flush()
            for of_round in (name, None):
                session.add(
                    PatrolVisit(
                        id=f"{name}-{of_round}",
                        compound=COMPOUND,
                        client=new_id(),
                        round=of_round,
                        checkpoint="p",
                        responder="li",
                        how=How.QR,
                        at=at,
                        received_at=at,
                    )
                )
    run(database, media, vault, RetentionPolicy(), NOW, sleep=lambda _s: None)
    with database.read() as session:
        assert list(session.scalars(select(PatrolRound.id))) == ["new"]
        assert sorted(session.scalars(select(PatrolVisit.id))) == ["new-None", "new-new"]
        assert list(session.scalars(select(PatrolRoute.id))) == ["r"]
