"""Routes and their schedules as people set them up, audited."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from alerts.duty.days import DayKind
from alerts.duty.models import Team
from alerts.incidents.actor import Actor
from alerts.patrols.checkpoints import add, flush, note, point, replan
from alerts.patrols.models import Checkpoint, PatrolPoint, PatrolRoute, PatrolSchedule
from alerts.patrols.planning import LATEST
from registry import rows
from registry.errors import RefusedError
from storage import new_id

LONGEST_ROUND: Final = dt.timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class RouteGiven:
    """A route as it is set up. `points` are checkpoints, in their order."""

    name: str
    team: str
    points: tuple[str, ...]
    in_order: bool = False
    least_s: int | None = None
    most_s: int | None = None
    tolerance_min: int = 10


@dataclass(frozen=True, slots=True)
class ScheduleGiven:
    """When a route is walked: `times` in minutes after midnight of a day of `weekdays` or `day_kinds`."""

    times: tuple[int, ...]
    lasts_min: int
    weekdays: tuple[int, ...] = ()
    day_kinds: tuple[str, ...] = ()


def add_route(session: Session, compound: str, given: RouteGiven, by: Actor, at: dt.datetime) -> PatrolRoute:
    """Raises `MissingError`, `RefusedError`: patrol_name_required, patrol_no_points, patrol_point_twice,
    patrol_pace, patrol_name_taken.
    """
    row = PatrolRoute(id=new_id(), compound=compound, name="", team="", created_at=at)
    _check_route(session, compound, given)
    _fill_route(row, given)
    add(session, row)
    _set_points(session, row, given.points)
    note(session, compound, "patrol.route_added", f"patrol_route:{row.id}", by, at)
    return row


def change_route(
    session: Session, compound: str, route_id: str, given: RouteGiven, by: Actor, at: dt.datetime
) -> PatrolRoute:
    """Rounds that have not begun go by what it is now; others by what it was. Raises as `add_route` does."""
    row = route(session, compound, route_id)
    _check_route(session, compound, given)
    _fill_route(row, given)
    flush(session)
    _set_points(session, row, given.points)
    note(session, compound, "patrol.route_changed", f"patrol_route:{row.id}", by, at)
    replan(session, compound, [row.id], at)
    return row


def retire_route(session: Session, compound: str, route_id: str, by: Actor, at: dt.datetime) -> PatrolRoute:
    """It is not walked any more; its checkpoints are free for others."""
    row = route(session, compound, route_id)
    row.retired_at = at
    session.execute(delete(PatrolPoint).where(PatrolPoint.route == row.id))
    for schedule in schedules(session, [row.id]):
        schedule.ended_at = at
    session.flush()
    note(session, compound, "patrol.route_retired", f"patrol_route:{row.id}", by, at)
    replan(session, compound, [row.id], at)
    return row


def add_schedule(
    session: Session, compound: str, route_id: str, given: ScheduleGiven, by: Actor, at: dt.datetime
) -> PatrolSchedule:
    """Raises `MissingError`, `RefusedError`: patrol_no_times, patrol_no_days, patrol_too_long."""
    row = route(session, compound, route_id)
    if not given.times or not all(0 <= one < LATEST for one in given.times):
        raise RefusedError("patrol_no_times")
    known = {str(kind) for kind in DayKind}
    if not given.weekdays and not given.day_kinds:
        raise RefusedError("patrol_no_days")
    if not set(given.weekdays) <= set(range(7)) or not set(given.day_kinds) <= known:
        raise RefusedError("patrol_no_days")
    if not 1 <= given.lasts_min <= LONGEST_ROUND.total_seconds() / 60:
        raise RefusedError("patrol_too_long", hours=12)
    schedule = PatrolSchedule(
        id=new_id(),
        compound=compound,
        route=row.id,
        weekdays=sorted(set(given.weekdays)),
        day_kinds=sorted(set(given.day_kinds)),
        times=sorted(set(given.times)),
        lasts_min=given.lasts_min,
    )
    session.add(schedule)
    session.flush()
    note(session, compound, "patrol.schedule_added", f"patrol_route:{row.id}", by, at)
    return schedule


def end_schedule(
    session: Session, compound: str, schedule_id: str, by: Actor, at: dt.datetime
) -> PatrolSchedule:
    """Rounds of it that have not begun are not walked."""
    row = rows.find(session, PatrolSchedule, compound, schedule_id, "patrol_schedule")
    row.ended_at = row.ended_at or at
    session.flush()
    note(session, compound, "patrol.schedule_ended", f"patrol_route:{row.route}", by, at)
    replan(session, compound, [row.route], at)
    return row


def route(session: Session, compound: str, route_id: str) -> PatrolRoute:
    """Raises `MissingError`, `RefusedError("patrol_route_retired")`."""
    row = rows.find(session, PatrolRoute, compound, route_id, "patrol_route")
    if row.retired_at is not None:
        raise RefusedError("patrol_route_retired")
    return row


def points_of(session: Session, route_id: str) -> list[Checkpoint]:
    """A route's checkpoints, in their order."""
    query = (
        select(Checkpoint)
        .join(PatrolPoint, PatrolPoint.checkpoint == Checkpoint.id)
        .where(PatrolPoint.route == route_id)
        .order_by(PatrolPoint.number)
    )
    return list(session.scalars(query))


def schedules(session: Session, routes: Sequence[str]) -> list[PatrolSchedule]:
    """What holds of the schedules of some routes."""
    query = select(PatrolSchedule).where(PatrolSchedule.route.in_(routes), PatrolSchedule.ended_at.is_(None))
    return list(session.scalars(query.order_by(PatrolSchedule.id)))


def _check_route(session: Session, compound: str, given: RouteGiven) -> None:
    if not given.name.strip():
        raise RefusedError("patrol_name_required")
    rows.find(session, Team, compound, given.team, "team")
    if not given.points:
        raise RefusedError("patrol_no_points")
    if len(set(given.points)) < len(given.points):
        raise RefusedError("patrol_point_twice")
    for one in given.points:
        if point(session, compound, one).retired_at is not None:
            raise RefusedError("patrol_point_retired")
    if given.least_s is not None and given.most_s is not None and given.least_s > given.most_s:
        raise RefusedError("patrol_pace")


def _fill_route(row: PatrolRoute, given: RouteGiven) -> None:
    row.name, row.team, row.in_order = given.name.strip(), given.team, given.in_order
    row.least_s, row.most_s, row.tolerance_min = given.least_s, given.most_s, given.tolerance_min


def _set_points(session: Session, row: PatrolRoute, points: Sequence[str]) -> None:
    session.execute(delete(PatrolPoint).where(PatrolPoint.route == row.id))
    session.add_all(
        PatrolPoint(route=row.id, number=number, checkpoint=one) for number, one in enumerate(points, 1)
    )
    session.flush()
