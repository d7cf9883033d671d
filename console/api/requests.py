"""Requests of people about their own data, with their deadline; and the document that answers one."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.subjects import find_person
from console.permissions import Action, may
from privacy import access, requests
from privacy.models import RequestKind, RequestState, SubjectRequest
from privacy.requests import Correctable

router = APIRouter(tags=["requests"])
Handler = Annotated[User, may(Action.REQUESTS_HANDLE)]


class RequestView(BaseModel):
    """`what` is said to be wrong in a correction; what it should be is in `RequestInFull`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    person: str
    kind: RequestKind
    state: RequestState
    received_at: dt.datetime
    due_at: dt.datetime
    closed_at: dt.datetime | None
    overdue: bool
    what: str | None
    reason: str | None


class RequestInFull(RequestView):
    """With a correction as it was asked for; None once the person is erased."""

    old: str | None
    new: str | None


class RequestReceived(BaseModel):
    """`what`, `old` and `new` are for corrections."""

    kind: RequestKind
    what: Correctable | None = None
    old: Annotated[str | None, Field(max_length=500)] = None
    new: Annotated[str | None, Field(max_length=500)] = None


class RequestClosed(BaseModel):
    """Done, or refused with a code for why."""

    state: RequestState
    reason: Annotated[str, Field(pattern=r"^[a-z0-9_]{0,64}$")] = ""


@router.post("/people/{person_id}/requests", response_model=RequestView, status_code=201)
def receive(here: Here, request: Request, user: Handler, person_id: str, asked: RequestReceived) -> Response:
    """Takes a request in for somebody who asks at the counter."""
    return take_in(here, request, user, person_id, asked)


def take_in(here: Here, request: Request, user: User, person_id: str, asked: RequestReceived) -> Response:
    """Takes a request in. Raises a 404 problem and what `privacy.requests.receive` raises."""

    def work(session: Session, at: dt.datetime) -> Answer:
        person = find_person(session, here.compound, person_id)
        row = requests.receive(
            session, person, asked.kind, at=at, by=user.id, what=asked.what, old=asked.old, new=asked.new
        )
        look = Look("request.received", Purpose.RESIDENT_REQUEST, f"person:{person.id}", asked.kind)
        note_look(session, at, user, look)
        return 201, view(row, at).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.get("/requests")
def list_requests(
    here: Here,
    _: Handler,
    paging: Asked,
    *,
    state: RequestState | None = None,
    overdue: Annotated[bool, Query()] = False,
) -> Page[RequestView]:
    """Requests, newest first; with `overdue` those that should have been answered."""
    at = here.clock.now()
    query = select(SubjectRequest).where(SubjectRequest.compound == here.compound)
    if state is not None:
        query = query.where(SubjectRequest.state == state)
    if overdue:
        query = query.where(requests.overdue(at))
    with here.database.read() as session:
        order = (SubjectRequest.received_at, SubjectRequest.id)
        items, cursor = newest_first(session, query, order, paging, lambda row: view(row, at))
        return Page(items=items, next_cursor=cursor)


@router.get("/requests/{request_id}")
def one(here: Here, user: Handler, request_id: str) -> RequestInFull:
    """One request with the correction it asks for; the look is audited."""
    with here.database.write() as session:
        row = requests.find(session, here.compound, request_id)
        at = here.clock.now()
        look = Look("request.viewed", Purpose.RESIDENT_REQUEST, f"person:{row.person}", row.kind)
        note_look(session, at, user, look)
        asked = requests.correction(row) or {}
        return RequestInFull(**view(row, at).model_dump(), old=asked.get("old"), new=asked.get("new"))


@router.post("/requests/{request_id}/close")
def close(here: Here, user: Handler, request_id: str, closed: RequestClosed) -> RequestView:
    """Ends a request; an erasure closes its own when it is complete."""
    with here.database.write() as session:
        at = here.clock.now()
        row = requests.close(session, here.compound, request_id, closed.state, at=at, reason=closed.reason)
        look = Look("request.closed", Purpose.RESIDENT_REQUEST, f"person:{row.person}", closed.state)
        note_look(session, at, user, look)
        return view(row, at)


@router.get("/people/{person_id}/data")
def data(here: Here, user: Handler, person_id: str, purpose: Purpose) -> dict[str, Any]:
    """Everything that is held on a person, for that person (L-16); audited as an export."""
    with here.database.write() as session:
        at = here.clock.now()
        person = find_person(session, here.compound, person_id)
        document = access.export(session, person, at)
        note_look(session, at, user, Look("person.exported", purpose, f"person:{person.id}"))
        return document


def view(row: SubjectRequest, at: dt.datetime) -> RequestView:
    """A request without what is sealed in it."""
    return RequestView(
        id=row.id,
        person=row.person,
        kind=RequestKind(row.kind),
        state=RequestState(row.state),
        received_at=row.received_at,
        due_at=row.due_at,
        closed_at=row.closed_at,
        overdue=row.state == RequestState.OPEN and row.due_at <= at,
        what=row.detail.get("what"),
        reason=row.detail.get("reason"),
    )
