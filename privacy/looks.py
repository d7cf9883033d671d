"""Who looked at a person's data (L-08): what the audit log says, told to the person concerned.

People are named by their role alone. What was done for an official request, or belongs to an
order or a hold, is left out: whether there is any must not be seen from here.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from recognition.models import DecisionRow
from registry.models import Credential, FaceTemplate, Household, Person, Residence, Vehicle
from storage.amendments import standing
from storage.audit import AuditRow
from storage.events import EventRow

_OFFICIAL: Final = "official_request"
# Prefixes of actions that would tell of an inquiry.
_SECRET: Final = ("watchlist.", "hold.", "disclosure.")
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Look:
    """One look: when, in which role, what was done, to what sort of thing, what for."""

    at: dt.datetime
    role: str
    action: str
    purpose: str
    subject_kind: str


def at_person(session: Session, person: Person, since: dt.datetime | None = None) -> list[Look]:
    """All looks at a person, at what was decided and pictured of them, and at their home; newest first."""
    found: dict[int, Look] = {}
    for subjects in _chunks(list(_subjects(session, person))):
        query = select(AuditRow).where(
            AuditRow.subject.in_(subjects),
            AuditRow.purpose != _OFFICIAL,
            or_(AuditRow.compound.is_(None), AuditRow.compound == person.compound),
            and_(*(~AuditRow.action.startswith(secret) for secret in _SECRET)),
        )
        if since is not None:
            query = query.where(AuditRow.at >= since)
        for row in session.scalars(query):
            kind = row.subject.partition(":")[0]
            found[row.seq] = Look(row.at, row.role, row.action, row.purpose, kind)
    return [found[seq] for seq in sorted(found, reverse=True)]


def _subjects(session: Session, person: Person) -> Iterator[str]:
    yield f"person:{person.id}"
    if person.household is not None:
        yield f"household:{person.household}"
    yield from _named("vehicle", session.scalars(select(Vehicle.id).where(Vehicle.owner == person.id)))
    yield from _named(
        "credential", session.scalars(select(Credential.id).where(Credential.person == person.id))
    )
    decided = select(DecisionRow.sighting_id, DecisionRow.event_id).where(DecisionRow.person_id == person.id)
    events = []
    for sighting, event in session.execute(decided):
        yield f"sighting:{sighting}"
        yield f"event:{event}"
        events.append(event)
    for ids in _chunks(events):
        for row in standing(session, session.scalars(select(EventRow).where(EventRow.id.in_(ids))).all()):
            yield from _named(
                "media", (picture.get("media_id") for picture in row.body.get("pictures") or ())
            )
    portraits = select(FaceTemplate.media_id).where(FaceTemplate.person == person.id)
    yield from _named("media", session.scalars(portraits))
    yield from _named(
        "dwelling",
        {
            *session.scalars(select(Residence.dwelling).where(Residence.person == person.id)),
            *session.scalars(select(Household.dwelling).where(Household.id == person.household)),
        },
    )


def _named(kind: str, ids: Iterable[str | None]) -> Iterator[str]:
    return (f"{kind}:{each}" for each in ids if each is not None)


def _chunks(subjects: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(subjects), _CHUNK):
        yield subjects[first : first + _CHUNK]
