"""Dispatches: mine, and my answers to them.

A volunteer acts on their own only. Staff may answer for somebody who told them by radio
or telephone; the audit log then names who pressed the button.
"""

import datetime as dt
import enum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch import actions
from alerts.dispatch.models import Dispatch, DispatchState
from alerts.incidents.models import Incident
from console.accounts.models import User
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.views import DispatchView, DispatchWithTask, IncidentForVolunteer
from console.permissions import Action, allowed, may
from console.problems import not_found

router = APIRouter(tags=["dispatches"])
Tasked = Annotated[User, may(Action.TASKS)]


class Reply(enum.StrEnum):
    """What a responder says to a dispatch."""

    ACCEPT = "accept"
    DECLINE = "decline"
    DEPART = "depart"
    ARRIVE = "arrive"
    RESOLVE = "resolve"


class NoteAsked(BaseModel):
    note: Annotated[str | None, Field(max_length=2000)] = None


@router.get("/dispatches")
def dispatches(
    here: Here,
    user: Tasked,
    paging: Asked,
    state: Annotated[list[DispatchState] | None, Query()] = None,
    incident: Annotated[str | None, Query(max_length=32)] = None,
) -> Page[DispatchWithTask]:
    """The user's own dispatches, newest first; staff see everybody's."""
    query = select(Dispatch).where(Dispatch.compound == here.compound)
    if not allowed(user, Action.INCIDENTS_READ):
        query = query.where(Dispatch.responder == user.responder_id)
    if state:
        query = query.where(Dispatch.state.in_(state))
    if incident is not None:
        query = query.where(Dispatch.incident == incident)
    with here.database.read() as session:
        order = (Dispatch.offered_at, Dispatch.id)
        items, cursor = newest_first(session, query, order, paging, lambda row: with_task(session, row))
        return Page(items=items, next_cursor=cursor)


@router.post("/dispatches/{dispatch_id}/{reply}")
def reply_to(
    here: Here, user: Tasked, dispatch_id: str, reply: Reply, asked: NoteAsked | None = None
) -> DispatchWithTask:
    """Accepts, declines, sets out, arrives or resolves. The same answer twice changes nothing."""
    with here.database.write() as session:
        row = answer(
            session,
            user,
            here.compound,
            dispatch_id,
            reply,
            at=here.clock.now(),
            note=asked.note if asked else None,
        )
        return with_task(session, row)


def answer(
    session: Session,
    user: User,
    compound: str,
    dispatch_id: str,
    reply: Reply,
    *,
    at: dt.datetime,
    note: str | None = None,
) -> Dispatch:
    """Answers a dispatch as the user may.

    Raises a 404 problem for what is not theirs, and `DispatchRefusedError`.
    """
    row = session.get(Dispatch, dispatch_id)
    theirs = row is not None and (
        allowed(user, Action.INCIDENTS_READ)
        or (user.responder_id is not None and row.responder == user.responder_id)
    )
    if row is None or row.compound != compound or not theirs:
        # Whether somebody else was asked is not a volunteer's to know.
        raise not_found("dispatch")
    match reply:
        case Reply.ACCEPT:
            row = actions.accept(session, row.id, row.responder, at)
        case Reply.DECLINE:
            row = actions.decline(session, row.id, row.responder, at)
        case Reply.DEPART:
            row = actions.depart(session, row.id, row.responder, at)
        case Reply.ARRIVE:
            row = actions.arrive(session, row.id, row.responder, at)
        case Reply.RESOLVE:
            row = actions.resolve(session, row.id, row.responder, at, note)
    look = Look(f"dispatch.{reply}", Purpose.INCIDENT_HANDLING, row.incident, str(row.state))
    note_look(session, at, user, look)
    return row


def with_task(session: Session, row: Dispatch) -> DispatchWithTask:
    """The dispatch with its incident as a volunteer may see it."""
    task = session.get_one(Incident, row.incident)
    return DispatchWithTask(
        **DispatchView.model_validate(row).model_dump(), task=IncidentForVolunteer.model_validate(task)
    )
