"""The duty calendar: what kind of day a day is, and the compound's own word on it."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from alerts.duty import calendars
from alerts.duty.days import DayKind, NamedDay
from console.accounts.models import User
from console.api.places import Here
from console.permissions import Action, may
from console.security import as_actor
from registry.days import local_date

router = APIRouter(tags=["duty"])
Reader = Annotated[User, may(Action.ROSTERS_READ)]
Editor = Annotated[User, may(Action.ROSTERS_EDIT)]
Year = Annotated[int, Field(ge=2004, le=2100)]


class DayGiven(BaseModel):
    """What a day is here."""

    kind: DayKind
    name: Annotated[str, Field(min_length=1, max_length=64)]


class DayView(BaseModel):
    """A day that is not what the week says; `own`: this compound has said so."""

    day: dt.date
    kind: DayKind
    name: str
    own: bool


class CalendarView(BaseModel):
    """`known`: the year's notice is in. Where it is not, only the own days can be told."""

    year: int
    known: bool
    days: list[DayView]


class YearGiven(BaseModel):
    """A year's notice: every holiday and every make-up working day. `source` is its number."""

    source: Annotated[str, Field(min_length=1, max_length=128)]
    days: Annotated[dict[dt.date, DayGiven], Field(max_length=120)]


@router.get("/duty-calendar")
def duty_calendar(
    here: Here, _: Reader, year: Annotated[int | None, Query(ge=2004, le=2100)] = None
) -> CalendarView:
    """The exceptions of a year, this one's where none is given."""
    with here.database.read() as session:
        wanted = year or local_date(session, here.compound, here.clock.now()).year
        calendar = calendars.calendar_of(session, here.compound)
        days = {day for day in (*calendar.published, *calendar.own) if day.year == wanted}
        return CalendarView(
            year=wanted,
            known=wanted in calendar.years,
            days=[
                DayView(day=day, kind=named.kind, name=named.name, own=day in calendar.own)
                for day in sorted(days)
                if (named := calendar.named(day)) is not None
            ],
        )


@router.put("/duty-calendar/{day}")
def set_day(here: Here, user: Editor, day: dt.date, given: DayGiven) -> DayView:
    """Says what a day is, whatever was announced."""
    with here.database.write() as session:
        calendars.set_day(
            session,
            here.compound,
            day,
            NamedDay(given.kind, given.name),
            as_actor(user),
            here.clock.now(),
        )
    return DayView(day=day, kind=given.kind, name=given.name, own=True)


@router.delete("/duty-calendar/{day}", status_code=204)
def unset_day(here: Here, user: Editor, day: dt.date) -> None:
    """What was announced holds again."""
    with here.database.write() as session:
        calendars.unset_day(session, here.compound, day, as_actor(user), here.clock.now())


@router.put("/duty-calendar/years/{year}", status_code=204)
def enter_year(here: Here, user: Editor, year: Year, given: YearGiven) -> None:
    """Enters a year that the program does not know yet, whole; its other days are what the week says."""
    days = {day: NamedDay(one.kind, one.name) for day, one in given.days.items()}
    with here.database.write() as session:
        calendars.enter_year(
            session, here.compound, year, given.source, days, as_actor(user), here.clock.now()
        )
