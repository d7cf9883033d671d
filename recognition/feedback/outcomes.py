"""What was decided, counted: by outcome, how near to the threshold, and with which thresholds.

Counts and thresholds only: nothing here says who anybody was.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from recognition.decisions import FaceOutcome
from recognition.feedback.answers import NAMED
from recognition.models import DecisionRow, FaceExclusion

NEAR: Final = 0.03
"""A face that missed the threshold by no more than this distance is called a near miss: so many say that a
threshold is tight, none that it is wrong."""


_UNNAMED: Final = [one for one in FaceOutcome if one not in NAMED]


@dataclass(frozen=True, slots=True)
class Decided:
    """So many passages with one outcome; `kind` is face or plate."""

    kind: str
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class InForce:
    """What one gallery was asked with: distances, from the least to the greatest, and its most people."""

    gallery: str
    engine: str
    decisions: int
    people: int | None
    least: float
    greatest: float
    near_misses: int


@dataclass(frozen=True, slots=True)
class Passages:
    """Decisions that are alike, as the database counts them in one go."""

    kind: str
    outcome: str
    gallery: str
    engine: str | None
    count: int
    people: int | None
    least: float | None
    greatest: float | None
    near: int


def passages(session: Session, compound: str, since: dt.datetime, until: dt.datetime) -> list[Passages]:
    """Decisions on passages from `since` to before `until`, a track counting once."""
    gap = DecisionRow.score - DecisionRow.threshold
    near = and_(DecisionRow.outcome.in_(_UNNAMED), gap > 0, gap <= NEAR)
    alike = (DecisionRow.subject_kind, DecisionRow.outcome, DecisionRow.gallery, DecisionRow.engine)
    query = (
        select(
            *alike,
            func.count(),
            func.max(DecisionRow.gallery_size),
            func.min(DecisionRow.threshold),
            func.max(DecisionRow.threshold),
            func.sum(case((near, 1), else_=0)),
        )
        .where(
            DecisionRow.compound == compound,
            DecisionRow.at >= since,
            DecisionRow.at < until,
            # The other rows of a track carry the same decision.
            or_(DecisionRow.leader.is_(None), DecisionRow.leader == DecisionRow.sighting_id),
        )
        .group_by(*alike)
    )
    return [
        Passages(kind, outcome, gallery or "", engine, count, people, least, greatest, int(close or 0))
        for kind, outcome, gallery, engine, count, people, least, greatest, close in session.execute(query)
    ]


def decided(found: Iterable[Passages]) -> list[Decided]:
    """By kind and outcome, the most first."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in found:
        counts[one.kind, one.outcome] += one.count
    made = [Decided(kind, outcome, count) for (kind, outcome), count in counts.items()]
    return sorted(made, key=lambda one: (one.kind, -one.count, one.outcome))


def in_force(found: Iterable[Passages]) -> list[InForce]:
    """By gallery and engine, faces only; what was compared with nothing is left out."""
    made: dict[tuple[str, str], InForce] = {}
    for one in found:
        if one.kind != "face" or one.engine is None or one.least is None or one.greatest is None:
            continue
        key = (one.gallery, one.engine)
        new = InForce(*key, one.count, one.people, one.least, one.greatest, one.near)
        made[key] = _together(made[key], new) if key in made else new
    return [made[key] for key in sorted(made)]


def _together(one: InForce, other: InForce) -> InForce:
    people = [number for number in (one.people, other.people) if number is not None]
    return InForce(
        one.gallery,
        one.engine,
        one.decisions + other.decisions,
        max(people, default=None),
        min(one.least, other.least),
        max(one.greatest, other.greatest),
        one.near_misses + other.near_misses,
    )


def excluded(session: Session, compound: str) -> int:
    """Pairs of people who are not told apart by their faces at present."""
    query = (
        select(func.count())
        .select_from(FaceExclusion)
        .where(FaceExclusion.compound == compound, FaceExclusion.lifted_at.is_(None))
    )
    return session.scalar(query) or 0
