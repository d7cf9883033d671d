"""Whether a face may let somebody in: the door's decision for whoever was recognised.

A face is a credential of its own. Where one was issued it decides, in whatever state it is;
where none was, consent to face access is enough, as it is for a terminal's list. That
somebody has another key is no answer here: nobody has shown it.
"""

import datetime as dt
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.credentials.models import Credential, CredentialKind, CredentialStatus
from registry.days import local_date
from registry.entry.decision import Entry, EntryFacts, EntryReason, EntryZone, Key, may_enter
from registry.entry.rights import key_of, rights_of
from registry.faces.models import Consent, ConsentPurpose
from registry.people.ages import is_under_14
from registry.people.models import Person
from registry.places.models import Ring, Zone
from registry.rows import find

_UNKNOWN = Entry(allowed=False, reason=EntryReason.UNKNOWN)


def by_face(session: Session, compound: str, person_id: str, zone: str, at: dt.datetime) -> Entry:
    """Of a person who was recognised. A child under 14 is let in by no face.

    Raises `MissingError("zone")`.
    """
    place = find(session, Zone, compound, zone, "zone")
    person = session.get(Person, person_id)
    if person is None or person.compound != compound or person.erased_at is not None:
        return _UNKNOWN
    if is_under_14(person, local_date(session, compound, at)):
        return Entry(allowed=False, reason=EntryReason.CONSENT_MISSING, subject=f"person:{person_id}")
    rights = rights_of(session, compound, [person_id]).get(person_id, ())
    facts = EntryFacts(rights, _faces(session, person))
    answer = may_enter(facts, EntryZone(place.id, Ring(place.ring)), at)
    return replace(answer, subject=f"person:{person_id}")


def by_household(session: Session, compound: str, household: str, zone: str, at: dt.datetime) -> Entry:
    """Of somebody of a household, of whom nobody can tell who it is: all of its people have to be let in.

    Children do not count: none of them is among those who are taken for each other. Raises
    `MissingError("zone")`.
    """
    today = local_date(session, compound, at)
    people = session.scalars(
        select(Person).where(
            Person.compound == compound, Person.household == household, Person.erased_at.is_(None)
        )
    ).all()
    grown = [person for person in people if not is_under_14(person, today) and _has_face(session, person)]
    answers = [by_face(session, compound, person.id, zone, at) for person in grown]
    refused = [one for one in answers if not one.allowed]
    return next(iter(refused or answers), _UNKNOWN)


def _faces(session: Session, person: Person) -> tuple[Key, ...]:
    issued = session.scalars(
        select(Credential).where(Credential.person == person.id, Credential.kind == CredentialKind.FACE)
    ).all()
    if issued:
        return tuple(key_of(session, one) for one in issued)
    return (Key(CredentialKind.FACE, CredentialStatus.ACTIVE, consented=_has_face(session, person)),)


def _has_face(session: Session, person: Person) -> bool:
    """Whether somebody agrees to be recognised: of others there is no template."""
    agreed = select(Consent.id).where(
        Consent.person == person.id,
        Consent.purpose == ConsentPurpose.FACE_ACCESS,
        Consent.withdrawn_at.is_(None),
    )
    return session.scalar(agreed.limit(1)) is not None
