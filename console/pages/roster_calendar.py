"""The duty calendar of a year: holidays and make-up days as announced, and the compound's own word."""

import datetime as dt
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from alerts.duty.days import DayKind
from console.accounts.models import User
from console.api import duty_calendar
from console.api.duty_calendar import DayGiven, YearGiven
from console.context import rooms
from console.pages.answers import Answer, Said, said
from console.pages.holidays import holiday
from console.pages.typed import AsTyped
from console.pages.view import frame, render
from console.permissions import Action, may

router = APIRouter(prefix="/console/roster")
Reader = Annotated[User, may(Action.ROSTERS_READ)]
Editor = Annotated[User, may(Action.ROSTERS_EDIT)]
_FORM: Final[Said[None]] = Said(None, "roster_form", 422)
_YEARS: Final = (2004, 2100)


@router.get("/calendar")
def calendar(request: Request, user: Reader, year: Annotated[str, Query(max_length=4)] = "") -> Response:
    return _page(request, user, _year(year))


@router.post("/days")
def set_day(
    request: Request,
    user: Editor,
    day: Annotated[str, Form(max_length=10)] = "",
    kind: Annotated[str, Form(max_length=16)] = "",
    name: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """The compound's own word on a day; without a kind it is taken back."""
    here = rooms(request)
    typed = {"day": day, "kind": kind, "name": name}
    try:
        date = dt.date.fromisoformat(day)
        if not kind:
            undone = said(lambda: duty_calendar.unset_day(here, user, date))
            return _back(request, user, undone, date.year, typed)
        given = DayGiven(kind=DayKind(kind), name=name.strip())
    except (ValueError, ValidationError):
        return _back(request, user, _FORM, None, typed)
    return _back(
        request, user, said(lambda: duty_calendar.set_day(here, user, date, given)), date.year, typed
    )


@router.post("/years")
def enter_year(
    request: Request,
    user: Editor,
    year: Annotated[str, Form(max_length=4)] = "",
    source: Annotated[str, Form(max_length=128)] = "",
    days: Annotated[str, Form(max_length=8000)] = "",
) -> Response:
    """A year's notice whole: a line each for a day or a span, its kind and its name."""
    typed = {"source": source, "days": days}
    wanted = _year(year)
    if wanted is None:
        return _back(request, user, _FORM, None, typed)
    try:
        given = YearGiven(source=source.strip(), days=_written(days))
    except (ValueError, ValidationError):
        return _back(request, user, _FORM, wanted, typed)
    done = said(lambda: duty_calendar.enter_year(rooms(request), user, wanted, given))
    return _back(request, user, done, wanted, typed)


def _written(lines: str) -> dict[dt.date, DayGiven]:
    """`2027-02-05..2027-02-11 holiday 春节`, `2027-02-14 make_up 春节`. Raises `ValueError`."""
    found: dict[dt.date, DayGiven] = {}
    for line in filter(None, (one.strip() for one in lines.splitlines())):
        days, kind, name = line.split(maxsplit=2)
        first, _, last = days.partition("..")
        day, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last or first)
        if not day <= end <= day + dt.timedelta(days=31):
            raise ValueError(line)
        while day <= end:
            found[day] = DayGiven(kind=DayKind(kind), name=name)
            day += dt.timedelta(days=1)
    return found


def _year(typed: str) -> int | None:
    return (
        int(typed) if typed.isascii() and typed.isdigit() and _YEARS[0] <= int(typed) <= _YEARS[1] else None
    )


def _back(
    request: Request, user: User, done: Said[Answer], year: int | None, typed: dict[str, Any]
) -> Response:
    if done.refused:
        return _page(request, user, year, typed=typed, refused=done.refused, status=done.status)
    return RedirectResponse(f"/console/roster/calendar?year={year}", 303)


def _page(
    request: Request,
    user: User,
    year: int | None,
    *,
    typed: dict[str, Any] | None = None,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    shown = duty_calendar.duty_calendar(here, user, year)
    return render(
        view,
        "roster_calendar.html",
        status=status,
        refused=refused,
        typed=AsTyped(typed or {}),
        shown=shown,
        kinds=list(DayKind),
        holiday=holiday,
        today=view.now.astimezone(view.zone).date(),
    )
