"""Swaps: somebody asks a colleague, or the whole team, to take a duty; the colleague says yes; where the
compound wants it, a manager does too. Of two who say yes at once one has it.
"""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import changing, planning
from alerts.duty.changing import Change
from alerts.duty.limits import Stretch
from alerts.duty.marks import hold, mark
from alerts.duty.models import Responder, Shift
from alerts.duty.people import managers, responder_of, rules_of
from alerts.duty.rostermodels import DutySwap, SwapState
from alerts.duty.told import swap as tell_swap
from alerts.incidents.actor import Actor
from alerts.notify.asking import answered, withdraw
from registry import rows
from registry.errors import MissingError, RefusedError
from storage import new_id

AT_ONCE: Final = 100


def ask(
    session: Session,
    compound: str,
    shift_id: str,
    asker: str,
    colleague: str | None,
    back: str | None,
    by: Actor,
    at: dt.datetime,
) -> DutySwap:
    """Asks `colleague`, or everybody of the team, to take a shift; `back` is a shift of theirs in return.

    Raises `MissingError`; `RefusedError`: shift_begun, not_your_shift, swap_open, same_person,
    swap_needs_colleague (something in return is asked of somebody), swap_overlaps, other_team, and
    what the colleague's limits say.
    """
    hold(session, compound)
    shift = _future(session, compound, shift_id, at)
    if shift.responder != asker:
        raise RefusedError("not_your_shift")
    if _open_of(session, compound, shift.id) is not None:
        raise RefusedError("swap_open")
    _, team = responder_of(session, compound, asker)
    if colleague is None and back is not None:
        raise RefusedError("swap_needs_colleague")
    if colleague is not None:
        if colleague == asker:
            raise RefusedError("same_person")
        if responder_of(session, compound, colleague)[1].id != team.id:
            raise RefusedError("other_team")
    row = DutySwap(
        id=new_id(),
        compound=compound,
        shift=shift.id,
        asker=asker,
        colleague=colleague,
        back=back,
        state=SwapState.ASKED,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
        asked_at=at,
    )
    if colleague is not None:
        _check(session, row, colleague, at)
    session.add(row)
    session.flush()
    mark(session, compound, by, at, "swap.asked", f"duty_swap:{row.id}")
    whom = [colleague] if colleague is not None else _others(session, team.id, asker)
    tell_swap(session, row, "asked", whom, at, shift.post)
    return row


def accept(
    session: Session, compound: str, swap_id: str, responder: str, by: Actor, at: dt.datetime
) -> DutySwap:
    """The colleague says yes. Of several who are asked the first has it.

    Raises `MissingError` for whoever is not asked; `RefusedError`: swap_over, shift_begun, not_your_shift
    (the shift has gone to somebody else meanwhile), and the limits' codes.
    """
    row = _held(session, compound, swap_id)
    if not _is_asked(session, row, responder):
        raise MissingError("swap")
    if row.state != SwapState.ASKED:
        raise RefusedError("swap_over")
    _check(session, row, responder, at)
    row.colleague, row.answered_at = responder, at
    mark(session, compound, by, at, "swap.accepted", f"duty_swap:{row.id}")
    _stop_asking(session, row, at)
    if rules_of(session, compound).approve_swaps:
        row.state = SwapState.ACCEPTED
        session.flush()
        tell_swap(session, row, "to_approve", managers(session, compound), at)
        return row
    return _do(session, row, by, at)


def decide(
    session: Session, compound: str, swap_id: str, by: Actor, at: dt.datetime, *, approved: bool
) -> DutySwap:
    """The manager's word. Raises as `accept` does."""
    row = _held(session, compound, swap_id)
    if row.state != SwapState.ACCEPTED or row.colleague is None:
        raise RefusedError("swap_over")
    row.decided_by, row.decided_at = by.id, at
    withdraw(session, at, prefix=f"swap:{row.id}:to_approve:")
    if not approved:
        row.state = SwapState.REFUSED
        session.flush()
        mark(session, compound, by, at, "swap.refused", f"duty_swap:{row.id}")
        tell_swap(session, row, "refused", [row.asker, row.colleague], at)
        return row
    _check(session, row, row.colleague, at)
    mark(session, compound, by, at, "swap.approved", f"duty_swap:{row.id}")
    return _do(session, row, by, at)


def decline(
    session: Session, compound: str, swap_id: str, responder: str, by: Actor, at: dt.datetime
) -> DutySwap:
    """The colleague says no; one of a team that is asked says nothing instead. Raises `MissingError`,
    `RefusedError("swap_over")`.
    """
    row = _held(session, compound, swap_id)
    if row.colleague != responder:
        raise MissingError("swap")
    if not SwapState(row.state).is_open:
        raise RefusedError("swap_over")
    row.state, row.answered_at = SwapState.DECLINED, at
    session.flush()
    mark(session, compound, by, at, "swap.declined", f"duty_swap:{row.id}")
    answered(session, at, prefix=f"swap:{row.id}:asked:")
    withdraw(session, at, prefix=f"swap:{row.id}:to_approve:")
    tell_swap(session, row, "declined", [row.asker], at)
    return row


