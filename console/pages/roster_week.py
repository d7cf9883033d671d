"""A week of duty, day by day: what kind of day it is, and who stands where."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.calendars import calendar_of
from alerts.duty.days import DayKind, NamedDay
from alerts.duty.localtime import moment
from alerts.duty.models import Team
from console.accounts.models import User
from console.api import shifts
from console.pages.answers import said
from console.pages.view import Frame

WEEK: Final = dt.timedelta(days=7)
_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Stood:
    """Somebody's duty as a line of a day; times as the wall shows them."""

    who: str
    starts: str
    ends: str
    on_call: bool
    post: str
    now: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the week with the duties that begin on it, by team."""

    date: dt.date
    kind: DayKind | None
    name: str
    teams: tuple[tuple[str, tuple[Stood, ...]], ...]
    today: bool


def days(
    session: Session, compound: str, user: User, view: Frame, monday: dt.date, zones: dict[str, str]
) -> list[Day]:
    """The seven days from `monday`, with the duties that a user may see."""
    calendar = calendar_of(session, compound)
    start = moment(monday, dt.time(), view.zone)
    end = moment(monday + WEEK, dt.time(), view.zone)
    rows = said(lambda: shifts.shifts(session, compound, user, start, end)).answer or []
    names: dict[str, str] = {
        team.id: team.name for team in session.scalars(select(Team).where(Team.compound == compound))
    }
    found: list[Day] = []
    for number in range(7):
        date = monday + dt.timedelta(days=number)
        by_team: dict[str, list[Stood]] = {}
        for row in rows:
            local, until = row.starts_at.astimezone(view.zone), row.ends_at.astimezone(view.zone)
            if local.date() != date:
                continue
            by_team.setdefault(names[row.team], []).append(
                Stood(
                    row.name,
                    f"{local:%H:%M}",
                    _ends(until, date),
                    row.on_call,
                    zones.get(row.post or "", ""),
                    row.starts_at <= view.now < row.ends_at,
                )
            )
        known = calendar.known(date)
        named: NamedDay | None = calendar.named(date)
        found.append(
            Day(
                date,
                calendar.kind(date) if known else None,
                named.name if named and date in calendar.own else "",
                tuple((team, tuple(its)) for team, its in by_team.items()),
                date == view.now.astimezone(view.zone).date(),
            )
        )
    return found


def _ends(until: dt.datetime, date: dt.date) -> str:
    """The hour at which a duty of `date` ends, and how many days later where that is another day."""
    later = (until - dt.timedelta(microseconds=1)).date() - date
    return f"{until:%H:%M}" + ("⁺" + str(later.days).translate(_RAISED) if later else "")
