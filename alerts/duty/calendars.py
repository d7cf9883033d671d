"""The duty calendar of a compound: the announced days, and what the compound has said of its own."""

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from alerts.duty import china
from alerts.duty.days import DayKind, DutyCalendar, NamedDay
from alerts.duty.marks import mark
from alerts.duty.rostermodels import CalendarDay, CalendarYear
from alerts.incidents.actor import Actor
from registry.errors import MissingError, RefusedError

NAME_LONGEST = 64


def calendar_of(session: Session, compound: str) -> DutyCalendar:
    """A year is known when its notice is in the library, or when somebody here has entered it."""
    own = session.scalars(select(CalendarDay).where(CalendarDay.compound == compound))
    entered = session.scalars(select(CalendarYear.year).where(CalendarYear.compound == compound))
    return DutyCalendar(
        china.published(),
        china.years() | set(entered),
        {row.day: NamedDay(DayKind(row.kind), row.name) for row in own},
    )


def set_day(
    session: Session, compound: str, day: dt.date, named: NamedDay, by: Actor, at: dt.datetime
) -> CalendarDay:
    """Says what a day is, in place of what was said or announced. Raises `RefusedError("name_missing")`."""
    if not named.name.strip():
        raise RefusedError("name_missing")
    row = session.get(CalendarDay, (compound, day))
    if row is None:
        row = CalendarDay(compound=compound, day=day)
        session.add(row)
    row.kind, row.name, row.author, row.at = named.kind, named.name.strip()[:NAME_LONGEST], by.id, at
    session.flush()
    mark(session, compound, by, at, "calendar.day_set", f"calendar_day:{day}", str(named.kind))
    return row


def unset_day(session: Session, compound: str, day: dt.date, by: Actor, at: dt.datetime) -> None:
    """What was announced holds again. Raises `MissingError`."""
    row = session.get(CalendarDay, (compound, day))
    if row is None:
        raise MissingError("calendar_day")
    session.delete(row)
    session.flush()
    mark(session, compound, by, at, "calendar.day_unset", f"calendar_day:{day}")


def enter_year(
    session: Session,
    compound: str,
    year: int,
    source: str,
    days: Mapping[dt.date, NamedDay],
    by: Actor,
    at: dt.datetime,
) -> None:
    """Enters a year's notice whole: `days` are its holidays and make-up days, the rest is what the week says.

    Replaces the compound's own days of the year. Raises `RefusedError`: calendar_year (a day of another
    year), calendar_no_holidays (a year without a holiday is no notice), name_missing (no source).
    """
    if any(day.year != year for day in days):
        raise RefusedError("calendar_year")
    if not any(one.kind is DayKind.HOLIDAY for one in days.values()):
        raise RefusedError("calendar_no_holidays")
    if not source.strip():
        raise RefusedError("name_missing")
    first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    session.execute(
        delete(CalendarDay).where(CalendarDay.compound == compound, CalendarDay.day.between(first, last))
    )
    session.expire_all()
    session.add_all(
        CalendarDay(
            compound=compound, day=day, kind=one.kind, name=one.name[:NAME_LONGEST], author=by.id, at=at
        )
        for day, one in days.items()
    )
    entered = session.get(CalendarYear, (compound, year))
    if entered is None:
        entered = CalendarYear(compound=compound, year=year)
        session.add(entered)
    entered.source, entered.author, entered.at = source.strip()[:128], by.id, at
    session.flush()
    mark(session, compound, by, at, "calendar.year_entered", f"calendar_year:{year}", f"days={len(days)}")
