"""What an operator says of one decision on a face, looking at the two pictures (L-12).

Who it was in truth is not kept with the answer: where it matters it makes an exclusion, which
people can see and lift.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from recognition.decisions import FaceOutcome
from recognition.feedback import exclusions
from recognition.models import DecisionRow, FaceExclusion, SightingAnswer, Verdict
from registry import rows
from registry.errors import RefusedError
from storage import new_id

NAMED: Final = frozenset({FaceOutcome.IDENTIFIED, FaceOutcome.HOUSEHOLD})
"""Outcomes that say who it was; of all others the question is whether the face is registered."""

_ANSWERABLE: Final = frozenset(FaceOutcome)


@dataclass(frozen=True, slots=True)
class Was:
    """Who it was instead of the one who was named; None for somebody who is not registered."""

    person: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer as it stands now, and the exclusion that came of it."""

    answer: SightingAnswer
    exclusion: FaceExclusion | None


def find(session: Session, compound: str, sighting_id: str) -> DecisionRow:
    """The decision that an answer to a sighting is about: of a track, the one that was told.

    Raises `MissingError` (`sighting`) and `RefusedError` (`answer_no_face`) where no face was
    decided on: a plate, or a picture that was no use.
    """
    row = rows.find(session, DecisionRow, compound, sighting_id, "sighting")
    if row.leader is not None and row.leader != row.sighting_id:
        # Retention may have taken the first of a track before its last.
        leader = session.get(DecisionRow, row.leader)
        row = leader if leader is not None and leader.compound == compound else row
    if row.subject_kind != "face" or row.outcome not in _ANSWERABLE:
        raise RefusedError("answer_no_face")
    return row


def give(
    session: Session,
    decision: DecisionRow,
    verdict: Verdict,
    *,
    by: str,
    at: dt.datetime,
    was: Was | None = None,
    changeable: bool = True,
) -> Answered:
    """One operator's answer; a second one of the same operator takes the place of the first.

    Where somebody was named, `match` says that it is this person, or one of this household.
    Where nobody was, `match` says that it is somebody who is registered, who was missed. `was`
    may be said with `no_match` of a person who was named, and makes an exclusion in the same
    commit; an exclusion that the operator's earlier answer made is lifted when they take it back.

    `changeable`: whether what stands on the decision is still open. Raises `RefusedError`
    (`answer_settled`, `answer_was_unfit`, and what `exclusions.make` raises) and `MissingError`.
    """
    if was is not None and (verdict is not Verdict.NO_MATCH or decision.person_id is None):
        raise RefusedError("answer_was_unfit")
    # Two at once, a double click for one, make one answer.
    rows.lock(session, DecisionRow, decision.compound, [decision.sighting_id], "sighting")
    mine = select(SightingAnswer).where(
        SightingAnswer.sighting_id == decision.sighting_id, SightingAnswer.answered_by == by
    )
    answer = session.scalars(mine).first()
    if answer is None:
        answer = SightingAnswer(
            id=new_id(), sighting_id=decision.sighting_id, compound=decision.compound, answered_by=by
        )
        session.add(answer)
    elif not changeable and answer.verdict != verdict:
        raise RefusedError("answer_settled")
    answer.device = decision.device
    answer.engine, answer.engine_version = decision.engine, decision.engine_version
    answer.outcome, answer.score = decision.outcome, decision.score
    answer.verdict, answer.answered_at = verdict, at
    _take_back(session, decision, was, by=by, at=at)
    made = None
    if was is not None and decision.person_id is not None:
        made = exclusions.make(
            session,
            decision.compound,
            named=decision.person_id,
            was=was.person,
            sighting_id=decision.sighting_id,
            by=by,
            at=at,
        )
    session.flush()
    return Answered(answer, made)


def to(session: Session, decision: DecisionRow) -> Sequence[SightingAnswer]:
    """All answers to a decision, the first given first."""
    return session.scalars(
        select(SightingAnswer)
        .where(SightingAnswer.sighting_id == decision.sighting_id)
        .order_by(SightingAnswer.answered_at, SightingAnswer.id)
    ).all()


def _take_back(session: Session, decision: DecisionRow, was: Was | None, *, by: str, at: dt.datetime) -> None:
    """Lifts what this operator's earlier answer to the same decision made, and this one does not say."""
    earlier = exclusions.said(session, decision.compound, decision.sighting_id, by)
    for row in earlier:
        if was is None or (row.person, row.other) != (decision.person_id, was.person):
            exclusions.lift(session, decision.compound, row.id, by=by, at=at)
