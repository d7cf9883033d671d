"""Who is on duty this week, now and next; where somebody is missing; and what waits for a manager's word."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from alerts.duty.localtime import moment
from console.accounts.models import User
from console.api import shifts, swaps
from console.api.shifts import ChangeGiven, ShiftGiven, ShiftMoved
from console.api.swaps import SwapDecided
from console.context import rooms
from console.pages.answers import Answer, Said, said
from console.pages.roster_shown import Asked, shown
from console.pages.typed import AsTyped
from console.pages.view import Frame, frame, render
from console.permissions import Action, may

router = APIRouter(prefix="/console/roster")
Reader = Annotated[User, may(Action.ROSTERS_READ)]
Editor = Annotated[User, may(Action.ROSTERS_EDIT)]
Id = Annotated[str, Form(max_length=64)]
Clock = Annotated[str, Form(max_length=8)]
Date = Annotated[str, Form(max_length=10)]
Moment = Annotated[str, Form(max_length=32)]
Where = Annotated[str, Form(max_length=64)]

_FORM: Final[Said[None]] = Said(None, "roster_form", 422)
_DONE: Final = frozenset(
    {"given", "moved", "removed", "changed", "absent", "taken_back", "approved", "refused"}
)
"""What came of a form, as the page says it afterwards."""


@dataclass(frozen=True, slots=True)
class _From:
    """The week that a form stood on, what was typed into it, and what is so once it is taken.

    `day`: the day of what came of it, whose week is shown then.
    """

    week: str = ""
    team: str = ""
    typed: dict[str, Any] | None = None
    done: str = ""
    day: str = ""


@router.get("")
def overview(
    request: Request,
    user: Reader,
    *,
    week: Annotated[str, Query(max_length=10)] = "",
    team: Annotated[str, Query(max_length=64)] = "",
    shift: Annotated[str, Query(max_length=64)] = "",
    give: Annotated[str, Query(max_length=10)] = "",
    who: Annotated[str, Query(max_length=64)] = "",
    done: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """The week; with `shift` also what can be done about that duty, with `give` a form for that day."""
    typed = {"form": "give", "day": give, "responder": who} if give else None
    asked = Asked(week, team or None, shift or None)
    return _page(request, user, asked, typed=typed, done=done if done in _DONE else "")


@router.post("/shifts")
def give(
    request: Request,
    user: Editor,
    *,
    responder: Id = "",
    day: Date = "",
    starts: Clock = "",
    ends: Clock = "",
    on_call: Annotated[str, Form()] = "",
    post: Id = "",
    week: Date = "",
    team: Where = "",
) -> Response:
    """Somebody gets a shift; one that ends no later than it begins ends on the next day."""
    typed = {
        "form": "give",
        "responder": responder,
        "day": day,
        "starts": starts,
        "ends": ends,
        "on_call": on_call,
        "post": post,
    }
    back = _From(week, team, typed, "given", day)
    try:
        begins, over = _times(day, starts, ends, frame(request))
        given = ShiftGiven(
            responder=responder, starts_at=begins, ends_at=over, on_call=bool(on_call), post=post or None
        )
    except (ValueError, ValidationError):
        return _back(request, user, _FORM, back)
    return _back(request, user, said(lambda: shifts.create_shift(rooms(request), request, user, given)), back)


@router.post("/shifts/{shift_id}/move")
def move(
    request: Request,
    user: Editor,
    shift_id: str,
    *,
    day: Date = "",
    starts: Clock = "",
    ends: Clock = "",
    week: Date = "",
    team: Where = "",
) -> Response:
    typed = {"form": "move", "shift": shift_id, "day": day, "starts": starts, "ends": ends}
    back = _From(week, team, typed, "moved", day)
    try:
        begins, over = _times(day, starts, ends, frame(request))
    except ValueError:
        return _back(request, user, _FORM, back)
    moved = ShiftMoved(starts_at=begins, ends_at=over)
    return _back(request, user, said(lambda: shifts.move_shift(rooms(request), user, shift_id, moved)), back)


@router.post("/shifts/{shift_id}/removal")
def remove(request: Request, user: Editor, shift_id: str, week: Date = "", team: Where = "") -> Response:
    done = said(lambda: shifts.remove_shift(rooms(request), user, shift_id))
    return _back(request, user, done, _From(week, team, done="removed"))


@router.post("/changes")
def change(
    request: Request,
    user: Editor,
    *,
    instead_of: Id = "",
    responder: Id = "",
    starts: Moment = "",
    ends: Moment = "",
    reason: Annotated[str, Form(max_length=200)] = "",
    week: Date = "",
    team: Where = "",
) -> Response:
    """Somebody stands in, or nobody does."""
    view = frame(request)
    typed = {
        "form": "change",
        "instead_of": instead_of,
        "responder": responder,
        "starts": starts,
        "ends": ends,
        "reason": reason,
    }
    back = _From(week, team, typed, "changed" if responder else "absent")
    try:
        given = ChangeGiven(
            instead_of=instead_of,
            responder=responder or None,
            starts_at=_local(starts, view),
            ends_at=_local(ends, view),
            reason=reason.strip() or None,
        )
    except (ValueError, ValidationError):
        return _back(request, user, _FORM, back)
    return _back(request, user, said(lambda: shifts.make_change(rooms(request), request, user, given)), back)


@router.post("/changes/{change_id}/end")
def end_change(request: Request, user: Editor, change_id: str, week: Date = "", team: Where = "") -> Response:
    done = said(lambda: shifts.end_change(rooms(request), user, change_id))
    return _back(request, user, done, _From(week, team, done="taken_back"))


@router.post("/swaps/{swap_id}")
def decide(
    request: Request,
    user: Editor,
    swap_id: str,
    *,
    verdict: Annotated[str, Form(max_length=8)] = "",
    week: Date = "",
    team: Where = "",
) -> Response:
    """A manager's word on a swap."""
    if verdict not in {"approve", "refuse"}:
        return _back(request, user, _FORM, _From(week, team))
    back = _From(week, team, done="approved" if verdict == "approve" else "refused")
    given = SwapDecided(approved=verdict == "approve")
    return _back(request, user, said(lambda: swaps.decide_swap(rooms(request), user, swap_id, given)), back)


