"""Giving and withdrawing consent. Withdrawal deletes the templates in the same commit."""

import datetime as dt
import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from registry.days import local_date
from registry.errors import MissingError, RefusedError
from registry.faces.models import Consent, ConsentPurpose, ConsentWording, GivenBy
from registry.faces.templates import lock, remove
from registry.people.ages import is_adult, is_under_14
from registry.people.models import Person
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
    guardian: str | None = None,
) -> Consent:
    """Records consent to the exact wording shown, which is kept; new wording, new row.

    `guardian` is who agreed for somebody else; without it the guardian that the registry
    knows. Raises `GuardianRequiredError` for a child's own consent, `MissingError` for a
    guardian who is not registered, and `RefusedError` (`person_erased`,
    `own_consent_required` from the 14th birthday on, `guardian_not_adult`).
    """
    lock(session, person)
    today = local_date(session, person.compound, at)
    if given_by is GivenBy.GUARDIAN:
        # An adult who cannot agree keeps the ways in that need no face.
        if purpose is ConsentPurpose.FACE_ACCESS and not is_under_14(person, today):
            raise RefusedError("own_consent_required")
        guardian = _guardian(session, person, guardian or person.guardian, today)
    elif is_under_14(person, today):
        raise GuardianRequiredError(person.id)
    else:
        guardian = None
    text_hash = _keep_wording(session, purpose, wording, at)
    consent = Consent(
        id=new_id(),
        compound=person.compound,
        person=person.id,
        purpose=purpose,
        text_hash=text_hash,
        channel=channel,
        given_by=given_by,
        guardian=guardian,
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
        .order_by(Consent.given_at.desc(), Consent.id.desc())
        .limit(1)
    ).first()


def history(session: Session, person_id: str) -> Sequence[Consent]:
    """Every consent that a person ever gave, the earliest first."""
    return session.scalars(
        select(Consent).where(Consent.person == person_id).order_by(Consent.given_at, Consent.id)
    ).all()


def wording_of(session: Session, consent: Consent) -> str | None:
    """The text that was agreed to; None where it was recorded before texts were kept."""
    return session.scalar(select(ConsentWording.text).where(ConsentWording.text_hash == consent.text_hash))


def withdraw(session: Session, person: Person, purpose: ConsentPurpose, at: dt.datetime) -> int:
    """Ends consent to a purpose; returns how many templates were deleted with it.

    This is the registry's part. What else has the face is reached by
    `privacy.erasures.withdraw`, which is what a person's withdrawal goes through.
    """
    lock(session, person)
    for consent in session.scalars(
        select(Consent).where(
            Consent.person == person.id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None)
        )
    ):
        consent.withdrawn_at = at
    session.flush()
    if purpose is not ConsentPurpose.FACE_ACCESS:
        return 0
    return remove(session, person)


def _guardian(session: Session, person: Person, guardian_id: str | None, today: dt.date) -> str | None:
    """Checks who acts for a person; nobody is known where neither caller nor registry names one."""
    if guardian_id is None:
        return None
    guardian = session.scalars(
        select(Person).where(
            Person.id == guardian_id, Person.compound == person.compound, Person.erased_at.is_(None)
        )
    ).first()
    if guardian is None:
        raise MissingError("guardian")
    if guardian.id == person.id or not is_adult(guardian, today):
        raise RefusedError("guardian_not_adult")
    return guardian.id


def _keep_wording(session: Session, purpose: ConsentPurpose, wording: str, at: dt.datetime) -> str:
    text_hash = hashlib.sha256(wording.encode()).hexdigest()
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(
        dialect.insert(ConsentWording)
        .values(text_hash=text_hash, purpose=purpose, text=wording, first_used_at=at)
        .on_conflict_do_nothing()
    )
    return text_hash
