"""How a compound is run: normal, heightened or in an emergency; asked for by one, approved by another.

Heightened: what comes at night comes all day with night's severities. Emergency: one graver besides.
Either changes what a control room hears for hours, so nobody decides it alone, it has a reason,
and it ends by itself after 72 hours at the latest. Ending it early needs one person only: going
back to normal must never wait for somebody.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.incidents.actor import Actor
from alerts.rulebook.models import OperatingMode
from alerts.rules import Mode
from registry import rows
from registry.errors import RefusedError
from storage import audit, new_id
from storage.audit import AuditEntry

log = structlog.get_logger(__name__)

LONGEST: Final = dt.timedelta(hours=72)
ASKING_HOLDS: Final = dt.timedelta(hours=4)
"""How long a question waits for its approval: what nobody approved by then was not urgent."""

REASON_LONGEST: Final = 200
PURPOSE: Final = "monitoring"
_NOUN: Final = "operating_mode"


def now_in_force(session: Session, compound: str, at: dt.datetime) -> OperatingMode | None:
    """What holds at a moment: of several the gravest, of equal ones the last to end; None is normal."""
    found = [row for row in _approved(session, compound, at) if _holds(row, at)]
    return max(found, key=lambda row: (_GRAVITY[Mode(row.mode)], row.ends_at), default=None)


def mode(session: Session, compound: str, at: dt.datetime) -> Mode:
    """The mode that holds at a moment."""
    row = now_in_force(session, compound, at)
    return Mode(row.mode) if row is not None else Mode.NORMAL


def listed(session: Session, compound: str, limit: int = 50) -> Sequence[OperatingMode]:
    """What was asked for, newest first."""
    return session.scalars(
        select(OperatingMode)
        .where(OperatingMode.compound == compound)
        .order_by(OperatingMode.asked_at.desc(), OperatingMode.id.desc())
        .limit(limit)
    ).all()


def ask(
    session: Session, compound: str, to: Mode, lasting: dt.timedelta, reason: str, by: Actor, at: dt.datetime
) -> OperatingMode:
    """Asks for a mode from its approval on, for so long.

    Raises `RefusedError`: mode_normal (one ends a mode instead), mode_too_long, reason_required.
    """
    if to is Mode.NORMAL:
        raise RefusedError("mode_normal")
    if not dt.timedelta() < lasting <= LONGEST:
        raise RefusedError("mode_too_long", hours=LONGEST // dt.timedelta(hours=1))
    if not reason.strip():
        raise RefusedError("reason_required")
    row = OperatingMode(
        id=new_id(),
        compound=compound,
        mode=str(to),
        reason=reason.strip()[:REASON_LONGEST],
        asked_by=by.id,
        asked_at=at,
        starts_at=at,
        ends_at=at + lasting,
    )
    session.add(row)
    session.flush()
    _note(session, row, "mode.asked", by, at)
    return row


def approve(session: Session, compound: str, mode_id: str, by: Actor, at: dt.datetime) -> OperatingMode:
    """Puts it in force from now on, for as long as was asked for.

    Raises `MissingError`, `RefusedError`: two_people, mode_settled (approved or ended already),
    mode_lapsed (asked too long ago: whoever still wants it asks again).
    """
    row = _locked(session, compound, mode_id)
    if row.approved_at is not None or row.ended_at is not None:
        raise RefusedError("mode_settled")
    if row.asked_by == by.id:
        raise RefusedError("two_people")
    if at - row.asked_at > ASKING_HOLDS:
        raise RefusedError("mode_lapsed")
    row.ends_at = at + (row.ends_at - row.starts_at)
    row.starts_at, row.approved_at, row.approved_by = at, at, by.id
    session.flush()
    _note(session, row, "mode.approved", by, at)
    log.warning("mode.changed", compound=compound, mode=row.mode)
    return row


def end(session: Session, compound: str, mode_id: str, by: Actor, at: dt.datetime) -> OperatingMode:
    """Ends it now, or takes a question back. Raises `MissingError`, `RefusedError("mode_settled")`."""
    row = _locked(session, compound, mode_id)
    if row.ended_at is not None or row.ends_at <= at:
        raise RefusedError("mode_settled")
    row.ended_at, row.ended_by = at, by.id
    session.flush()
    _note(session, row, "mode.ended", by, at)
    log.warning("mode.ended", compound=compound, mode=row.mode)
    return row


_GRAVITY: Final = {Mode.NORMAL: 0, Mode.HEIGHTENED: 1, Mode.EMERGENCY: 2}


def _approved(session: Session, compound: str, at: dt.datetime) -> Sequence[OperatingMode]:
    return session.scalars(
        select(OperatingMode).where(
            OperatingMode.compound == compound,
            OperatingMode.ends_at > at,
            OperatingMode.approved_at.is_not(None),
            or_(OperatingMode.ended_at.is_(None), OperatingMode.ended_at > at),
        )
    ).all()


def _holds(row: OperatingMode, at: dt.datetime) -> bool:
    return row.starts_at <= at


def _locked(session: Session, compound: str, mode_id: str) -> OperatingMode:
    rows.lock(session, OperatingMode, compound, [mode_id], _NOUN)
    return rows.find(session, OperatingMode, compound, mode_id, _NOUN)


def _note(session: Session, row: OperatingMode, action: str, by: Actor, at: dt.datetime) -> None:
    detail = f"{row.mode} until {row.ends_at.isoformat(timespec='minutes')}"
    entry = AuditEntry(by.id, by.role, action, PURPOSE, f"operating_mode:{row.id}", detail, row.compound)
    audit.append(session, at, entry)
