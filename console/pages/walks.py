"""Rounds under way, as the plan draws them: where each came by last, and where it is due next.

A round is drawn by its route's name: who walks it is no matter of the plan's.
"""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.patrols.models import PatrolRound, RoundState
from alerts.patrols.standing import Point, Standing, standing
from console.pages.planshapes import Walk, WalkPoint

_MOST: Final = 12


def walks_of(session: Session, compound: str, now: dt.datetime) -> tuple[Walk, ...]:
    """At most so many rounds that somebody walks now, those that end first first."""
    rows = session.scalars(
        select(PatrolRound)
        .where(PatrolRound.compound == compound, PatrolRound.state == RoundState.UNDER_WAY)
        .order_by(PatrolRound.due_until, PatrolRound.id)
        .limit(_MOST)
    ).all()
    return tuple(_walk(one, now) for one in standing(session, rows, now)) if rows else ()


def _walk(one: Standing, now: dt.datetime) -> Walk:
    visited = one.judged.visited
    last = max((p for p in one.points if p.id in visited), key=lambda p: visited[p.id], default=None)
    following = _next(one, last)
    passed_at = visited[last.id] if last is not None else None
    due_at = _due(one, passed_at) if following is not None else None
    return Walk(
        name=str(one.row.plan["name"]),
        last=_point(last),
        passed_at=passed_at,
        next=_point(following),
        due_at=due_at,
        late=due_at is not None and now > due_at,
        done=len(visited),
        total=len(one.points),
    )


def _next(one: Standing, last: Point | None) -> Point | None:
    """The next point that is missing, after the last one and round again; of a route without an order
    nobody knows which, so none is said unless it is the only one left.
    """
    missing = [p for p in one.points if p.id in one.judged.missing]
    if not missing or (not one.row.plan["in_order"] and len(missing) > 1):
        return None
    order = {p.id: n for n, p in enumerate(one.points)}
    after = [p for p in missing if last is None or order[p.id] > order[last.id]]
    return (after or missing)[0]


def _due(one: Standing, passed_at: dt.datetime | None) -> dt.datetime:
    most = one.row.plan["most_s"]
    if passed_at is None or most is None:
        return one.row.due_until
    return min(one.row.due_until, passed_at + dt.timedelta(seconds=most))


def _point(point: Point | None) -> WalkPoint | None:
    return None if point is None else WalkPoint(point.name, point.zone, point.device)
