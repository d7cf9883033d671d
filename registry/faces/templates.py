"""Face templates: enrolling with consent, and reading a compound's gallery."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from registry.days import local_date
from registry.errors import RefusedError
from registry.faces import revisions
from registry.faces.models import Consent, ConsentPurpose, FaceTemplate, GivenBy
from registry.people.ages import is_under_14, under_14_on
from registry.people.models import Person
from storage import new_id
from storage.vault import current_vault


class ConsentMissingError(Exception):
    """No template without consent (PIPL art. 29): enrolment is refused."""

    def __init__(self, person_id: str) -> None:
        super().__init__(f"person {person_id} has not consented to face access")
        self.person_id = person_id


@dataclass(frozen=True, slots=True)
class Embedding:
    """A template before it is stored: float32 little-endian bytes and where they came from."""

    engine: str
    engine_version: str
    dimension: int
    vector: bytes
    quality: float | None


@dataclass(frozen=True, slots=True)
class GalleryEntry:
    """One template of the gallery (底库) with the person and household it stands for."""

    template_id: str
    person_id: str
    household_id: str | None
    under_14: bool
    media_id: str | None
    vector: bytes


def enrol(
    session: Session, person: Person, embedding: Embedding, *, media_id: str | None, at: dt.datetime
) -> FaceTemplate:
    """Stores a template under the consent in force.

    Raises `ConsentMissingError`, also where a guardian consented for somebody who has turned
    14 since, and `RefusedError` (`person_erased`).
    """
    consent = consent_to_enrol(session, person, at)
    template = FaceTemplate(
        id=new_id(),
        compound=person.compound,
        person=person.id,
        consent=consent.id,
        engine=embedding.engine,
        engine_version=embedding.engine_version,
        dimension=embedding.dimension,
        embedding=embedding.vector,
        quality=embedding.quality,
        media_id=media_id,
        created_at=at,
    )
    session.add(template)
    revisions.tell(session, person.compound, changed=[template.id])
    return template


def consent_to_enrol(session: Session, person: Person, at: dt.datetime) -> Consent:
    """The consent that a template of a person may stand on now, with the person locked.

    Raises what `enrol` raises. A photo is sealed with the key of this consent.
    """
    lock(session, person)
    consent = session.scalars(
        select(Consent)
        .where(
            Consent.person == person.id,
            Consent.purpose == ConsentPurpose.FACE_ACCESS,
            Consent.withdrawn_at.is_(None),
        )
        .order_by(Consent.given_at.desc(), Consent.id.desc())
        .limit(1)
    ).first()
    if consent is None:
        raise ConsentMissingError(person.id)
    _check(session, person, consent, at)
    return consent


def enrol_again(
    session: Session, template_id: str, embedding: Embedding, *, at: dt.datetime
) -> FaceTemplate | None:
    """Stores what another engine makes of an enrolled photo, beside its former template.

    It stands on the same consent, with whose key the photo is sealed, and counts as enrolled at
    the same time. None where the former is gone, or another process was faster. Raises
    `ConsentMissingError` where that consent holds no more.
    """
    former = still_consented(session, template_id, at)
    if former is None:
        return None
    by = embedding.engine, embedding.engine_version
    if has_photo(session, former.person, former.media_id, *by):
        return None
    template = FaceTemplate(
        id=new_id(),
        compound=former.compound,
        person=former.person,
        consent=former.consent,
        engine=embedding.engine,
        engine_version=embedding.engine_version,
        dimension=embedding.dimension,
        embedding=embedding.vector,
        quality=embedding.quality,
        media_id=former.media_id,
        created_at=former.created_at,
    )
    session.add(template)
    revisions.tell(session, former.compound, changed=[template.id])
    return template


def has_photo(
    session: Session, person_id: str, media_id: str | None, engine: str, engine_version: str
) -> bool:
    """Whether a photo of a person has a template by an engine."""
    there = select(FaceTemplate.id).where(
        FaceTemplate.person == person_id,
        FaceTemplate.media_id.is_not_distinct_from(media_id),
        FaceTemplate.engine == engine,
        FaceTemplate.engine_version == engine_version,
    )
    return session.scalar(there.limit(1)) is not None


def still_consented(session: Session, template_id: str, at: dt.datetime) -> FaceTemplate | None:
    """A template whose consent holds, with its person locked; None where it is gone.

    Raises `ConsentMissingError` where the consent holds no more.
    """
    person = session.scalars(
        select(Person)
        .join(FaceTemplate, FaceTemplate.person == Person.id)
        .where(FaceTemplate.id == template_id)
    ).first()
    if person is None or person.erased_at is not None:
        return None
    lock(session, person)
    # Whoever withdrew held the person until now.
    template = session.get(FaceTemplate, template_id, populate_existing=True)
    if template is None:
        return None
    consent = session.get_one(Consent, template.consent, populate_existing=True)
    _check(session, person, consent, at)
    return template


def _check(session: Session, person: Person, consent: Consent, at: dt.datetime) -> None:
    """Whether a consent holds now; a guardian's ends with the child's 14th birthday."""
    by_guardian = consent.given_by == GivenBy.GUARDIAN
    if consent.withdrawn_at is not None or (
        by_guardian and not is_under_14(person, local_date(session, person.compound, at))
    ):
        raise ConsentMissingError(person.id)


def lock(session: Session, person: Person) -> None:
    """Holds a person until the transaction ends: consent, enrolment and erasure take turns.

    Raises `RefusedError` (`person_erased`).
    """
    erased = session.scalar(select(Person.erased_at).where(Person.id == person.id).with_for_update())
    if erased is not None:
        raise RefusedError("person_erased")


def remove(session: Session, person: Person) -> int:
    """Deletes all templates of a person; returns how many there were."""
    removed = session.scalars(
        delete(FaceTemplate).where(FaceTemplate.person == person.id).returning(FaceTemplate.id)
    ).all()
    revisions.tell(session, person.compound, removed=removed)
    return len(removed)


def gallery(
    session: Session, compound: str, engine: str, engine_version: str, today: dt.date | None = None
) -> Sequence[GalleryEntry]:
    """All templates of a compound made by one engine version, decrypted.

    `today` is the compound's day, by which children are told; without it their flag counts.
    """
    rows = session.execute(
        select(FaceTemplate, Person.household, Person.under_14, Person.turns_14_on)
        .join(Person, Person.id == FaceTemplate.person)
        .where(
            Person.compound == compound,
            FaceTemplate.engine == engine,
            FaceTemplate.engine_version == engine_version,
        )
        .order_by(FaceTemplate.id)
    ).all()
    current_vault().load(template.consent for template, _, _, _ in rows)
    entries = []
    for template, household, flag, turns_14_on in rows:
        vector = template.embedding
        # None: the key was shredded a moment ago, and the row is about to follow it.
        if vector is None:
            continue
        child = flag if today is None else under_14_on(today, flag=flag, turns_14_on=turns_14_on)
        entries.append(
            GalleryEntry(template.id, template.person, household, child, template.media_id, vector)
        )
    return entries


def revision(session: Session, compound: str) -> int:
    """The number of changes the compound's gallery has seen; a worker follows when it moves."""
    return revisions.current(session, compound)


def bump_revision(session: Session, compound: str) -> None:
    """Tells every recognition worker to read the gallery anew: more changed than can be told."""
    revisions.tell(session, compound)
