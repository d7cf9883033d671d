"""A missed point of the tables, live: one incident by the rules' way, once whoever holds the compound."""

import datetime as dt

import pytest
from patrol_world import MANAGER
from shifts import Shift
from timeline import COMPOUND

from alerts.duty.models import Responder, Team, TeamKind
from alerts.patrols import checkpoints, keeping, routes, visiting
from alerts.patrols.checkpoints import PointGiven
from alerts.patrols.models import How, PointKind
from alerts.patrols.routes import RouteGiven, ScheduleGiven
from alerts.patrols.visiting import Told


@pytest.fixture
def code(shift: Shift) -> str:
    """A point in the square, due by one minute from now, with a minute's tolerance."""
    now = shift.clock.now()
    with shift.database.write() as session:
        session.add(Team(id="walkers", compound=COMPOUND, name="walkers", kind=TeamKind.GUARD))
        session.flush()
        session.add(Responder(id="li", team="walkers", name="甲"))
        session.flush()
        point, code = checkpoints.add_point(
            session, COMPOUND, PointGiven("square", "square", PointKind.QR), MANAGER, now
        )
        given = RouteGiven("night", "walkers", (point.id,), tolerance_min=1)
        route = routes.add_route(session, COMPOUND, given, MANAGER, now)
        # The story begins at ten in the morning of a Monday.
        hours = ScheduleGiven((600,), 1, weekdays=(0,))
        routes.add_schedule(session, COMPOUND, route.id, hours, MANAGER, now)
        keeping.plan(session, now)
    assert code is not None
    return code


def scan(shift: Shift, code: str, *, ago: float = 0) -> None:
    now = shift.clock.now()
    with shift.database.write() as session:
        point, _ = visiting.by_code(session, COMPOUND, code)
        told = Told("a-visit", now - dt.timedelta(seconds=ago), now, How.QR, "li")
        visiting.visit(session, COMPOUND, point, told)


@pytest.mark.parametrize("dies_at", [None, 30, 60, 62, 121])
def test_a_missed_point_is_one_incident_whenever_the_holder_dies(
    shift: Shift, code: str, dies_at: int | None
) -> None:
    shift.take_over()
    if dies_at is not None:
        shift.passes(dies_at)
        shift.tells()
        shift.dies()
        shift.take_over()
        shift.evaluator.take([], is_end=True)
    shift.passes(180)
    assert shift.rules() == ["R-C11"]
    (incident,) = shift.incidents()
    assert (incident.severity, incident.zone, incident.signal_count) == (4, "square", 1)


@pytest.mark.parametrize(("after", "ago"), [(5, 0), (100, 0), (110, 60)])
def test_a_point_that_was_come_by_raises_nothing(shift: Shift, code: str, after: int, ago: int) -> None:
    shift.take_over()
    shift.passes(after)
    scan(shift, code, ago=ago)
    shift.passes(180)
    assert shift.rules() == []


def test_a_visit_that_is_told_after_the_incident_clears_it(shift: Shift, code: str) -> None:
    shift.take_over()
    shift.passes(140)
    assert [one.state for one in shift.incidents()] == ["raised"]
    scan(shift, code, ago=120)
    shift.passes(20)
    assert [one.state for one in shift.incidents()] == ["auto_cleared"]
