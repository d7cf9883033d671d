"""After a restore: whoever was erased since the backup was made is erased again.

The vault is no part of a backup's archive and remembers whom it has shredded. What a backup
says of them cannot be read any more; here it goes altogether, by itself, before anybody asks.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import select

from privacy.erasure.followup import follow_up
from privacy.erasure.forgetting import delete_passes
from privacy.erasure.ordering import start
from privacy.models import ErasureKind
from registry.models import Consent, FaceTemplate, Person, VisitorPass
from storage import Database, MediaStore, Vault

_CHUNK: Final = 500
_BY: Final = "restore"


def forget_again(database: Database, media: MediaStore, vault: Vault, at: dt.datetime) -> int:
    """Erases every person, face and pass whose key is shredded; returns how many people that were.

    Harmless where nobody came back. The database must not be bound to a compound.
    """
    people: set[str] = set()
    shredded = [subject for _, subject, _ in vault.shredded()]
    for subjects in _chunks(shredded):
        with database.read() as session:
            whole = session.scalars(
                select(Person.id).where(Person.id.in_(subjects), Person.erased_at.is_(None))
            ).all()
            passes = session.scalars(select(VisitorPass.id).where(VisitorPass.id.in_(subjects))).all()
        for person_id in whole:
            # Each in a transaction of its own: a restored deployment may have thousands.
            with database.write() as session:
                person = session.get_one(Person, person_id, with_for_update=True)
                start(session, person, ErasureKind.PERSON, at=at, by=_BY, keyless=True)
            people.add(person_id)
        with database.write() as session:
            delete_passes(session, passes)
    people |= _forget_faces(database, shredded, at)
    follow_up(database, media, vault, at)
    return len(people)


def _forget_faces(database: Database, shredded: Sequence[str], at: dt.datetime) -> set[str]:
    """People whose consent to their face was withdrawn after the backup was made."""
    faces: set[str] = set()
    for subjects in _chunks(shredded):
        with database.read() as session:
            agreed = select(Consent.person).where(Consent.id.in_(subjects), Consent.withdrawn_at.is_(None))
            shown = select(FaceTemplate.person).where(FaceTemplate.consent.in_(subjects))
            faces |= {*session.scalars(agreed), *session.scalars(shown)}
    for person_id in faces:
        with database.write() as session:
            person = session.get_one(Person, person_id, with_for_update=True)
            start(session, person, ErasureKind.FACE, at=at, by=_BY)
    return faces


def _chunks(subjects: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(subjects), _CHUNK):
        yield subjects[first : first + _CHUNK]
