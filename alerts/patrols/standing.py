"""How a round stands: its row and its visits, put before the judge."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Shift
from alerts.patrols.judging import Judgement, Plan, Seen, judge
from alerts.patrols.models import Checkpoint, How, PatrolRound, PatrolRoute, PatrolVisit


@dataclass(frozen=True, slots=True)
class Point:
    """A checkpoint as it was when the round was planned; `device` its reader."""

    id: str
    name: str
    zone: str
    device: str | None


@dataclass(frozen=True)
class Standing:
    """A round, its points in their order, who came by, and what that comes to."""

    row: PatrolRound
    points: tuple[Point, ...]
    visits: tuple[PatrolVisit, ...]
    judged: Judgement


def written(route: PatrolRoute, points: Iterable[Checkpoint]) -> dict[str, Any]:
    """A route as it is now, as a round's plan."""
    return {
        "name": route.name,
        "in_order": route.in_order,
        "least_s": route.least_s,
        "most_s": route.most_s,
        "tolerance_min": route.tolerance_min,
        "points": [
            {"id": one.id, "name": one.name, "zone": one.zone, "device": one.device} for one in points
        ],
    }


def points_of(row: PatrolRound) -> tuple[Point, ...]:
    """A round's points, in their order."""
    return tuple(Point(one["id"], one["name"], one["zone"], one["device"]) for one in row.plan["points"])


def plan_of(row: PatrolRound) -> Plan:
    """A round's plan, for the judge."""
    plan = row.plan
    return Plan(
        tuple(one["id"] for one in plan["points"]),
        row.due_from,
        row.due_until,
        plan["in_order"],
        _seconds(plan["least_s"]),
        _seconds(plan["most_s"]),
        dt.timedelta(minutes=plan["tolerance_min"]),
    )


def standing(session: Session, rounds: Sequence[PatrolRound], now: dt.datetime) -> list[Standing]:
    """How rounds stand at `now`, in their order."""
    visits: dict[str, list[PatrolVisit]] = {row.id: [] for row in rounds}
    found = session.scalars(
        select(PatrolVisit).where(PatrolVisit.round.in_(visits)).order_by(PatrolVisit.at, PatrolVisit.id)
    )
    for visit in found:
        visits[visit.round or ""].append(visit)
    duty = _duty(session, [visit for some in visits.values() for visit in some])
    return [
        Standing(
            row,
            points_of(row),
            tuple(visits[row.id]),
            judge(plan_of(row), map(seen, visits[row.id]), _judged_at(row, now), duty),
        )
        for row in rounds
    ]


def seen(visit: PatrolVisit) -> Seen:
    """A visit, for the judge."""
    return Seen(
        visit.client,
        visit.checkpoint,
        visit.at,
        visit.responder,
        told_late=visit.told_late,
        by_hand=visit.how == How.HAND,
        old_code=visit.old_code,
    )


def _judged_at(row: PatrolRound, now: dt.datetime) -> dt.datetime:
    # What a broken-off round has not come by is missed at once.
    return max(now, row.counts_until + dt.timedelta(seconds=1)) if row.state == "aborted" else now


def _seconds(value: int | None) -> dt.timedelta | None:
    return None if value is None else dt.timedelta(seconds=value)


def _duty(
    session: Session, visits: Collection[PatrolVisit]
) -> Mapping[str, Sequence[tuple[dt.datetime, dt.datetime]]]:
    """Shifts about the visits of those who came by; a team without a roster has none, and nothing is said."""
    people = {visit.responder for visit in visits if visit.responder is not None}
    if not people:
        return {}
    first, last = min(visit.at for visit in visits), max(visit.at for visit in visits)
    day = dt.timedelta(days=1)
    found: dict[str, list[tuple[dt.datetime, dt.datetime]]] = {}
    rows = session.execute(
        select(Shift.responder, Shift.starts_at, Shift.ends_at).where(
            Shift.responder.in_(people), Shift.ends_at > first - day, Shift.starts_at < last + day
        )
    )
    for row in rows:
        found.setdefault(row.responder, []).append((row.starts_at, row.ends_at))
    return found
