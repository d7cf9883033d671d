"""Hours of duty in a month: one's own, and those of a team for whoever answers for it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.localtime import moment
from alerts.duty.models import Responder, Shift, Team
from registry.days import time_zone


@dataclass(frozen=True, slots=True)
class Line:
    """A duty, cut to the month. `ended_by`: self, limit, a user's id, or None where it ran its time."""

    shift: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool
    by_own_word: bool
    ended_by: str | None

    @property
    def time(self) -> dt.timedelta:
        return self.ends_at - self.starts_at


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody has stood: `worked` on the spot, `on_call` at home. Why they were away is not in it."""

    responder: str
    lines: tuple[Line, ...]

    @property
    def worked(self) -> dt.timedelta:
        return sum((one.time for one in self.lines if not one.on_call), dt.timedelta())

    @property
    def on_call(self) -> dt.timedelta:
        return sum((one.time for one in self.lines if one.on_call), dt.timedelta())


def month_of(year: int, month: int, zone: dt.tzinfo) -> tuple[dt.datetime, dt.datetime]:
    """The first moment of a local month and of the next one."""
    first = dt.date(year, month, 1)
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return moment(first, dt.time(), zone), moment(following, dt.time(), zone)


def statement(responder: str, shifts: Iterable[Shift], start: dt.datetime, end: dt.datetime) -> Statement:
    """What of these shifts was stood in [start, end)."""
    lines = [
        Line(
            row.id,
            max(row.starts_at, start),
            min(row.ends_at, end),
            row.on_call,
            row.checked_in_at is not None,
            row.closed_by,
        )
        for row in shifts
        if row.starts_at < end and row.ends_at > start
    ]
    return Statement(responder, tuple(sorted(lines, key=lambda line: (line.starts_at, line.shift))))


def own(
    session: Session, compound: str, responder: str, year: int, month: int, now: dt.datetime
) -> Statement:
    """One's own month, until now."""
    start, end = month_of(year, month, time_zone(session, compound))
    return statement(responder, _shifts(session, [responder], start, min(end, now)), start, min(end, now))


def of_team(
    session: Session, compound: str, team: str, year: int, month: int, now: dt.datetime
) -> Sequence[Statement]:
    """Everybody's month in a team, by id; also of those who have left it."""
    start, end = month_of(year, month, time_zone(session, compound))
    end = min(end, now)
    people = session.scalars(
        select(Responder.id)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound, Team.id == team)
        .order_by(Responder.id)
    ).all()
    rows = _shifts(session, people, start, end)
    return [statement(one, [row for row in rows if row.responder == one], start, end) for one in people]


def _shifts(session: Session, people: Sequence[str], start: dt.datetime, end: dt.datetime) -> Sequence[Shift]:
    return session.scalars(
        select(Shift).where(Shift.responder.in_(people), Shift.starts_at < end, Shift.ends_at > start)
    ).all()
