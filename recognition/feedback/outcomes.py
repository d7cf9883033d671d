"""What was decided, counted: by outcome, how near to the threshold, and with which thresholds.

Counts and thresholds only: nothing here says who anybody was.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from recognition.decisions import FaceOutcome
from recognition.feedback.answers import NAMED
from recognition.models import DecisionRow, FaceExclusion

NEAR: Final = 0.03
"""A face that missed the threshold by no more than this distance is called a near miss: so many say that a
threshold is tight, none that it is wrong."""


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


def decided(session: Session, compound: str, since: dt.datetime, until: dt.datetime) -> list[Decided]:
    """By kind and outcome, a track counting once, the most first."""
    query = (
        select(DecisionRow.subject_kind, DecisionRow.outcome, func.count())
        .where(*_within(compound, since, until))
        .group_by(DecisionRow.subject_kind, DecisionRow.outcome)
    )
    found = [Decided(kind, outcome, count) for kind, outcome, count in session.execute(query)]
    return sorted(found, key=lambda one: (one.kind, -one.count, one.outcome))


def in_force(session: Session, compound: str, since: dt.datetime, until: dt.datetime) -> list[InForce]:
    """By gallery and engine, faces only; what was compared with nothing is left out."""
    gap = DecisionRow.score - DecisionRow.threshold
    near = and_(
        DecisionRow.outcome.in_([one for one in FaceOutcome if one not in NAMED]), gap > 0, gap <= NEAR
    )
    query = (
        select(
            DecisionRow.gallery,
            DecisionRow.engine,
            func.count(),
            func.max(DecisionRow.gallery_size),
            func.min(DecisionRow.threshold),
            func.max(DecisionRow.threshold),
            func.sum(case((near, 1), else_=0)),
        )
        .where(
            *_within(compound, since, until),
            DecisionRow.subject_kind == "face",
            DecisionRow.engine.is_not(None),
            DecisionRow.threshold.is_not(None),
        )
        .group_by(DecisionRow.gallery, DecisionRow.engine)
        .order_by(DecisionRow.gallery, DecisionRow.engine)
    )
    return [
        InForce(gallery or "", engine, count, people, least, greatest, int(close or 0))
        for gallery, engine, count, people, least, greatest, close in session.execute(query)
    ]


def excluded(session: Session, compound: str) -> int:
    """Pairs of people who are not told apart by their faces at present."""
    query = (
        select(func.count())
        .select_from(FaceExclusion)
        .where(FaceExclusion.compound == compound, FaceExclusion.lifted_at.is_(None))
    )
    return session.scalar(query) or 0


def _within(compound: str, since: dt.datetime, until: dt.datetime) -> list[ColumnElement[bool]]:
    return [
        DecisionRow.compound == compound,
        DecisionRow.at >= since,
        DecisionRow.at < until,
        # The other rows of a track carry the same decision.
        or_(DecisionRow.leader.is_(None), DecisionRow.leader == DecisionRow.sighting_id),
    ]
