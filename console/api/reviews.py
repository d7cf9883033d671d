"""一事一评: what waits for a review, the reviews, and what reporters and households think."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from alerts.review import ratings, writing
from alerts.review.measures import MeasureDraft, NeedDraft
from alerts.review.models import IncidentRating, IncidentReview
from alerts.review.reaction import unreviewed
from alerts.review.rules import AlertVerdict, Cause, Draft, RaterKind
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.permissions import Action, may
from console.problems import not_found
from console.security import as_actor
from registry.errors import RefusedError

router = APIRouter(tags=["reviews"])
Reader = Annotated[User, may(Action.REVIEWS_READ)]
Writer = Annotated[User, may(Action.REVIEWS_WRITE)]
Rater = Annotated[User, may(Action.RATE)]

Score = Annotated[int, Field(ge=1, le=5)]
Words = Annotated[str, Field(min_length=1, max_length=2000)]
Id = Annotated[str, Field(min_length=1, max_length=64)]


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ReviewView(_FromRow):
    """`reopened`: its score took the incident up again."""

    id: str
    incident: str
    score: int
    cause: Cause
    alert: AlertVerdict
    lesson: str
    measure: bool
    reopened: bool
    reviewer: str
    role: str
    at: dt.datetime


class WaitingView(_FromRow):
    """Resolved and not reviewed. Neither whom it is about nor any picture: the review needs neither."""

    id: str
    kind: str
    severity: int
    ring: str
    zone: str
    raised_at: dt.datetime
    # When the review is late; None for a notice.
    due_at: dt.datetime | None
    drill: bool
    version: int


class MeasureOfReview(BaseModel):
    """What is to be done, by one responder or one team; `missing`: what the incident showed to be missing."""

    what: Words
    missing: Annotated[str | None, Field(max_length=2000)] = None
    zone: Id | None = None
    responder: Id | None = None
    team: Id | None = None
    due_at: AwareDatetime
    blocking: bool = False


class ReviewAsked(BaseModel):
    """A review. A score of two or lower takes the incident up again, once."""

    score: Score
    cause: Cause
    alert: AlertVerdict
    lesson: Words
    measure: MeasureOfReview | None = None
    expected_version: Annotated[int | None, Field(ge=1)] = None


class RatingView(_FromRow):
    """What somebody is asked: of what kind it was and where, and nothing else of it."""

    id: str
    kind: RaterKind
    incident_kind: str
    zone: str
    resolved_at: dt.datetime
    expires_at: dt.datetime


class RatingGiven(BaseModel):
    score: Score
    words: Annotated[str | None, Field(max_length=2000)] = None


class InvitationAsked(BaseModel):
    """Whom to ask: a responder, a registered person, or whoever is handed the link."""

    kind: RaterKind = RaterKind.REPORTER
    responder: Id | None = None
    person: Id | None = None


class InvitationView(BaseModel):
    """The link's path; it is shown once and works once."""

    path: str
    expires_at: dt.datetime


@router.get("/reviews")
def reviews(
    here: Here, _: Reader, paging: Asked, incident: Annotated[str | None, Query(max_length=32)] = None
) -> Page[ReviewView]:
    """Reviews, newest first; of one incident where it is named."""
    query = select(IncidentReview).where(IncidentReview.compound == here.compound)
    if incident is not None:
        query = query.where(IncidentReview.incident == incident)
    with here.database.read() as session:
        order = (IncidentReview.at, IncidentReview.id)
        items, cursor = newest_first(session, query, order, paging, ReviewView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.get("/reviews/waiting")
def waiting(here: Here, _: Reader, *, drill: bool = False) -> list[WaitingView]:
    """What is resolved and not reviewed yet, the oldest first; `drill`: exercises instead."""
    with here.database.read() as session:
        return [WaitingView.model_validate(row) for row in unreviewed(session, here.compound, drill=drill)]


@router.post("/incidents/{incident_id}/review", response_model=ReviewView, status_code=201)
def review(here: Here, request: Request, user: Writer, incident_id: str, asked: ReviewAsked) -> Response:
    """Reviews a resolved incident; 409 `own_work` for whoever resolved it, `not_a_supervisor` for others."""

    def work(session: Session, at: dt.datetime) -> Answer:
        written = writing.review(
            session,
            here.compound,
            incident_id,
            Draft(asked.score, asked.cause, asked.alert, asked.lesson),
            as_actor(user),
            at,
            responder=user.responder_id,
            measure=_measure(asked.measure),
            expected_version=asked.expected_version,
        )
        return 201, ReviewView.model_validate(written.review).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/incidents/{incident_id}/invitations", status_code=201)
def invite(here: Here, user: Writer, incident_id: str, asked: InvitationAsked) -> InvitationView:
    """Asks somebody how it was handled; 409 where it was never resolved or they were asked already."""
    del user
    with here.database.write() as session:
        row = session.get(Incident, incident_id)
        if row is None or row.compound != here.compound:
            raise not_found("incident")
        invited = ratings.invite(
            session,
            row,
            here.clock.now(),
            kind=asked.kind,
            responder=asked.responder,
            person=asked.person,
        )
        if invited is None:
            raise RefusedError("not_resolved_or_asked")
        return InvitationView(path=f"/rate/{invited.token}", expires_at=invited.rating.expires_at)


@router.get("/ratings")
def own_ratings(here: Here, user: Rater) -> list[RatingView]:
    """What the user is asked and has not answered."""
    with here.database.read() as session:
        rows = ratings.waiting(
            session, here.compound, here.clock.now(), responder=user.responder_id, person=user.person_id
        )
        return [_rating(session, row) for row in rows]


@router.post("/ratings/{rating_id}", status_code=204)
def rate(here: Here, user: Rater, rating_id: str, given: RatingGiven) -> None:
    """Answers once. A score of two or lower takes the incident up again, once."""
    at = here.clock.now()
    with here.database.write() as session:
        row = session.get(IncidentRating, rating_id)
        mine = row is not None and (
            (user.responder_id is not None and row.responder == user.responder_id)
            or (user.person_id is not None and row.person == user.person_id)
        )
        if row is None or row.compound != here.compound or not mine:
            raise not_found("rating")
        ratings.rate(session, row, given.score, given.words, as_actor(user), at)


def _rating(session: Session, row: IncidentRating) -> RatingView:
    incident = session.get_one(Incident, row.incident)
    return RatingView(
        id=row.id,
        kind=RaterKind(row.kind),
        incident_kind=incident.kind,
        zone=incident.zone,
        resolved_at=row.invited_at,
        expires_at=row.expires_at,
    )


def _measure(asked: MeasureOfReview | None) -> MeasureDraft | None:
    if asked is None:
        return None
    return MeasureDraft(
        asked.what,
        asked.due_at,
        asked.responder,
        asked.team,
        asked.blocking,
        NeedDraft(asked.missing or asked.what, asked.zone),
    )
