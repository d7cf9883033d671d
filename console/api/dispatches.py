"""Dispatches: mine, and my answers to them.

A volunteer acts on their own only. Staff may answer for somebody who told them by radio
or telephone; the audit log then names who pressed the button.
"""

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Annotated, assert_never

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch import actions, needing, pictures, positions, presses
from alerts.dispatch.knowing import needs_to_know
from alerts.dispatch.models import Arrival, Decline, Dispatch, DispatchState, Result
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.patrols.visiting import by_code
from console.accounts.models import User
from console.api import idempotency
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.views import DispatchView, DispatchWithTask, IncidentForVolunteer, TaskEnded
from console.context import Rooms
from console.permissions import Action, allowed, may
from console.problems import ProblemError, not_found
from console.watermark import NoPictureError, watermarked
from registry.errors import MissingError, RefusedError
from storage.media import MediaNotFoundError

router = APIRouter(tags=["dispatches"])
Tasked = Annotated[User, may(Action.TASKS)]


class Reply(enum.StrEnum):
    """What a responder says to a dispatch."""

    ACCEPT = "accept"
    DECLINE = "decline"
    ASSIST = "assist"
    DEPART = "depart"
    ARRIVE = "arrive"
    HELP = "help"
    ALL_RIGHT = "all_right"
    HAND_OVER = "hand_over"
    RESOLVE = "resolve"


class NoteAsked(BaseModel):
    """What goes with an answer: `reason` with a refusal, `code` of a checkpoint with an arrival, `to` (a
    responder) with handing over the lead, `result` and `note` with the end.

    `pressed_at` and `sent_at`, both by the phone's clock, are for an answer that waited for a network.
    """

    note: Annotated[str | None, Field(max_length=2000)] = None
    reason: Decline | None = None
    code: Annotated[str | None, Field(max_length=128)] = None
    to: Annotated[str | None, Field(max_length=64)] = None
    result: Result | None = None
    pressed_at: AwareDatetime | None = None
    sent_at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What was said, and why it was not taken as it was meant; what was written stays."""

    row: Dispatch
    refused: str | None = None


@router.get("/dispatches")
def dispatches(
    here: Here,
    user: Tasked,
    paging: Asked,
    state: Annotated[list[DispatchState] | None, Query()] = None,
    incident: Annotated[str | None, Query(max_length=32)] = None,
) -> Page[DispatchWithTask]:
    """The user's own dispatches, newest first; staff see everybody's.

    Of what is over those who were asked see when it was for them, and what came of it.
    """
    query = select(Dispatch).where(Dispatch.compound == here.compound)
    if not allowed(user, Action.INCIDENTS_READ):
        query = query.where(Dispatch.responder == user.responder_id)
    if state:
        query = query.where(Dispatch.state.in_(state))
    if incident is not None:
        query = query.where(Dispatch.incident == incident)
    with here.database.read() as session:
        order = (Dispatch.offered_at, Dispatch.id)
        items, cursor = newest_first(session, query, order, paging, lambda row: with_task(session, user, row))
        return Page(items=items, next_cursor=cursor)


@router.post("/dispatches/{dispatch_id}/{reply}", response_model=DispatchWithTask)
def reply_to(
    here: Here,
    request: Request,
    user: Tasked,
    dispatch_id: str,
    reply: Reply,
    asked: NoteAsked | None = None,
) -> Response:
    """Accepts, declines, goes along, sets out, arrives, calls for help, is all right, hands the lead over,
    resolves. The same answer twice changes nothing; with an `Idempotency-Key` it is also answered alike.

    Whose duty ended since they were asked gets 409 `off_duty`, and the next one is asked. One that waited
    for a network is taken with its own time; after twelve hours it is not (409 `press_too_old`).
    """
    given = asked or NoteAsked()
    refused: list[str] = []

    def work(session: Session, at: dt.datetime) -> idempotency.Answer:
        said = answer(session, user, here.compound, dispatch_id, reply, given, at=at)
        if said.refused is not None:
            # What it changed stays: whoever is off duty has said no.
            refused.append(said.refused)
        return 200, with_task(session, user, said.row).model_dump(mode="json")

    # Sent again it is the same answer, though at another moment.
    body = given.model_dump(mode="json", exclude={"sent_at"})
    response = idempotency.once(here, request, user, body, work)
    if refused:
        raise actions.DispatchRefusedError(refused[0])
    return response


@router.get("/dispatches/{dispatch_id}/picture", response_class=Response)
def picture(here: Here, user: Tasked, dispatch_id: str) -> Response:
    """The picture that an operator flagged as needed, marked with who looks at it: a JPEG, never kept.

    410 once it ran out, or the task is over.
    """
    return task_picture(here, user, dispatch_id)


def task_picture(here: Rooms, user: User, dispatch_id: str) -> Response:
    """The responder's own marked picture, audited. Raises 404 and 410 problems."""
    now = here.clock.now()
    with here.database.write() as session:
        row = session.get(Dispatch, dispatch_id)
        own = row is not None and user.responder_id is not None and row.responder == user.responder_id
        if row is None or row.compound != here.compound or not own:
            raise not_found("dispatch")
        try:
            shown = pictures.of_dispatch(session, row, now)
            content = watermarked(here.media.get(shown.media_id), row.responder, now)
        except (pictures.PictureGoneError, MediaNotFoundError, NoPictureError) as error:
            raise ProblemError(410, "picture_gone", "This picture is not shown any more") from error
        look = Look("task.picture_viewed", Purpose.INCIDENT_HANDLING, row.incident, f"dispatch:{row.id}")
        note_look(session, now, user, look)
    headers = {"Cache-Control": "no-store", "Content-Disposition": "inline"}
    return Response(content, media_type="image/jpeg", headers=headers)


