"""Somebody stands in for somebody, or is away: changes by name that lie over all rosters."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import planning
from alerts.duty.limits import Stretch, fault
from alerts.duty.marks import hold, mark
from alerts.duty.models import Responder, Shift
from alerts.duty.people import limits_of, responder_of, rules_of, shifts_around
from alerts.duty.rostermodels import DutyChange
from alerts.duty.told import News, tell
from alerts.incidents.actor import Actor
from registry import rows
from registry.days import time_zone
from registry.errors import RefusedError
from storage import new_id

LONGEST: Final = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Change:
    """From `starts_at` until `ends_at` `responder` instead of `instead_of`; None: nobody, an absence."""

    instead_of: str
    responder: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason: str | None = None
    swap: str | None = None


def make(session: Session, compound: str, change: Change, by: Actor, at: dt.datetime) -> DutyChange:
    """Makes a change and brings the shifts up to it; it begins now at the earliest.

    Raises `MissingError`; `RefusedError`: change_empty, change_too_long, change_over, same_person,
    and for whoever stands in already_on_duty, rest_too_short, hours_too_many.
    """
    hold(session, compound)
    starts_at = max(change.starts_at, at)
    if change.ends_at <= change.starts_at:
        raise RefusedError("change_empty")
    if change.ends_at <= at:
        raise RefusedError("change_over")
    if change.ends_at - starts_at > LONGEST:
        raise RefusedError("change_too_long", days=LONGEST.days)
    if change.responder == change.instead_of:
        raise RefusedError("same_person")
    responder_of(session, compound, change.instead_of)
    if change.responder is not None:
        # What is being taken over has to be written before it can be weighed.
        planning.sync(session, compound, at)
        check(session, compound, change.responder, _taken_over(session, change, starts_at))
    row = lay(session, compound, replace(change, starts_at=starts_at), by, at)
    planning.sync(session, compound, at)
    return row


def lay(session: Session, compound: str, change: Change, by: Actor, at: dt.datetime) -> DutyChange:
    """Writes a change that somebody has weighed, and changes what no roster writes; the others come after."""
    row = DutyChange(
        id=new_id(),
        compound=compound,
        made_at=at,
        instead_of=change.instead_of,
        responder=change.responder,
        starts_at=change.starts_at,
        ends_at=change.ends_at,
        reason=(change.reason or "").strip()[:200] or None,
        author=by.id,
        swap=change.swap,
    )
    session.add(row)
    session.flush()
    what = "duty.absent" if change.responder is None else "duty.changed"
    mark(session, compound, by, at, what, f"duty_change:{row.id}", f"responder:{change.instead_of}")
    _by_hand(session, compound, row, at)
    return row


def end(session: Session, compound: str, change_id: str, by: Actor, at: dt.datetime) -> DutyChange:
    """Takes a change back: what it has not yet changed is as the roster says.

    Shifts that were entered by hand stay with whoever has them. Raises `MissingError`,
    `RefusedError("change_over")`.
    """
    hold(session, compound)
    row = rows.find(session, DutyChange, compound, change_id, "duty_change")
    if row.ended_at is not None or row.ends_at <= at:
        raise RefusedError("change_over")
    if row.starts_at < at:
        # What has been stood was stood so.
        row.ends_at = at
    row.ended_at = at if row.starts_at >= at else None
    session.flush()
    mark(session, compound, by, at, "duty.change_ended", f"duty_change:{row.id}")
    planning.sync(session, compound, at)
    return row


def check(
    session: Session,
    compound: str,
    responder: str,
    taken: list[Stretch],
    *,
    without: frozenset[str] = frozenset(),
) -> None:
    """Whether somebody may have these duties beside their own, those of `without` (ids) apart.

    Raises `MissingError`, and `RefusedError` with the limit's code.
    """
    person, _ = responder_of(session, compound, responder)
    limits, zone = limits_of(rules_of(session, compound)), time_zone(session, compound)
    for place, new in enumerate(taken):
        mine = [
            Stretch(one.starts_at, one.ends_at, one.on_call)
            for one in shifts_around(session, responder, new.starts_at, new.ends_at)
            if one.id not in without
        ]
        found = fault([*mine, *taken[:place]], new, limits, person.hours_most, zone)
        if found is not None:
            raise RefusedError(str(found), rest_h=int(limits.rest / dt.timedelta(hours=1)))


def _taken_over(session: Session, change: Change, starts_at: dt.datetime) -> list[Stretch]:
    found = session.scalars(
        select(Shift)
        .where(
            Shift.responder == change.instead_of,
            Shift.ends_at > starts_at,
            Shift.starts_at < change.ends_at,
        )
        .order_by(Shift.starts_at)
    )
    return [
        Stretch(max(one.starts_at, starts_at), min(one.ends_at, change.ends_at), one.on_call) for one in found
    ]


def _by_hand(session: Session, compound: str, change: DutyChange, at: dt.datetime) -> None:
    """Shifts that no roster writes are changed themselves; one that has begun is cut at the change."""
    found = session.scalars(
        select(Shift)
        .join(Responder, Responder.id == Shift.responder)
        .where(
            Shift.responder == change.instead_of,
            Shift.ends_at > change.starts_at,
            Shift.starts_at < change.ends_at,
            (Shift.roster.is_(None)) | Shift.touched,
            # Who has come by their own word goes by it.
            Shift.checked_in_at.is_(None),
        )
    ).all()
    news: list[News] = []
    for row in found:
        first, last = max(row.starts_at, change.starts_at), min(row.ends_at, change.ends_at)
        news.append(News.of("removed" if first == row.starts_at else "changed", row))
        if last < row.ends_at:
            session.add(_part(row, row.responder, last, row.ends_at))
        if change.responder is not None:
            stands_in = _part(row, change.responder, first, last)
            session.add(stands_in)
            news.append(News.of("added", stands_in))
        if first == row.starts_at:
            session.delete(row)
        else:
            row.ends_at = first
    session.flush()
    tell(session, compound, news, at)


def _part(row: Shift, responder: str, starts_at: dt.datetime, ends_at: dt.datetime) -> Shift:
    return Shift(
        id=new_id(),
        responder=responder,
        starts_at=starts_at,
        ends_at=ends_at,
        on_call=row.on_call,
        post=row.post,
    )
