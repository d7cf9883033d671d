"""The way of an incident through the rings: where it was seen, in order, and where nobody could have seen.

It stands on what the incident stands on, and on what was seen of the same person or plate around it.
Between two steps nothing is claimed: "nothing seen" is not "nobody there".
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from alerts.incidents.models import Evidence, Incident
from console.pages.planshapes import Step
from console.texts import Texts
from recognition.models import DecisionRow
from storage.events import EventRow

_BEFORE: Final = dt.timedelta(hours=2)
_AFTER: Final = dt.timedelta(minutes=30)
_SIGNALS: Final = 60
_SIGHTINGS: Final = 60
MOST: Final = 24
"""More steps than this nobody can follow on a plan; the first ones are drawn."""
_TELLS: Final = frozenset({"device.offline", "device.online", "device.heartbeat"})


def way_of(session: Session, incident: Incident, t: Texts) -> tuple[Step, ...]:
    """The steps of an incident's way, the earliest first."""
    ids = _events_behind(session, incident) | _sightings(session, incident)
    rows = session.execute(
        select(EventRow.corrected_time, EventRow.zone, EventRow.device_id, EventRow.type)
        .where(EventRow.id.in_(ids), EventRow.compound == incident.compound)
        .order_by(EventRow.corrected_time, EventRow.id)
    )
    seen = [
        Step(row.corrected_time, row.zone, row.device_id, t.code("event", row.type))
        for row in rows
        if row.type not in _TELLS
    ]
    return with_gaps(_changes(seen)[:MOST], incident.blind)


def with_gaps(steps: Sequence[Step], blind: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The same steps, each knowing whether a device was blind on the way to it.

    `blind` are spans as an incident keeps them: {device, start, end, why}, ISO 8601.
    """
    spans = [tuple(dt.datetime.fromisoformat(str(one[name])) for name in ("start", "end")) for one in blind]
    found: list[Step] = []
    for step in steps:
        dark = bool(found) and any(start < step.at and end > found[-1].at for start, end in spans)
        found.append(Step(step.at, step.zone, step.device, step.what, blind_before=dark))
    return tuple(found)


def _changes(seen: Sequence[Step]) -> list[Step]:
    """What one device says of one thing over and over is one step."""
    return [
        step
        for n, step in enumerate(seen)
        if n == 0 or (step.device, step.what) != (seen[n - 1].device, seen[n - 1].what)
    ]


def _events_behind(session: Session, incident: Incident) -> set[str]:
    rows = session.scalars(
        select(Evidence.event_ids)
        .where(Evidence.incident == incident.id)
        .order_by(Evidence.at, Evidence.signal_id)
        .limit(_SIGNALS)
    )
    return {event for ids in rows for event in ids}


def _sightings(session: Session, incident: Incident) -> set[str]:
    """What was seen of the same person or plate shortly before and during the incident."""
    if incident.subject is None or incident.subject_kind not in {"person", "plate"}:
        return set()
    same: ColumnElement[bool] = (
        DecisionRow.person_id == incident.subject
        if incident.subject_kind == "person"
        else DecisionRow.plate == incident.subject
    )
    rows = session.scalars(
        select(DecisionRow.event_id)
        .where(
            DecisionRow.compound == incident.compound,
            DecisionRow.at >= incident.happened_at - _BEFORE,
            DecisionRow.at <= incident.last_signal_at + _AFTER,
            same,
        )
        .order_by(DecisionRow.at)
        .limit(_SIGHTINGS)
    )
    return set(rows)
