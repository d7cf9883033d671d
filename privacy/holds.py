"""Legal holds (L-21): what an inquiry may still need is not deleted, whatever its time says.

A hold freezes from the application on, because evidence that is deleted while somebody
looks for the second signature is gone. Without that signature it lapses by itself, so that
nobody can keep data by applying for it.
"""

import datetime as dt
import enum
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from privacy.models import LegalHold
from registry.errors import MissingError, RefusedError
from registry.models import Person
from storage import new_id

LAPSES_AFTER: Final = dt.timedelta(hours=72)
"""How long an application freezes without an approval."""

LONGEST: Final = dt.timedelta(days=366)
"""Of one hold, from its application on. Whoever needs longer applies again, and two people decide again."""


class HoldSubject(enum.StrEnum):
    """What a hold may protect."""

    INCIDENT = "incident"
    PERSON = "person"


class HoldState(enum.StrEnum):
    """What a hold does at a moment."""

    APPLIED = "applied"  # freezes already, lapses without an approval
    APPROVED = "approved"
    LAPSED = "lapsed"
    ENDED = "ended"
    RELEASED = "released"


def apply(
    session: Session,
    compound: str,
    kind: HoldSubject,
    subject: str,
    *,
    reason: str,
    document_no: str | None,
    ends_at: dt.datetime,
    applicant: str,
    at: dt.datetime,
) -> LegalHold:
    """Freezes from now on. Raises `MissingError` and `RefusedError` (`hold_ends`, `hold_too_long`)."""
    table = Person if kind is HoldSubject.PERSON else Incident
    if session.scalar(select(table.id).where(table.id == subject, table.compound == compound)) is None:
        raise MissingError(kind)
    if ends_at <= at:
        raise RefusedError("hold_ends")
    if ends_at > at + LONGEST:
        raise RefusedError("hold_too_long", longest_days=LONGEST.days)
    hold = LegalHold(
        id=new_id(),
        compound=compound,
        subject_kind=kind,
        subject=subject,
        reason=reason,
        document_no=document_no,
        applicant=applicant,
        applied_at=at,
        ends_at=ends_at,
    )
    session.add(hold)
    session.flush()
    return hold


def approve(session: Session, compound: str, hold_id: str, *, approver: str, at: dt.datetime) -> LegalHold:
    """The second person's word. Raises `MissingError` and `RefusedError` (`two_people`, `hold_STATE`)."""
    hold = find(session, compound, hold_id)
    now = state(hold, at)
    if now is not HoldState.APPLIED:
        raise RefusedError(f"hold_{now}")
    if approver == hold.applicant:
        raise RefusedError("two_people")
    hold.approver = approver
    hold.approved_at = at
    session.flush()
    return hold


def release(session: Session, compound: str, hold_id: str, at: dt.datetime) -> LegalHold:
    """Ends a hold before its time. Raises `MissingError` and `RefusedError` (`hold_STATE`)."""
    hold = find(session, compound, hold_id)
    now = state(hold, at)
    if now not in {HoldState.APPLIED, HoldState.APPROVED}:
        raise RefusedError(f"hold_{now}")
    hold.released_at = at
    session.flush()
    return hold


def find(session: Session, compound: str, hold_id: str) -> LegalHold:
    """One hold of a compound, locked until the transaction ends. Raises `MissingError`."""
    hold = session.scalars(
        select(LegalHold).where(LegalHold.id == hold_id, LegalHold.compound == compound).with_for_update()
    ).first()
    if hold is None:
        raise MissingError("hold")
    return hold


def state(hold: LegalHold, at: dt.datetime) -> HoldState:
    """What a hold does at a moment after its application."""
    if hold.released_at is not None and hold.released_at <= at:
        return HoldState.RELEASED
    if hold.approved_at is None and hold.applied_at + LAPSES_AFTER <= at:
        return HoldState.LAPSED
    if hold.ends_at <= at:
        return HoldState.ENDED
    return HoldState.APPLIED if hold.approved_at is None else HoldState.APPROVED


def in_force(at: dt.datetime) -> ColumnElement[bool]:
    """The condition on `LegalHold` that `state` is applied or approved."""
    return and_(
        LegalHold.ends_at > at,
        or_(LegalHold.released_at.is_(None), LegalHold.released_at > at),
        or_(LegalHold.approved_at.is_not(None), LegalHold.applied_at > at - LAPSES_AFTER),
    )


def held(session: Session, subject_kind: str, subject: str, at: dt.datetime) -> LegalHold | None:
    """The hold that keeps something (`person` or `incident`) now; the one that lasts longest."""
    return session.scalars(
        select(LegalHold)
        .where(LegalHold.subject_kind == subject_kind, LegalHold.subject == subject, in_force(at))
        .order_by(LegalHold.ends_at.desc())
        .limit(1)
    ).first()


def held_subjects(subject_kind: str, at: dt.datetime) -> Select[str]:
    """The ids of everything of a kind that is held now, as a subquery for whoever deletes."""
    return select(LegalHold.subject).where(LegalHold.subject_kind == subject_kind, in_force(at))
