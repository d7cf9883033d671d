"""One's own duty on a phone: who is on, checking in and out, one's shifts, swaps, hours, the calendar."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import hours
from alerts.duty.models import Responder, Shift
from alerts.duty.rostermodels import DutySwap
from console.accounts.models import User
from console.api import duty, swaps
from console.api.duty import AbsenceGiven, DutyNow
from console.api.swaps import SwapAsked
from console.context import rooms
from console.pages.answers import Answer, Said, said
from console.pages.pressing import phone_page
from console.pages.spans import minute, span
from console.pages.view import frame
from console.permissions import Action, may
from registry.models import Zone

router = APIRouter(prefix="/phone/duty")
Own = Annotated[User, may(Action.DUTY_OWN)]

_HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Swapping:
    """An open swap as its reader sees it: `mine`, or one that they are asked for."""

    row: DutySwap
    mine: bool
    who: str


@router.get("")
def page(request: Request, user: Own) -> Response:
    return _page(request, user)


@router.post("/check-in")
def check_in(request: Request, user: Own) -> Response:
    return _back(request, user, said(lambda: duty.check_in(rooms(request), user)))


@router.post("/check-out")
def check_out(request: Request, user: Own) -> Response:
    return _back(request, user, said(lambda: duty.check_out(rooms(request), user)))


@router.post("/swaps")
def ask(
    request: Request,
    user: Own,
    shift: Annotated[str, Form(max_length=64)] = "",
    colleague: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Asks a colleague, or the whole team."""
    if not shift:
        return _back(request, user, Said(None, "roster_form", 422))
    asked = SwapAsked(shift=shift, colleague=colleague or None)
    return _back(request, user, said(lambda: swaps.ask_swap(rooms(request), request, user, asked)))


@router.post("/absences")
def absent(request: Request, user: Own, shift: Annotated[str, Form(max_length=64)] = "") -> Response:
    """I cannot come to a shift of mine: its place is empty, and whoever edits rosters hears of the gap."""
    here = rooms(request)
    with here.database.read() as session:
        row = session.get(Shift, shift)
        mine = row if row is not None and row.responder == user.responder_id else None
        given = AbsenceGiven(starts_at=mine.starts_at, ends_at=mine.ends_at) if mine is not None else None
    if given is None:
        return _back(request, user, Said(None, "not_your_shift", 409))
    return _back(request, user, said(lambda: duty.absent(here, user, given)))


@router.post("/swaps/{swap_id}/accept")
def accept(request: Request, user: Own, swap_id: str) -> Response:
    return _back(request, user, said(lambda: swaps.accept_swap(rooms(request), user, swap_id)))


@router.post("/swaps/{swap_id}/decline")
def decline(request: Request, user: Own, swap_id: str) -> Response:
    return _back(request, user, said(lambda: swaps.decline_swap(rooms(request), user, swap_id)))


@router.post("/swaps/{swap_id}/withdrawal")
def withdraw(request: Request, user: Own, swap_id: str) -> Response:
    return _back(request, user, said(lambda: swaps.withdraw_swap(rooms(request), user, swap_id)))


@router.post("/feed")
def feed(request: Request, user: Own) -> Response:
    """A calendar address of one's own; shown on this answer and never again."""
    made = said(lambda: duty.make_own_feed(rooms(request), user))
    if made.answer is None:
        return _back(request, user, made)
    return _page(request, user, feed=str(request.base_url).rstrip("/") + made.answer.path)


def _back(request: Request, user: User, answer: Said[Answer]) -> Response:
    if answer.refused:
        return _page(request, user, refused=answer.refused, status=answer.status)
    return RedirectResponse("/phone/duty", 303)


def _page(
    request: Request,
    user: User,
    *,
    refused: str | None = None,
    status: int = 200,
    feed: str | None = None,
) -> Response:
    here, view = rooms(request), frame(request)
    today = view.now.astimezone(view.zone).date()
    with here.database.read() as session:
        known = said(lambda: duty.duty_of(session, here.compound, user, view.now))
        now: DutyNow | None = known.answer
        me = session.get(Responder, user.responder_id) if now is not None else None
        month = hours.own(session, here.compound, me.id, today.year, today.month, view.now) if me else None
        zones = dict(session.execute(select(Zone.id, Zone.name).where(Zone.compound == here.compound)).all())
        return phone_page(
            view,
            "phone_duty.html",
            status=status,
            refused=refused or (known.refused if now is None else None),
            duty=now,
            zones=zones,
            swaps=_swaps(session, here.compound, user, me) if me else [],
            asked={row.shift for row in swaps.open_swaps(session, here.compound, user)} if me else set(),
            colleagues=_colleagues(session, me) if me else [],
            worked=f"{month.worked / _HOUR:.1f}" if month else "",
            on_call=f"{month.on_call / _HOUR:.1f}" if month else "",
            lines=list(month.lines)[-8:] if month else [],
            feed=feed,
            span=span,
            minute=minute,
        )


def _swaps(session: Session, compound: str, user: User, me: Responder) -> list[Swapping]:
    names = dict(session.execute(select(Responder.id, Responder.name)).all())
    return [
        Swapping(row, row.asker == me.id, names.get(row.asker, ""))
        for row in swaps.open_swaps(session, compound, user)
        if row.asker == me.id or row.colleague in {None, me.id}
    ]


def _colleagues(session: Session, me: Responder) -> list[tuple[str, str]]:
    rows = session.execute(
        select(Responder.id, Responder.name)
        .where(Responder.team == me.team, Responder.active, Responder.id != me.id)
        .order_by(Responder.id)
    )
    return [(one.id, one.name) for one in rows]
