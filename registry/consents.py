"""Giving and withdrawing consent. Withdrawal deletes the templates in the same commit."""

import datetime as dt
import hashlib

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from registry.biometrics import Consent, ConsentPurpose, FaceTemplate, GivenBy
from registry.people import Person
from registry.templates import bump_revision
from storage import new_id


class GuardianRequiredError(Exception):
    """A child under 14 cannot consent by itself (PIPL art. 31)."""

    def __init__(self, person_id: str) -> None:
        super().__init__(f"consent for {person_id} must be given by a guardian")
        self.person_id = person_id


def give(
    session: Session,
    person: Person,
    purpose: ConsentPurpose,
    *,
    wording: str,
    channel: str,
    given_by: GivenBy,
    at: dt.datetime,
) -> Consent:
    """Records consent to the exact wording shown. Raises `GuardianRequiredError`."""
    if person.under_14 and given_by is not GivenBy.GUARDIAN:
        raise GuardianRequiredError(person.id)
    consent = Consent(
        id=new_id(),
        compound=person.compound,
        person=person.id,
        purpose=purpose,
        text_hash=hashlib.sha256(wording.encode()).hexdigest(),
        channel=channel,
        given_by=given_by,
        given_at=at,
    )
    session.add(consent)
    session.flush()
    return consent


def active(session: Session, person_id: str, purpose: ConsentPurpose) -> Consent | None:
    """The consent in force for a purpose, the latest if there are several."""
    return session.scalars(
        select(Consent)
        .where(Consent.person == person_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None))
        .order_by(Consent.given_at.desc())
        .limit(1)
    ).first()


def withdraw(session: Session, person: Person, purpose: ConsentPurpose, at: dt.datetime) -> int:
    """Ends consent to a purpose; returns how many templates were deleted with it."""
    for consent in session.scalars(
        select(Consent).where(
            Consent.person == person.id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None)
        )
    ):
        consent.withdrawn_at = at
    if purpose is not ConsentPurpose.FACE_ACCESS:
        return 0
    deleted = session.execute(
        delete(FaceTemplate).where(FaceTemplate.person == person.id).returning(FaceTemplate.id)
    ).all()
    bump_revision(session, person.compound)
    return len(deleted)