def take_back(
    session: Session, compound: str, swap_id: str, asker: str, by: Actor, at: dt.datetime
) -> DutySwap:
    """Whoever asked does not ask any more. Raises `MissingError`, `RefusedError("swap_over")`."""
    row = _held(session, compound, swap_id)
    if row.asker != asker:
        raise MissingError("swap")
    if not SwapState(row.state).is_open:
        raise RefusedError("swap_over")
    told = row.state == SwapState.ACCEPTED and row.colleague is not None
    row.state = SwapState.WITHDRAWN
    session.flush()
    mark(session, compound, by, at, "swap.withdrawn", f"duty_swap:{row.id}")
    withdraw(session, at, prefix=f"swap:{row.id}:")
    if told and row.colleague is not None:
        tell_swap(session, row, "withdrawn", [row.colleague], at)
    return row


def expire(session: Session, now: dt.datetime) -> int:
    """The round: what nobody has answered when the shift begins is over."""
    found = session.scalars(
        select(DutySwap)
        .where(
            DutySwap.state.in_([SwapState.ASKED, SwapState.ACCEPTED]),
            DutySwap.starts_at <= now,
        )
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for row in found:
        row.state = SwapState.EXPIRED
        withdraw(session, now, prefix=f"swap:{row.id}:")
        tell_swap(session, row, "expired", [row.asker], now)
    session.flush()
    return len(found)


def _do(session: Session, row: DutySwap, by: Actor, at: dt.datetime) -> DutySwap:
    assert row.colleague is not None
    row.state = SwapState.DONE
    session.flush()
    back = session.get(Shift, row.back) if row.back is not None else None
    exchanged = (back.starts_at, back.ends_at) if back is not None else None
    # Both are weighed already; each alone might fall foul of the other that is still there.
    _lay(session, row, row.asker, row.colleague, row.starts_at, row.ends_at, by, at)
    if exchanged is not None:
        _lay(session, row, row.colleague, row.asker, *exchanged, by, at)
    planning.sync(session, row.compound, at)
    tell_swap(session, row, "done", [row.asker, row.colleague], at)
    return row


def _lay(
    session: Session,
    row: DutySwap,
    giver: str,
    taker: str,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    by: Actor,
    at: dt.datetime,
) -> None:
    change = Change(giver, taker, starts_at, ends_at, swap=row.id)
    changing.lay(session, row.compound, change, by, at)


def _check(session: Session, row: DutySwap, colleague: str, at: dt.datetime) -> None:
    """What has to be true when it is asked, accepted and approved: the shifts are there and both may."""
    shift = _future(session, row.compound, row.shift, at)
    if shift.responder != row.asker:
        raise RefusedError("not_your_shift")
    if (shift.starts_at, shift.ends_at) != (row.starts_at, row.ends_at):
        raise RefusedError("swap_over")
    back: Shift | None = None
    if row.back is not None:
        back = _future(session, row.compound, row.back, at)
        if back.responder != colleague:
            raise RefusedError("not_your_shift")
        if back.starts_at < shift.ends_at and shift.starts_at < back.ends_at:
            # Nobody can stand both, and laid one over the other they would cancel out.
            raise RefusedError("swap_overlaps")
    without = frozenset(one.id for one in (shift, back) if one is not None)
    changing.check(session, row.compound, colleague, [_time(shift)], without=without)
    if back is not None:
        changing.check(session, row.compound, row.asker, [_time(back)], without=without)


def _time(shift: Shift) -> Stretch:
    return Stretch(shift.starts_at, shift.ends_at, shift.on_call)


def _future(session: Session, compound: str, shift_id: str, at: dt.datetime) -> Shift:
    shift = session.get(Shift, shift_id)
    if shift is None:
        raise MissingError("shift")
    responder_of(session, compound, shift.responder)
    if shift.starts_at <= at:
        raise RefusedError("shift_begun")
    return shift


def _held(session: Session, compound: str, swap_id: str) -> DutySwap:
    hold(session, compound)
    rows.lock(session, DutySwap, compound, [swap_id], "swap")
    return rows.find(session, DutySwap, compound, swap_id, "swap")


def _open_of(session: Session, compound: str, shift_id: str) -> DutySwap | None:
    return session.scalars(
        select(DutySwap).where(
            DutySwap.compound == compound,
            DutySwap.shift == shift_id,
            DutySwap.state.in_([SwapState.ASKED, SwapState.ACCEPTED]),
        )
    ).first()


def _is_asked(session: Session, row: DutySwap, responder: str) -> bool:
    if responder == row.asker:
        return False
    if row.state == SwapState.ASKED and row.colleague is not None:
        return row.colleague == responder
    asker, colleague = session.get(Responder, row.asker), session.get(Responder, responder)
    return asker is not None and colleague is not None and asker.team == colleague.team


def _others(session: Session, team: str, asker: str) -> list[str]:
    return list(
        session.scalars(
            select(Responder.id)
            .where(Responder.team == team, Responder.active, Responder.id != asker)
            .order_by(Responder.id)
        )
    )


def _stop_asking(session: Session, row: DutySwap, at: dt.datetime) -> None:
    assert row.colleague is not None
    answered(session, at, responder=row.colleague, prefix=f"swap:{row.id}:asked:")
    withdraw(session, at, prefix=f"swap:{row.id}:asked:")
