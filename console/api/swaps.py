"""Swaps of shifts: asked by one, accepted by another, approved where the compound wants it."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.duty import swapping
from alerts.duty.models import Responder
from alerts.duty.rostermodels import DutySwap, SwapState
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.own_duty import my_responder
from console.api.places import Here
from console.api.rosters import Id
from console.permissions import Action, allowed, may
from console.security import as_actor

router = APIRouter(tags=["duty"])
Own = Annotated[User, may(Action.DUTY_OWN)]
Editor = Annotated[User, may(Action.ROSTERS_EDIT)]


class SwapAsked(BaseModel):
    """My shift, a colleague (nobody: whoever of the team takes it first), a shift of theirs in return."""

    shift: Id
    colleague: Id | None = None
    back: Id | None = None


class SwapDecided(BaseModel):
    approved: bool


class SwapView(BaseModel):
    """`starts_at`, `ends_at` are the shift's as it was asked for."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    shift: str
    asker: str
    colleague: str | None
    back: str | None
    state: SwapState
    starts_at: dt.datetime
    ends_at: dt.datetime
    asked_at: dt.datetime


@router.get("/swaps")
def list_swaps(here: Here, user: Own) -> list[SwapView]:
    """Open ones that concern me, and all open ones for whoever decides."""
    with here.database.read() as session:
        return [SwapView.model_validate(row) for row in open_swaps(session, here.compound, user)]


@router.post("/swaps", response_model=SwapView, status_code=201)
def ask_swap(here: Here, request: Request, user: Own, asked: SwapAsked) -> Response:
    """Asks somebody of the team to take a shift of mine."""

    def work(session: Session, at: dt.datetime) -> Answer:
        me, _ = my_responder(session, here.compound, user)
        row = swapping.ask(
            session, here.compound, asked.shift, me.id, asked.colleague, asked.back, as_actor(user), at
        )
        return 201, SwapView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/swaps/{swap_id}/accept")
def accept_swap(here: Here, user: Own, swap_id: str) -> SwapView:
    """I take it; 409 `swap_over` where somebody else was first."""
    with here.database.write() as session:
        me, _ = my_responder(session, here.compound, user)
        return SwapView.model_validate(
            swapping.accept(session, here.compound, swap_id, me.id, as_actor(user), here.clock.now())
        )


@router.post("/swaps/{swap_id}/decline")
def decline_swap(here: Here, user: Own, swap_id: str) -> SwapView:
    """I do not take it."""
    with here.database.write() as session:
        me, _ = my_responder(session, here.compound, user)
        return SwapView.model_validate(
            swapping.decline(session, here.compound, swap_id, me.id, as_actor(user), here.clock.now())
        )


@router.post("/swaps/{swap_id}/withdrawal")
def withdraw_swap(here: Here, user: Own, swap_id: str) -> SwapView:
    """I do not ask any more."""
    with here.database.write() as session:
        me, _ = my_responder(session, here.compound, user)
        return SwapView.model_validate(
            swapping.take_back(session, here.compound, swap_id, me.id, as_actor(user), here.clock.now())
        )


@router.post("/swaps/{swap_id}/decision")
def decide_swap(here: Here, user: Editor, swap_id: str, given: SwapDecided) -> SwapView:
    """A manager's word on a swap that both want."""
    with here.database.write() as session:
        return SwapView.model_validate(
            swapping.decide(
                session,
                here.compound,
                swap_id,
                as_actor(user),
                here.clock.now(),
                approved=given.approved,
            )
        )


def open_swaps(session: Session, compound: str, user: User) -> list[DutySwap]:
    """Those a user has to do with, the next shift first."""
    query = (
        select(DutySwap)
        .where(DutySwap.compound == compound, DutySwap.state.in_([SwapState.ASKED, SwapState.ACCEPTED]))
        .order_by(DutySwap.starts_at, DutySwap.id)
    )
    if not allowed(user, Action.ROSTERS_EDIT):
        me = session.get(Responder, user.responder_id) if user.responder_id else None
        if me is None:
            return []
        team = select(Responder.id).where(Responder.team == me.team)
        query = query.where(
            or_(
                DutySwap.asker == me.id,
                DutySwap.colleague == me.id,
                (DutySwap.colleague.is_(None)) & (DutySwap.asker.in_(team)),
            )
        )
    return list(session.scalars(query))
