"""The question to the operator that a decision on a face comes with (L-12), and how it was answered."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.sighting_answers import STRANGER
from console.pages.readings import Reading
from console.permissions import Action, allowed
from recognition.decisions import FaceOutcome
from recognition.feedback import answers, exclusions
from recognition.models import DecisionRow
from registry.errors import MissingError, RefusedError
from registry.models import Person

_OTHERS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Question:
    """`whom` was named: `person`, `household` or `nobody`; `mine` is the reader's own answer.

    `others` are registered people who lay near too: who it may have been, by reference. `was` is
    what the reader said of that, `stranger` or one of them; empty where nothing.
    """

    sighting_id: str
    whom: str
    mine: str
    answered_by_others: int
    others: tuple[str, ...]
    was: str


def question(session: Session, compound: str, reading: Reading | None, user: User | None) -> Question | None:
    """None where there is nothing to answer, or the reader is not one who answers."""
    if reading is None or user is None or not allowed(user, Action.SIGHTINGS_ANSWER):
        return None
    try:
        decision = answers.find(session, compound, reading.sighting_id)
    except (RefusedError, MissingError):
        return None
    if decision.outcome == FaceOutcome.IDENTIFIED and decision.person_id is None:
        # Whoever was named has been forgotten since.
        return None
    given = answers.to(session, decision)
    mine = next((str(row.verdict) for row in given if row.answered_by == user.id), "")
    said = exclusions.said(session, compound, decision.sighting_id, user.id)
    was = (said[0].other or STRANGER) if said else ""
    near = _near(session, decision)
    return Question(
        decision.sighting_id,
        _whom(decision),
        mine,
        sum(row.answered_by != user.id for row in given),
        near if was in {"", STRANGER, *near} else (*near, was),
        was,
    )


def _whom(decision: DecisionRow) -> str:
    if decision.person_id is not None:
        return "person"
    return "household" if decision.outcome == FaceOutcome.HOUSEHOLD else "nobody"


def _near(session: Session, decision: DecisionRow) -> tuple[str, ...]:
    """People who lay near, but the one who was named; nobody who was forgotten since."""
    near = [str(one["person_id"]) for one in decision.candidates if one.get("person_id")]
    ids = [person for person in dict.fromkeys(near) if person != decision.person_id][:_OTHERS_SHOWN]
    here = set(
        session.scalars(
            select(Person.id).where(
                Person.compound == decision.compound, Person.id.in_(ids), Person.erased_at.is_(None)
            )
        )
    )
    return tuple(person for person in ids if person in here)
