"""What recognition made of an event, as the console shows it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from recognition.models import DecisionRow

_CANDIDATES: Final = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of the gallery who lay near: by reference, with the distance, and whether that counts.

    `together`: of the same household as the nearest one.
    """

    person_id: str
    distance: float
    counts: bool
    together: bool


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
    household_id: str | None = None
    candidates: tuple[Candidate, ...] = ()


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
        household_id=row.household_id,
        candidates=_candidates(row),
    )


def _candidates(row: DecisionRow) -> tuple[Candidate, ...]:
    """People alone: what lay near a plate is on the plate's own picture."""
    near = [
        one for one in row.candidates if one.get("person_id") and isinstance(one.get("distance"), int | float)
    ]
    near.sort(key=lambda one: float(one["distance"]))
    first = near[0].get("household_id") if near else None
    return tuple(
        Candidate(
            str(one["person_id"]),
            float(one["distance"]),
            row.threshold is not None and float(one["distance"]) <= row.threshold,
            index > 0 and first is not None and one.get("household_id") == first,
        )
        for index, one in enumerate(near[:_CANDIDATES])
    )
