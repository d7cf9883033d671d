"""Volunteers come and go by their own word. Nobody stays checked in for longer than the limit."""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.dispatch import positions
from alerts.duty.limits import Fault, week_hours
from alerts.duty.marks import hold, mark
from alerts.duty.models import Responder, Shift, Team
from alerts.duty.onduty import is_on_duty
from alerts.duty.people import limits_of, responder_of, rules_of, shifts_around
from alerts.duty.told import News, tell
from alerts.incidents.actor import Actor
from registry.days import time_zone
from registry.errors import RefusedError
from storage import new_id

EARLY: Final = dt.timedelta(minutes=30)
"""Whoever comes so much before their shift has come for it."""

SHORTEST: Final = dt.timedelta(minutes=1)
AT_ONCE: Final = 100


def check_in(session: Session, compound: str, responder: str, by: Actor, at: dt.datetime) -> Shift:
    """Begins a duty by the responder's own word, or says that they have come to the one that is written.

    It ends when they check out, at the latest after the compound's limit and before the week's hours
    are used up. Raises `MissingError`; `RefusedError`: already_checked_in, hours_too_many.
    """
    hold(session, compound)
    person, _ = responder_of(session, compound, responder)
    if current(session, responder, at) is not None:
        raise RefusedError("already_checked_in")
    rules = rules_of(session, compound)
    limits, zone = limits_of(rules), time_zone(session, compound)
    # What has ended by its limit and was not looked at yet is closed: it is not what they are in now.
    _close_ended(session, responder, at)
    row = session.scalars(
        select(Shift)
        .where(
            Shift.responder == responder,
            Shift.starts_at <= at + EARLY,
            Shift.ends_at > at,
            Shift.on_call.is_(False),
            Shift.checked_in_at.is_(None),
        )
        .order_by(Shift.starts_at)
        .limit(1)
    ).first()
    if row is None:
        until = at + limits.check_in
        if person.hours_most is not None:
            used = week_hours(shifts_around(session, responder, at, until), zone)
            monday = at.astimezone(zone).date() - dt.timedelta(days=at.astimezone(zone).weekday())
            left = dt.timedelta(hours=person.hours_most) - used.get(monday, dt.timedelta())
            until = min(until, at + left)
        if until < at + SHORTEST:
            raise RefusedError(str(Fault.HOURS), rest_h=rules.rest_h)
        row = Shift(id=new_id(), responder=responder, starts_at=at, ends_at=until)
        session.add(row)
    else:
        row.starts_at = min(row.starts_at, at)
    row.checked_in_at, row.touched = at, True
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise RefusedError("already_checked_in") from error
    mark(session, compound, by, at, "duty.checked_in", f"responder:{responder}")
    return row


def check_out(session: Session, compound: str, responder: str, by: Actor, at: dt.datetime) -> Shift:
    """Ends the duty that the responder has checked in to; where they are is forgotten with it.

    Raises `RefusedError("not_checked_in")`.
    """
    hold(session, compound)
    row = current(session, responder, at)
    if row is None:
        raise RefusedError("not_checked_in")
    row.checked_out_at = row.ends_at = at
    row.closed_by = "self"
    session.flush()
    positions.forget(session, responder)
    mark(session, compound, by, at, "duty.checked_out", f"responder:{responder}")
    return row


def current(session: Session, responder: str, at: dt.datetime) -> Shift | None:
    """The duty that somebody is checked in to."""
    return session.scalars(
        select(Shift).where(
            Shift.responder == responder,
            Shift.checked_in_at <= at,
            Shift.checked_out_at.is_(None),
            Shift.ends_at > at,
        )
    ).first()


def keep(session: Session, now: dt.datetime) -> int:
    """The round: whoever forgot to check out is checked out by the limit, and hears of it."""
    found = session.execute(
        select(Shift, Team.compound)
        .join(Responder, Responder.id == Shift.responder)
        .join(Team, Team.id == Responder.team)
        .where(Shift.checked_in_at.is_not(None), Shift.checked_out_at.is_(None), Shift.ends_at <= now)
        .order_by(Shift.ends_at)
        .limit(AT_ONCE)
    )
    done = 0
    for row, compound in found:
        _by_limit(session, row, now)
        tell(session, compound, [News.of("checked_out", row)], now)
        done += 1
    session.flush()
    return done


def _close_ended(session: Session, responder: str, at: dt.datetime) -> None:
    for row in session.scalars(
        select(Shift).where(
            Shift.responder == responder,
            Shift.checked_in_at.is_not(None),
            Shift.checked_out_at.is_(None),
            Shift.ends_at <= at,
        )
    ):
        _by_limit(session, row, at)
    session.flush()


def _by_limit(session: Session, row: Shift, at: dt.datetime) -> None:
    row.checked_out_at, row.closed_by = row.ends_at, "limit"
    if not is_on_duty(session, row.responder, at):
        # Shifts that nobody checks in to end by the clock: the round of positions sees to those.
        positions.forget(session, row.responder)