def _back(request: Request, user: User, answer: Said[Answer], came: _From) -> Response:
    if answer.refused:
        shift = came.typed.get("shift") if came.typed else None
        asked = Asked(came.week, came.team or None, shift)
        return _page(request, user, asked, typed=came.typed, refused=answer.refused, status=answer.status)
    told = {"week": came.day or came.week, "team": came.team, "done": came.done}
    kept = {name: value for name, value in told.items() if value}
    return RedirectResponse("/console/roster" + (f"?{urlencode(kept)}" if kept else ""), 303)


def _page(
    request: Request,
    user: User,
    asked: Asked,
    *,
    typed: dict[str, Any] | None = None,
    refused: str | None = None,
    done: str = "",
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        facts = shown(session, here.compound, user, view, asked)
        kept = AsTyped(typed or {})
        return render(view, "roster.html", status=status, refused=refused, done=done, typed=kept, **facts)


def _times(day: str, starts: str, ends: str, view: Frame) -> tuple[dt.datetime, dt.datetime]:
    """A day and two hours by the compound's clock. Raises `ValueError`."""
    date, first, last = dt.date.fromisoformat(day), dt.time.fromisoformat(starts), dt.time.fromisoformat(ends)
    over = date if last > first else date + dt.timedelta(days=1)
    return moment(date, first, view.zone), moment(over, last, view.zone)


def _local(typed: str, view: Frame) -> dt.datetime:
    """What a `datetime-local` field holds, by the compound's clock. Raises `ValueError`."""
    naive = dt.datetime.fromisoformat(typed)
    return moment(naive.date(), naive.time().replace(tzinfo=None), view.zone)