def answer(
    session: Session,
    user: User,
    compound: str,
    dispatch_id: str,
    reply: Reply,
    asked: NoteAsked,
    *,
    at: dt.datetime,
) -> Said:
    """Answers a dispatch as the user may.

    Raises a 404 problem for what is not theirs, `DispatchRefusedError` and `RefusedError`.
    """
    row = session.get(Dispatch, dispatch_id)
    theirs = row is not None and (
        allowed(user, Action.INCIDENTS_READ)
        or (user.responder_id is not None and row.responder == user.responder_id)
    )
    if row is None or row.compound != compound or not theirs:
        # Whether somebody else was asked is not a volunteer's to know.
        raise not_found("dispatch")
    pressed = presses.moment(asked.pressed_at, asked.sent_at, at)
    row = _act(session, row, reply, asked, at, waited=at - pressed)
    presses.date(row, at, pressed)
    late = f" pressed={pressed.isoformat(timespec='seconds')}" if at - pressed >= presses.LATE else ""
    look = Look(f"dispatch.{reply}", Purpose.INCIDENT_HANDLING, row.incident, f"{row.state}{late}")
    note_look(session, at, user, look)
    if reply in {Reply.ACCEPT, Reply.ASSIST}:
        if row.state == DispatchState.DECLINED:
            return Said(row, "off_duty")
        if row.state == DispatchState.CANCELLED:
            return Said(row, "volunteer_violence")
    return Said(row)


def _act(
    session: Session, row: Dispatch, reply: Reply, asked: NoteAsked, at: dt.datetime, *, waited: dt.timedelta
) -> Dispatch:
    who = row.responder
    match reply:
        case Reply.ACCEPT:
            return actions.accept(session, row.id, who, at)
        case Reply.DECLINE:
            return actions.decline(session, row.id, who, at, asked.reason)
        case Reply.ASSIST:
            return actions.assist(session, row.id, who, at)
        case Reply.DEPART:
            return actions.depart(session, row.id, who, at)
        case Reply.ARRIVE:
            return actions.arrive(session, row.id, who, at, _arrival(session, row, asked.code, at, waited))
        case Reply.HELP:
            return needing.need_help(session, row.id, who, at)
        case Reply.ALL_RIGHT:
            return needing.all_right(session, row.id, who, at)
        case Reply.HAND_OVER:
            return actions.hand_over(session, row.id, who, asked.to or "", at)
        case Reply.RESOLVE:
            return actions.resolve(session, row.id, who, at, asked.note, asked.result)
        case _:
            assert_never(reply)


def _arrival(
    session: Session, row: Dispatch, code: str | None, at: dt.datetime, waited: dt.timedelta
) -> Arrival:
    """What stands behind an arrival. Raises `RefusedError` for a code that is not of the place."""
    incident = session.get_one(Incident, row.incident)
    if not code and waited >= presses.LATE:
        # Where the phone is now says nothing of where it was then.
        return Arrival.SAID
    if not code:
        return positions.arrived_by(session, incident, row.responder, at)
    try:
        checkpoint, replaced = by_code(session, row.compound, code)
    except MissingError as error:
        raise RefusedError("code_not_of_place") from error
    if replaced or checkpoint.zone != incident.zone:
        raise RefusedError("code_not_of_place")
    return Arrival.CHECKPOINT


def with_task(session: Session, user: User, row: Dispatch) -> DispatchWithTask:
    """The dispatch with its incident as the user needs to know it."""
    task = session.get_one(Incident, row.incident)
    view = DispatchView.model_validate(row).model_dump()
    if not allowed(user, Action.MEDIA_VIEW):
        view["media_id"] = None
    state = DispatchState(row.state)
    if allowed(user, Action.INCIDENTS_READ) or needs_to_know(state, State(task.state)):
        return DispatchWithTask(**view, task=IncidentForVolunteer.model_validate(task))
    # What they wrote of it may name the place.
    return DispatchWithTask(**view | {"note": None}, task=TaskEnded.of(row))
