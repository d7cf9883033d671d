"""Forgetting a face: consent, templates, enrolled photos, whom it was taken for, terminals (L-02)."""

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from devices import enrolments
from devices.enrolments import TerminalEnrolment
from recognition.feedback import exclusions
from registry.faces import consents
from registry.models import (
    Consent,
    ConsentPurpose,
    Credential,
    CredentialKind,
    CredentialStatus,
    FaceTemplate,
    Person,
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What has left the database and must leave other places too."""

    media: list[str] = field(default_factory=list)
    # Subjects of the vault whose keys are to be shredded.
    subjects: list[str] = field(default_factory=list)
    # Devices that were ordered to forget, and the orders.
    terminals: dict[str, str] = field(default_factory=dict)
    templates: int = 0
    # Pairs that the face was not to be taken for each other in.
    exclusions: int = 0


def forget_face(session: Session, person: Person, cause: str, at: dt.datetime) -> Forgotten:
    """Does the database's part for one person's face; `cause` is the erasure it belongs to.

    Raises `RefusedError` (`person_erased`).
    """
    media = session.scalars(
        select(FaceTemplate.media_id).where(
            FaceTemplate.person == person.id, FaceTemplate.media_id.is_not(None)
        )
    ).all()
    agreed = session.scalars(
        select(Consent.id).where(Consent.person == person.id, Consent.purpose == ConsentPurpose.FACE_ACCESS)
    ).all()
    deleted = consents.withdraw(session, person, ConsentPurpose.FACE_ACCESS, at)
    session.execute(
        update(Credential)
        .where(
            Credential.person == person.id,
            Credential.kind == CredentialKind.FACE,
            Credential.status != CredentialStatus.ENDED,
        )
        .values(status=CredentialStatus.ENDED, ends_at=at, version=Credential.version + 1)
    )
    return Forgotten(
        sorted({media_id for media_id in media if media_id}),
        sorted(agreed),
        forget_at_terminals(session, person.id, cause, at, faces_only=True),
        deleted,
        exclusions.forget(session, person.id),
    )


def forget_at_terminals(
    session: Session, person_id: str, cause: str, at: dt.datetime, *, faces_only: bool
) -> dict[str, str]:
    """Orders every terminal that knows a person to forget; returns the orders by device."""
    query = select(TerminalEnrolment).where(TerminalEnrolment.person == person_id)
    if faces_only:
        query = query.where(TerminalEnrolment.face)
    return {
        row.device: enrolments.order_deletion(session, row, cause=cause, at=at).id
        for row in session.scalars(query.order_by(TerminalEnrolment.device))
    }
