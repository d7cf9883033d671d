"""Erasure: what a person may order, and what follows from it until the last place has confirmed.

The order is durable before anything irreversible happens: files and keys go only after the
commit, by `follow_up`, which may be killed anywhere and begins again where it was.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from devices.enrolments import TerminalEnrolment
from privacy.erasure.followup import follow_up
from privacy.erasure.ordering import start
from privacy.erasure.receipts import Receipt, ReceiptStep, receipt
from privacy.erasure.restored import forget_again
from privacy.models import Erasure, ErasureKind
from registry.faces import consents
from registry.models import ConsentPurpose, FaceTemplate, Person

__all__ = [
    "Receipt",
    "ReceiptStep",
    "Withdrawal",
    "find",
    "follow_up",
    "forget_again",
    "order",
    "receipt",
    "withdraw",
]


def order(
    session: Session,
    person: Person,
    kind: ErasureKind,
    *,
    at: dt.datetime,
    by: str,
    request: str | None = None,
) -> Erasure:
    """Erases a face or a whole person in the caller's transaction; `follow_up` does the rest.

    Whoever is held back by law or a hold is noted as kept, with the reason, and erased once
    nothing keeps them. A second order gives the first one's erasure: it is harmless.
    """
    # Two orders at once, an enrolment, a consent: they take turns.
    locked = session.scalars(
        select(Person)
        .where(Person.id == person.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    whole = _last(session, locked, ErasureKind.PERSON)
    if whole is not None and (kind is ErasureKind.PERSON or locked.erased_at is not None):
        return whole
    face = _last(session, locked, ErasureKind.FACE)
    if kind is ErasureKind.FACE and face is not None and not _has_face(session, locked):
        return face
    return start(session, locked, ErasureKind(kind), at=at, by=by, request=request)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What came of a withdrawal; `erasure` is None for purposes that hold nothing but the consent."""

    templates_deleted: int
    erasure: Erasure | None


def withdraw(
    session: Session, person: Person, purpose: ConsentPurpose, *, at: dt.datetime, by: str
) -> Withdrawal:
    """Ends a consent, and with a face's everything that stood on it (L-02).

    Of an erased person a face gives the erasure that there is; for other purposes it raises
    `RefusedError` (`person_erased`).
    """
    if purpose is not ConsentPurpose.FACE_ACCESS:
        consents.withdraw(session, person, purpose, at)
        return Withdrawal(0, None)
    templates = select(func.count()).where(FaceTemplate.person == person.id)
    before = session.scalar(templates) or 0
    erasure = order(session, person, ErasureKind.FACE, at=at, by=by)
    return Withdrawal(before - (session.scalar(templates) or 0), erasure)


def find(session: Session, compound: str, erasure_id: str) -> Erasure | None:
    """One erasure of a compound."""
    return session.scalars(
        select(Erasure).where(Erasure.id == erasure_id, Erasure.compound == compound)
    ).first()


def _has_face(session: Session, person: Person) -> bool:
    """Whether anything stands on a face: consent, a template, an entry on a terminal."""
    if consents.active(session, person.id, ConsentPurpose.FACE_ACCESS) is not None:
        return True
    template = select(FaceTemplate.id).where(FaceTemplate.person == person.id).limit(1)
    on_terminal = (
        select(TerminalEnrolment.id)
        .where(TerminalEnrolment.person == person.id, TerminalEnrolment.face)
        .limit(1)
    )
    return session.scalar(template) is not None or session.scalar(on_terminal) is not None


def _last(session: Session, person: Person, kind: ErasureKind) -> Erasure | None:
    return session.scalars(
        select(Erasure)
        .where(Erasure.person == person.id, Erasure.kind == kind)
        .order_by(Erasure.ordered_at.desc())
        .limit(1)
    ).first()
