"""A week of duty: what kind of day each is, who stands where, where somebody is missing or away."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from babel.dates import format_date
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import gaps, planning
from alerts.duty.calendars import calendar_of
from alerts.duty.days import DayKind, NamedDay
from alerts.duty.localtime import moment
from alerts.duty.models import Responder, Team
from alerts.duty.rostermodels import DutyChange
from console.accounts.models import User
from console.api import shifts
from console.api.shifts import ShiftView
from console.pages.answers import said
from console.pages.holidays import holiday
from console.pages.roster_gaps import Bar, Lacking, Missing, ends_of, lacking
from console.pages.view import Frame

WEEK: Final = dt.timedelta(days=7)
ROWS_MOST: Final = 60
"""People whom a week shows at once; of more, a team is chosen."""

BARS_MOST: Final = 6
"""Gaps over several days that a week shows at once."""

_GAPS_A_DAY: Final = 4


@dataclass(frozen=True, slots=True)
class Stood:
    """Somebody's duty as a line of a day; times as the wall shows them.

    `id` None: it follows from a roster and is not written yet. `over`: it began on an earlier day.
    """

    id: str | None
    who: str
    starts: str
    ends: str
    on_call: bool
    post: str
    now: bool
    over: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the week with the duties that begin on it, by team; `more` gaps are not listed.

    `missing` holds what is short of a day; longer gaps are the week's.
    """

    date: dt.date
    label: str
    kind: DayKind | None
    name: str
    teams: tuple[tuple[str, tuple[Stood, ...]], ...]
    missing: tuple[Missing, ...]
    more: int
    today: bool
    past: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody's week: for each day the duties, and whether they are away."""

    id: str
    name: str
    cells: tuple[tuple[tuple[Stood, ...], bool], ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Days across, people down, by team; `left_out` people and `more` bars are not shown."""

    days: tuple[Day, ...]
    bars: tuple[Bar, ...]
    more: int
    teams: tuple[tuple[str, str, tuple[Row, ...]], ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Place:
    """What a week is drawn for."""

    compound: str
    user: User
    view: Frame
    monday: dt.date
    zones: Mapping[str, str]
    team: str | None = None
    # Whoever sees all teams also sees gaps and what is not written yet.
    whole: bool = True


def week_of(session: Session, place: Place, people: Sequence[tuple[Responder, Team]]) -> Week:
    """The week, with the duties that the user may see."""
    view, monday = place.view, place.monday
    start = moment(monday, dt.time(), view.zone)
    end = moment(monday + WEEK, dt.time(), view.zone)
    rows = (
        said(lambda: shifts.shifts(session, place.compound, place.user, start, end, place.team)).answer or []
    )
    lines = [*_written(rows), *(_planned(session, place, people, start, end) if place.whole else ())]
    away = _away(session, place.compound, start, end) if place.whole else {}
    shown = [
        (team, person)
        for person, team in people
        if any(one.responder == person.id for one in lines)
        or (person.id in away and place.team in {None, team.id})
    ]
    teams: dict[str, tuple[str, list[Row]]] = {}
    for team, person in shown[:ROWS_MOST]:
        its = [one for one in lines if one.responder == person.id]
        row = Row(
            person.id, person.name, tuple(_cell(its, away.get(person.id, ()), place, n) for n in range(7))
        )
        teams.setdefault(team.id, (team.name, []))[1].append(row)
    whole = place.whole and place.team is None
    lacks = _lacking(session, place, start, end) if whole else Lacking({}, ())
    return Week(
        _days(session, place, lines, people, lacks),
        lacks.bars[:BARS_MOST],
        max(0, len(lacks.bars) - BARS_MOST),
        tuple((key, name, tuple(its)) for key, (name, its) in teams.items()),
        max(0, len(shown) - ROWS_MOST),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    id: str | None
    responder: str
    who: str
    team: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool
    post: str | None


def _written(rows: Sequence[ShiftView]) -> list[_Line]:
    return [
        _Line(one.id, one.responder, one.name, one.team, one.starts_at, one.ends_at, one.on_call, one.post)
        for one in rows
        if one.ends_at > one.starts_at
    ]


def _planned(
    session: Session,
    place: Place,
    people: Sequence[tuple[Responder, Team]],
    start: dt.datetime,
    end: dt.datetime,
) -> list[_Line]:
    """What follows from rosters beyond the days that are written."""
    since = max(start, place.view.now + planning.AHEAD)
    if since >= end:
        return []
    known = {person.id: (person, team) for person, team in people}
    found = []
    for one in planning.planned(session, place.compound, since, end).duties:
        person, team = known.get(one.responder, (None, None))
        if person is None or team is None or one.starts_at < since or place.team not in {None, team.id}:
            continue
        found.append(
            _Line(None, person.id, person.name, team.id, one.starts_at, one.ends_at, one.on_call, one.post)
        )
    return found


def _away(
    session: Session, compound: str, start: dt.datetime, end: dt.datetime
) -> dict[str, list[tuple[dt.datetime, dt.datetime]]]:
    rows = session.execute(
        select(DutyChange.instead_of, DutyChange.starts_at, DutyChange.ends_at).where(
            DutyChange.compound == compound,
            DutyChange.responder.is_(None),
            DutyChange.ended_at.is_(None),
            DutyChange.ends_at > start,
            DutyChange.starts_at < end,
        )
    )
    found: dict[str, list[tuple[dt.datetime, dt.datetime]]] = {}
    for who, starts_at, ends_at in rows:
        found.setdefault(who, []).append((starts_at, ends_at))
    return found


def _days(
    session: Session,
    place: Place,
    lines: Sequence[_Line],
    people: Sequence[tuple[Responder, Team]],
    lacks: Lacking,
) -> tuple[Day, ...]:
    view = place.view
    calendar = calendar_of(session, place.compound)
    names = {team.id: team.name for _, team in people}
    today = view.now.astimezone(view.zone).date()
    found: list[Day] = []
    for number in range(7):
        date = place.monday + dt.timedelta(days=number)
        by_team: dict[str, list[Stood]] = {}
        for one in sorted(lines, key=lambda line: line.starts_at):
            if one.starts_at.astimezone(view.zone).date() == date:
                by_team.setdefault(names.get(one.team, ""), []).append(_stood(one, place, date))
        named: NamedDay | None = calendar.named(date)
        missing = lacks.by_day.get(number, ())
        found.append(
            Day(
                date,
                format_date(date, "EEE", locale=view.t.locale),
                calendar.kind(date) if calendar.known(date) else None,
                holiday(view.t, named.name) if named else "",
                tuple((team, tuple(its)) for team, its in by_team.items()),
                missing[:_GAPS_A_DAY],
                max(0, len(missing) - _GAPS_A_DAY),
                date == today,
                date < today,
            )
        )
    return tuple(found)


def _lacking(session: Session, place: Place, start: dt.datetime, end: dt.datetime) -> Lacking:
    """Gaps from now on and as far as shifts are written."""
    view = place.view
    since, until = max(start, view.now), min(end, view.now + planning.AHEAD)
    found = gaps.look(session, place.compound, since, until) if since < until else ()
    return lacking(found, place.monday, view.zone, place.zones)


def _cell(
    lines: Sequence[_Line], away: Sequence[tuple[dt.datetime, dt.datetime]], place: Place, number: int
) -> tuple[tuple[Stood, ...], bool]:
    view = place.view
    date = place.monday + dt.timedelta(days=number)
    start = moment(date, dt.time(), view.zone)
    end = moment(date + dt.timedelta(days=1), dt.time(), view.zone)
    its = sorted(
        (one for one in lines if one.starts_at < end and one.ends_at > start), key=lambda one: one.starts_at
    )
    return (
        tuple(_stood(one, place, date) for one in its),
        any(starts_at < end and ends_at > start for starts_at, ends_at in away),
    )


def _stood(one: _Line, place: Place, date: dt.date) -> Stood:
    view = place.view
    local, until = one.starts_at.astimezone(view.zone), one.ends_at.astimezone(view.zone)
    return Stood(
        one.id,
        one.who,
        f"{local:%H:%M}",
        _ends(until, date),
        one.on_call,
        place.zones.get(one.post or "", ""),
        one.starts_at <= view.now < one.ends_at,
        local.date() < date,
    )


def _ends(until: dt.datetime, date: dt.date) -> str:
    """The hour at which a duty of `date` ends."""
    return ends_of(until, ((until - dt.timedelta(microseconds=1)).date() - date).days)
