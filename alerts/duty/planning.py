"""Rosters become shifts, some days ahead. Done again it does nothing; done after a change it changes what
has not begun and what nobody has touched by hand, and says so to those whom it concerns.
"""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.calendars import calendar_of
from alerts.duty.definition import read
from alerts.duty.marks import hold
from alerts.duty.models import Responder, Shift, Team
from alerts.duty.roster import DutyRoster, Expansion, Override, PlannedDuty, expand, overlay
from alerts.duty.rostermodels import DutyChange, Roster
from alerts.duty.told import News, tell
from registry.days import time_zone
from storage import new_id

AHEAD: Final = dt.timedelta(days=14)
"""How far ahead shifts are written: long enough to swap, short enough that a new roster soon holds."""

AT_ONCE: Final = 300
"""Rows written in one commit; what is left is written in the next turn."""

_LONGEST: Final = dt.timedelta(days=2)


def rosters_of(session: Session, compound: str) -> list[DutyRoster]:
    """The compound's rosters as values; a temporary one suspends the one it stands in for."""
    rows = session.scalars(select(Roster).where(Roster.compound == compound).order_by(Roster.id)).all()
    zone = time_zone(session, compound)
    return [
        DutyRoster(
            row.id,
            row.team,
            zone,
            read(row.slots),
            row.starts_on,
            row.ends_on,
            tuple((one.starts_on, one.ends_on) for one in rows if one.replaces == row.id),
        )
        for row in rows
    ]


def changes_of(session: Session, compound: str, start: dt.datetime) -> list[Override]:
    """Changes and absences that hold after `start`, in the order in which they were made."""
    rows = session.scalars(
        select(DutyChange)
        .where(DutyChange.compound == compound, DutyChange.ends_at > start, DutyChange.ended_at.is_(None))
        .order_by(DutyChange.made_at, DutyChange.id)
    )
    return [Override(row.instead_of, row.responder, row.starts_at, row.ends_at) for row in rows]


def planned(
    session: Session, compound: str, start: dt.datetime, end: dt.datetime, only: str | None = None
) -> Expansion:
    """Duties by all rosters (or `only` one) that overlap [start, end), with all changes laid over them.

    Without those whom nobody knows any more, or who are not active: their places are empty.
    """
    calendar = calendar_of(session, compound)
    duties: list[PlannedDuty] = []
    unknown: set[int] = set()
    for roster in rosters_of(session, compound):
        if only is None or roster.id == only:
            found = expand(roster, calendar, start - _LONGEST, end)
            duties += found.duties
            unknown |= found.unknown_years
    active = set(
        session.scalars(
            select(Responder.id)
            .join(Team, Team.id == Responder.team)
            .where(Team.compound == compound, Responder.active)
        )
    )
    laid = overlay(duties, changes_of(session, compound, start - _LONGEST))
    return Expansion(
        tuple(one for one in laid if one.responder in active and one.ends_at > start),
        frozenset(unknown),
    )


def sync(session: Session, compound: str, at: dt.datetime) -> int:
    """Writes the shifts of the next days; returns how many rows it made, changed or took away."""
    hold(session, compound)
    # A duty that was cut just now has ended; its row has to hear of it.
    wanted = {
        (one.roster, one.place): one for one in planned(session, compound, at - _LONGEST, at + AHEAD).duties
    }
    rosters = select(Roster.id).where(Roster.compound == compound)
    rows = {
        (row.roster or "", row.place or ""): row
        for row in session.scalars(
            select(Shift).where(
                Shift.roster.in_(rosters), Shift.place.is_not(None), Shift.ends_at > at - _LONGEST
            )
        )
    }
    news: list[News] = []
    done = 0
    for key, row in rows.items():
        if done >= AT_ONCE:
            break
        if row.ends_at > at and not row.touched:
            done += _changed(session, row, wanted.get(key), at, news)
    # What has ended is nobody's to write any more.
    new = [one for key, one in wanted.items() if key not in rows and one.ends_at > at]
    for one in new[: max(0, AT_ONCE - done)]:
        row = _row(one)
        session.add(row)
        done += 1
        if one.changed:
            news.append(News.of("added", row))
    session.flush()
    tell(session, compound, news, at)
    return done


def _changed(
    session: Session, row: Shift, duty: PlannedDuty | None, at: dt.datetime, news: list[News]
) -> int:
    if row.starts_at <= at:
        # Whoever stands it goes on standing it; a change by name may end it earlier, and no other.
        if duty is None or not duty.changed or duty.responder != row.responder:
            return 0
        if duty.ends_at >= row.ends_at:
            return 0
        row.ends_at = max(duty.ends_at, at)
        news.append(News.of("changed", row))
        return 1
    if duty is None:
        news.append(News.of("removed", row))
        session.delete(row)
        return 1
    was = (row.responder, row.starts_at, row.ends_at, row.on_call, row.post)
    now = (duty.responder, duty.starts_at, duty.ends_at, duty.on_call, duty.post)
    if was == now:
        return 0
    if row.responder != duty.responder:
        news.append(News.of("removed", row))
    row.responder, row.starts_at, row.ends_at, row.on_call, row.post = now
    news.append(News.of("changed" if was[0] == now[0] else "added", row))
    return 1


def _row(one: PlannedDuty) -> Shift:
    return Shift(
        id=new_id(),
        responder=one.responder,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        on_call=one.on_call,
        post=one.post,
        roster=one.roster,
        place=one.place,
    )


def keep(session: Session, now: dt.datetime) -> int:
    """The round: every compound that has rosters, until so many rows are written."""
    done = 0
    for compound in session.scalars(select(Roster.compound).distinct().order_by(Roster.compound)).all():
        done += sync(session, compound, now)
        if done >= AT_ONCE:
            break
    return done
