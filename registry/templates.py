"""Face templates: enrolling with consent, and reading a compound's gallery."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from registry.biometrics import Consent, ConsentPurpose, FaceTemplate, GalleryRevision
from registry.people import Person
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
    """Stores a template under the consent in force. Raises `ConsentMissingError`."""
    consent = session.scalars(
        select(Consent)
        .where(
            Consent.person == person.id,
            Consent.purpose == ConsentPurpose.FACE_ACCESS,
            Consent.withdrawn_at.is_(None),
        )
        .order_by(Consent.given_at.desc())
        .limit(1)
    ).first()
    if consent is None:
        raise ConsentMissingError(person.id)
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
    bump_revision(session, person.compound)
    return template


def remove(session: Session, person: Person) -> int:
    """Deletes all templates of a person; returns how many there were."""
    removed = session.execute(
        delete(FaceTemplate).where(FaceTemplate.person == person.id).returning(FaceTemplate.id)
    ).all()
    bump_revision(session, person.compound)
    return len(removed)


def gallery(session: Session, compound: str, engine: str, engine_version: str) -> Sequence[GalleryEntry]:
    """All templates of a compound made by one engine version, decrypted."""
    rows = session.execute(
        select(FaceTemplate, Person.household, Person.under_14)
        .join(Person, Person.id == FaceTemplate.person)
        .where(
            Person.compound == compound,
            FaceTemplate.engine == engine,
            FaceTemplate.engine_version == engine_version,
        )
        .order_by(FaceTemplate.id)
    ).all()
    current_vault().load(template.person for template, _, _ in rows)
    entries = []
    for template, household, under_14 in rows:
        vector = template.embedding
        # None: the key was shredded a moment ago, and the row is about to follow it.
        if vector is not None:
            entries.append(
                GalleryEntry(template.id, template.person, household, under_14, template.media_id, vector)
            )
    return entries


def revision(session: Session, compound: str) -> int:
    """The number of changes the compound's gallery has seen; a worker reloads when it moves."""
    return session.scalar(select(GalleryRevision.revision).where(GalleryRevision.compound == compound)) or 0


def bump_revision(session: Session, compound: str) -> None:
    """Tells every recognition worker that its copy of the gallery is old."""
    changed = session.execute(
        update(GalleryRevision)
        .where(GalleryRevision.compound == compound)
        .values(revision=GalleryRevision.revision + 1)
        .returning(GalleryRevision.compound)
    ).all()
    if not changed:
        session.add(GalleryRevision(compound=compound, revision=1))
