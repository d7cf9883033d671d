"""Whom to send to an incident and why, who hears of it next, who was called, and what those who go see."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from alerts.dispatch import pictures
from alerts.dispatch.suggest import everybody
from alerts.escalation import services
from alerts.escalation.calls import called, calls_of
from alerts.escalation.outlook import outlook
from alerts.incidents.deadlines import Timer
from alerts.incidents.models import Incident
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.paging import Page
from console.api.places import Here
from console.permissions import Action, may
from console.problems import not_found
from console.security import as_actor

router = APIRouter(tags=["incidents"])
Reader = Annotated[User, may(Action.INCIDENTS_READ)]
Decider = Annotated[User, may(Action.INCIDENTS_DECIDE)]


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CandidateView(_FromRow):
    """Who could go; `reasons` and `excluded` are codes of the catalogues, `metres` the way there."""

    responder_id: str
    name: str
    team_name: str
    team_kind: str
    reasons: tuple[str, ...]
    busy: bool
    volunteer: bool
    metres: float | None
    excluded: str | None


class RungView(_FromRow):
    """Who is told at `due_at` unless somebody does what `timer` waits for."""

    timer: Timer
    due_at: dt.datetime
    level: int
    rungs: int
    targets: tuple[str, ...]
    people: int


class EscalationView(BaseModel):
    """`numbers` are those an operator may have to call for this kind; nothing here dials."""

    next: RungView | None
    numbers: tuple[str, ...]


class CallView(_FromRow):
    """A call that somebody made."""

    id: str
    number: str
    actor: str
    at: dt.datetime
    note: str | None


class CallAsked(BaseModel):
    """110, 119 or 120, and what was said."""

    number: Annotated[str, Field(max_length=8)]
    note: Annotated[str | None, Field(max_length=500)] = None


class PictureAsked(BaseModel):
    """A picture that the incident stands on, why those who go need it, and for how many minutes."""

    media_id: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    minutes: Annotated[int, Field(ge=1, le=120)] = 30


class PictureView(_FromRow):
    """What those who go may see, until when, and why."""

    incident: str
    media_id: str
    flagged_by: str
    flagged_at: dt.datetime
    reason: str
    expires_at: dt.datetime


@router.get("/incidents/{incident_id}/candidates")
def candidates(here: Here, _: Reader, incident_id: str) -> Page[CandidateView]:
    """Everybody on duty, the best first, with why; who may not be sent stands at the end, with why not."""
    with here.database.read() as session:
        row = _find(session, here.compound, incident_id)
        found = everybody(session, row, here.clock.now())
        return Page(items=[CandidateView.model_validate(one) for one in found], next_cursor=None)


@router.get("/incidents/{incident_id}/escalation")
def escalation(here: Here, _: Reader, incident_id: str) -> EscalationView:
    """The next rung of the ladder and when, and the numbers for this kind."""
    with here.database.read() as session:
        row = _find(session, here.compound, incident_id)
        coming = outlook(session, row, here.clock.now())
        return EscalationView(
            next=None if coming is None else RungView.model_validate(coming),
            numbers=services.numbers(row.kind),
        )


@router.get("/incidents/{incident_id}/calls")
def calls(here: Here, _: Reader, incident_id: str) -> Page[CallView]:
    """Calls to 110, 119 and 120 that were written down, the first first."""
    with here.database.read() as session:
        row = _find(session, here.compound, incident_id)
        made = [CallView.model_validate(one) for one in calls_of(session, row.id)]
        return Page(items=made, next_cursor=None)


@router.post("/incidents/{incident_id}/calls", response_model=CallView, status_code=201)
def call(here: Here, request: Request, user: Decider, incident_id: str, asked: CallAsked) -> Response:
    """Writes down that somebody called; 409 `number_unknown`, `already_ended`."""

    def work(session: Session, at: dt.datetime) -> Answer:
        _find(session, here.compound, incident_id)
        row = called(session, incident_id, asked.number, as_actor(user), at, asked.note)
        return 201, CallView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/incidents/{incident_id}/picture", response_model=PictureView, status_code=201)
def show_picture(
    here: Here, request: Request, user: Decider, incident_id: str, asked: PictureAsked
) -> Response:
    """Lets those who go see one picture for a while, marked with who looks at it; audited.

    409 `picture_not_of_incident`, `picture_not_now`, `picture_too_long`, `reason_required`.
    """

    def work(session: Session, at: dt.datetime) -> Answer:
        _find(session, here.compound, incident_id)
        lasts = dt.timedelta(minutes=asked.minutes)
        row = pictures.flag(session, incident_id, asked.media_id, asked.reason, lasts, as_actor(user), at)
        return 201, PictureView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.delete("/incidents/{incident_id}/picture", status_code=204)
def hide_picture(here: Here, user: Decider, incident_id: str) -> None:
    """Nobody sees it from now on."""
    with here.database.write() as session:
        _find(session, here.compound, incident_id)
        pictures.take_back(session, incident_id, as_actor(user), here.clock.now())


def _find(session: Session, compound: str, incident_id: str) -> Incident:
    row = session.get(Incident, incident_id)
    if row is None or row.compound != compound:
        raise not_found("incident")
    return row
