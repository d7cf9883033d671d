"""What operators answer to a decision on a face, with the two pictures before them (L-12)."""

import datetime as dt
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Text, or_, select, type_coerce
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import Comparison, State
from alerts.incidents.models import Evidence, Incident
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.paging import Page
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, allowed, may
from recognition.decisions import FaceOutcome
from recognition.feedback import answers
from recognition.feedback.answers import Was
from recognition.models import DecisionRow, FaceExclusion, Verdict

router = APIRouter(tags=["sightings"])
Operator = Annotated[User, may(Action.SIGHTINGS_ANSWER)]

STRANGER: Final = "stranger"
"""What `was` says of somebody who is not registered."""


_SAID: Final = {
    Comparison.MATCH: Verdict.MATCH,
    Comparison.NOT_MATCH: Verdict.NO_MATCH,
    Comparison.CANNOT_TELL: Verdict.CANNOT_TELL,
}


class AnswerAsked(BaseModel):
    """`match`: it is the person or household that was named; where nobody was, somebody registered.

    `was`, with `no_match` of a person: who it was, by id, or `stranger`. The two are not taken for
    each other from then on.
    """

    verdict: Verdict
    was: Annotated[str | None, Field(min_length=1, max_length=64)] = None


class AnswerView(BaseModel):
    """An answer, and the decision as it was when it was asked."""

    model_config = ConfigDict(from_attributes=True)

    sighting_id: str
    verdict: Verdict
    answered_by: str
    answered_at: dt.datetime
    outcome: str
    score: float | None
    engine: str | None
    engine_version: str | None
    device: str | None


class AnswerGiven(AnswerView):
    """`exclusion` is the one that the answer made, or that held already."""

    exclusion: str | None


@router.post("/sightings/{sighting_id}/answers", response_model=AnswerGiven, status_code=201)
def give(here: Here, request: Request, user: Operator, sighting_id: str, asked: AnswerAsked) -> Response:
    """One operator's answer; again, it takes the place of the first while the incident is open."""

    def work(session: Session, at: dt.datetime) -> Answer:
        return 201, answer(session, here.compound, user, sighting_id, asked, at).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.get("/sightings/{sighting_id}/answers")
def given(here: Here, _: Operator, sighting_id: str) -> Page[AnswerView]:
    """All answers to a decision, the first given first."""
    with here.database.read() as session:
        rows = answers.to(session, answers.find(session, here.compound, sighting_id))
        return Page(items=[AnswerView.model_validate(row) for row in rows], next_cursor=None)


def answer(
    session: Session, compound: str, user: User, sighting_id: str, asked: AnswerAsked, at: dt.datetime
) -> AnswerGiven:
    """Writes an answer, what follows from it, and both into the audit log.

    Raises what `answers.find` and `answers.give` raise.
    """
    decision = answers.find(session, compound, sighting_id)
    was = None if asked.was is None else Was(None if asked.was == STRANGER else asked.was)
    # Who has not answered yet changes nothing.
    changes = any(row.answered_by == user.id for row in answers.to(session, decision))
    made = answers.give(
        session,
        decision,
        asked.verdict,
        by=user.id,
        at=at,
        was=was,
        changeable=not changes or _is_open(session, decision),
    )
    look = Look(
        "sighting.answered", Purpose.INCIDENT_HANDLING, f"sighting:{decision.sighting_id}", str(asked.verdict)
    )
    note_look(session, at, user, look)
    if made.exclusion is not None:
        note_exclusion(session, at, user, "face_exclusion.made", made.exclusion)
    exclusion = made.exclusion.id if made.exclusion else None
    shown = AnswerView.model_validate(made.answer).model_dump()
    return AnswerGiven(**shown, exclusion=exclusion)


def answer_by_comparison(
    session: Session, incident_id: str, comparison: Comparison | None, user: User, at: dt.datetime
) -> None:
    """The comparison before a step says as well whether recognition was right: it is not asked twice.

    Only of the decision that named whom the incident is about, and only of those who may answer.
    """
    incident = session.get(Incident, incident_id)
    if comparison is None or incident is None or not allowed(user, Action.SIGHTINGS_ANSWER):
        return
    if incident.subject_kind != "person" or incident.subject is None:
        return
    evidence = session.scalars(select(Evidence.event_ids).where(Evidence.incident == incident.id))
    named = session.scalars(
        select(DecisionRow.sighting_id)
        .where(
            DecisionRow.compound == incident.compound,
            DecisionRow.event_id.in_({event for events in evidence for event in events}),
            DecisionRow.subject_kind == "face",
            DecisionRow.outcome == FaceOutcome.IDENTIFIED,
            DecisionRow.person_id == incident.subject,
        )
        .order_by(DecisionRow.sighting_id)
        .limit(1)
    ).first()
    if named is not None:
        answer(session, incident.compound, user, named, AnswerAsked(verdict=_SAID[comparison]), at)


def note_exclusion(session: Session, at: dt.datetime, user: User, action: str, row: FaceExclusion) -> None:
    """Writes down for both people that they are, or are no longer, kept apart."""
    for person in filter(None, (row.person, row.other)):
        note_look(session, at, user, Look(action, Purpose.INCIDENT_HANDLING, f"person:{person}", row.id))


def _is_open(session: Session, decision: DecisionRow) -> bool:
    """Whether an incident that stands on a decision is open, or none does."""
    named = (
        (Evidence.sighting_ids, decision.sighting_id),
        (Evidence.event_ids, decision.event_id),
    )
    states = session.scalars(
        select(Incident.state)
        .join(Evidence, Evidence.incident == Incident.id)
        .where(
            Incident.compound == decision.compound,
            or_(*(type_coerce(column, Text).contains(f'"{one}"', autoescape=True) for column, one in named)),
        )
    ).all()
    return not states or any(State(state).is_open for state in states)
