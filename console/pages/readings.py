"""What recognition made of an event, as the console shows it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from recognition.models import DecisionRow


@dataclass(frozen=True, slots=True)
class Reading:
    """One decision on one event. What was not measured is None."""

    sighting_id: str
    event_id: str
    subject_kind: str
    outcome: str
    reasons: tuple[str, ...]
    score: float | None = None
    threshold: float | None = None
    margin: float | None = None
    gallery_size: int | None = None
    quality: float | None = None
    engine: str | None = None
    engine_version: str | None = None
    plate: str | None = None
    person_id: str | None = None


def of_events(session: Session, event_ids: Sequence[str]) -> Mapping[str, Sequence[Reading]]:
    """The decisions on some events, by event."""
    found: defaultdict[str, list[Reading]] = defaultdict(list)
    rows = session.scalars(
        select(DecisionRow).where(DecisionRow.event_id.in_(event_ids)).order_by(DecisionRow.sighting_id)
    )
    for row in rows:
        found[row.event_id].append(_reading(row))
    return found


def _reading(row: DecisionRow) -> Reading:
    score = row.quality.get("score") if row.quality else None
    return Reading(
        sighting_id=row.sighting_id,
        event_id=row.event_id,
        subject_kind=row.subject_kind,
        outcome=row.outcome,
        reasons=tuple(row.reasons),
        score=row.score,
        threshold=row.threshold,
        margin=row.margin,
        gallery_size=row.gallery_size,
        quality=float(score) if isinstance(score, int | float) else None,
        engine=row.engine,
        engine_version=row.engine_version,
        plate=row.plate,
        person_id=row.person_id,
    )
