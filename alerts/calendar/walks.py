"""Rounds of the patrol tables: points that are due, and who was said to have come by."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from alerts.calendar.places import Places
from alerts.patrols.models import Checkpoint, How, PatrolRound, PatrolVisit, RoundState
from alerts.patrols.standing import points_of
from alerts.rules import Observation
from alerts.rules.engine import LIVE_WINDOW

Covered = Callable[[str, dt.datetime], bool]
"""(device or zone, moment): whether a round of the tables comes by there then."""


def between(session: Session, places: Places, start: dt.datetime, end: dt.datetime) -> Iterator[Observation]:
    """`patrol.due` when a planned round's time ends, of each of its points; `patrol.checkin` of visits.

    A round that was broken off before its end is due at no point: that it was is told the control room
    by whoever broke it off, and why. A visit that is told of long after it was is news of the moment at
    which it was told. What a reader has reported is heard from the reader.
    """
    yield from _due(session, places, start, end)
    yield from _came(session, places, start, end)


def touched(start: dt.datetime, end: dt.datetime) -> Iterator[Select[str]]:
    """Compounds of which `between` may have something to say."""
    yield select(PatrolRound.compound).where(PatrolRound.due_until >= start, PatrolRound.due_until < end)
    yield select(PatrolVisit.compound).where(PatrolVisit.received_at >= start, PatrolVisit.received_at < end)


def covered(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> Covered:
    """What the tables say of the time from `start` to `end`: there they go before the rules file."""
    spans: dict[str, list[tuple[dt.datetime, dt.datetime]]] = {}
    for row in session.scalars(
        select(PatrolRound).where(
            PatrolRound.compound == compound,
            PatrolRound.schedule.is_not(None),
            PatrolRound.counts_until >= start,
            PatrolRound.due_until >= start - dt.timedelta(days=1),
            PatrolRound.due_from < end + dt.timedelta(days=1),
        )
    ):
        span = (row.due_from - dt.timedelta(minutes=row.plan["tolerance_min"]), row.counts_until)
        for point in points_of(row):
            spans.setdefault(point.zone, []).append(span)
            if point.device is not None:
                spans.setdefault(point.device, []).append(span)
    return lambda place, moment: any(begins <= moment <= ends for begins, ends in spans.get(place, ()))


def _due(session: Session, places: Places, start: dt.datetime, end: dt.datetime) -> Iterator[Observation]:
    rows = session.scalars(
        select(PatrolRound)
        .where(
            PatrolRound.compound == places.compound,
            PatrolRound.schedule.is_not(None),
            PatrolRound.due_until >= start,
            PatrolRound.due_until < end,
        )
        .order_by(PatrolRound.due_until, PatrolRound.id)
    )
    for row in rows:
        broken_off = row.state == RoundState.ABORTED
        if broken_off and row.ended_at is not None and row.ended_at < row.due_until:
            continue
        tolerance = row.plan["tolerance_min"]
        since = row.due_from - dt.timedelta(minutes=tolerance)
        for point in points_of(row):
            where = places.of_device(point.device) if point.device is not None else None
            yield places.observation(
                "patrol.due",
                row.due_until,
                row.id,
                point.id,
                zone=where[0] if where is not None else point.zone,
                device=point.device or "",
                lane=where[1] if where is not None else None,
                attributes={
                    "round": row.plan["name"],
                    "due": row.due_until.isoformat(),
                    "checkpoint": point.name,
                    "point": point.id,
                    "walk": row.id,
                    "early_min": (row.due_until - since).total_seconds() / 60,
                    "grace_min": tolerance,
                },
            )


def _came(session: Session, places: Places, start: dt.datetime, end: dt.datetime) -> Iterator[Observation]:
    rows = session.execute(
        select(PatrolVisit, Checkpoint.zone, Checkpoint.device)
        .join(Checkpoint, Checkpoint.id == PatrolVisit.checkpoint)
        .where(
            PatrolVisit.compound == places.compound,
            PatrolVisit.received_at >= start,
            PatrolVisit.received_at < end,
            PatrolVisit.how != How.READER,
            ~PatrolVisit.old_code,
        )
        .order_by(PatrolVisit.received_at, PatrolVisit.id)
    )
    for visit, zone, device in rows:
        fresh = visit.received_at - visit.at <= LIVE_WINDOW
        said = places.observation(
            "patrol.checkin",
            visit.at if fresh else visit.received_at,
            visit.id,
            zone=zone,
            device=device or "",
            attributes={"point": visit.checkpoint, "walk": visit.round or ""},
        )
        yield dataclasses.replace(said, received_at=visit.received_at)
