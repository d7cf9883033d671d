"""Legal holds (L-21): applied for by one person, approved by another, released before their time."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, may
from privacy import holds
from privacy.holds import HoldState, HoldSubject
from privacy.models import LegalHold

router = APIRouter(tags=["holds"])
Reader = Annotated[User, may(Action.HOLDS_READ)]
Applicant = Annotated[User, may(Action.HOLDS_APPLY)]
Approver = Annotated[User, may(Action.HOLDS_APPROVE, proven=True)]


class HoldView(BaseModel):
    """`state` is what the hold does now."""

    id: str
    subject_kind: HoldSubject
    subject: str
    reason: str
    document_no: str | None
    applicant: str
    applied_at: dt.datetime
    approver: str | None
    approved_at: dt.datetime | None
    ends_at: dt.datetime
    released_at: dt.datetime | None
    state: HoldState


class HoldApplied(BaseModel):
    """What is to be kept and until when, at most a year; longer is another application."""

    subject_kind: HoldSubject
    subject: Annotated[str, Field(min_length=1, max_length=64)]
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    document_no: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    ends_at: AwareDatetime


@router.get("/holds")
def list_holds(
    here: Here,
    user: Reader,
    paging: Asked,
    *,
    subject: Annotated[str | None, Query(max_length=64)] = None,
    in_force: bool | None = None,
) -> Page[HoldView]:
    """Holds, newest first; the look is audited, since a hold tells of an inquiry."""
    at = here.clock.now()
    query = select(LegalHold).where(LegalHold.compound == here.compound)
    if subject is not None:
        query = query.where(LegalHold.subject == subject)
    if in_force is not None:
        condition = holds.in_force(at)
        query = query.where(condition if in_force else ~condition)
    with here.database.write() as session:
        order = (LegalHold.applied_at, LegalHold.id)
        items, cursor = newest_first(session, query, order, paging, lambda row: _view(row, at))
        look = Look("hold.listed", Purpose.OFFICIAL_REQUEST, "holds:list", f"{len(items)} holds")
        note_look(session, at, user, look)
        return Page(items=items, next_cursor=cursor)


@router.post("/holds", response_model=HoldView, status_code=201)
def apply(here: Here, request: Request, user: Applicant, asked: HoldApplied) -> Response:
    """Freezes from now on; lapses after 72 hours without an approval."""

    def work(session: Session, at: dt.datetime) -> Answer:
        hold = holds.apply(
            session,
            here.compound,
            asked.subject_kind,
            asked.subject,
            reason=asked.reason,
            document_no=asked.document_no,
            ends_at=asked.ends_at,
            applicant=user.id,
            at=at,
        )
        _note(session, at, user, "hold.applied", hold)
        return 201, _view(hold, at).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/holds/{hold_id}/approval")
def approve(here: Here, user: Approver, hold_id: str) -> HoldView:
    """Refused with `two_people` to whoever applied."""
    at = here.clock.now()
    with here.database.write() as session:
        hold = holds.approve(session, here.compound, hold_id, approver=user.id, at=at)
        _note(session, at, user, "hold.approved", hold)
        return _view(hold, at)


@router.post("/holds/{hold_id}/release")
def release(here: Here, user: Approver, hold_id: str) -> HoldView:
    """Ends a hold; what is over by then goes with the next night's retention."""
    at = here.clock.now()
    with here.database.write() as session:
        hold = holds.release(session, here.compound, hold_id, at)
        _note(session, at, user, "hold.released", hold)
        return _view(hold, at)


def _note(session: Session, at: dt.datetime, user: User, action: str, hold: LegalHold) -> None:
    subject = f"{hold.subject_kind}:{hold.subject}"
    note_look(session, at, user, Look(action, Purpose.OFFICIAL_REQUEST, subject, hold.id))


def _view(row: LegalHold, at: dt.datetime) -> HoldView:
    fields = {name: getattr(row, name) for name in HoldView.model_fields if name != "state"}
    return HoldView(**fields, state=holds.state(row, at))
