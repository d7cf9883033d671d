"""Breach run-book (L-24): whose data lay in what was lost, and how to reach them (PIPL art. 57).

The first question after a breach is who has to be told. It is answered from what the
database holds of a class, for a window of time and, where only one leaked, one device.
"""

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from devices.enrolments import TerminalEnrolment
from recognition.models import DecisionRow
from registry.models import Consent, Credential, FaceTemplate, Person, VisitorPass
from storage.events import EventRow
from storage.vault import current_vault, open_for

_CHUNK: Final = 500


class BreachClass(enum.StrEnum):
    """What of a person was lost."""

    REGISTER = "register"  # name, phone, id number, household
    FACES = "faces"  # templates and enrolled photos
    CREDENTIALS = "credentials"
    CONSENTS = "consents"
    PASSAGES = "passages"  # whereabouts
    TERMINALS = "terminals"  # what lies on a terminal
    INCIDENTS = "incidents"
    VISITORS = "visitors"


@dataclass(frozen=True, slots=True)
class BreachScope:
    """A window is of when things happened; without one, of everything that is there now."""

    compound: str
    classes: frozenset[BreachClass]
    from_at: dt.datetime | None = None
    to_at: dt.datetime | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Affected:
    """Somebody to be told: a registered person or the holder of a visitor pass, with what was lost."""

    kind: str
    id: str
    phone: str | None
    classes: tuple[BreachClass, ...]
    # For a child under 14 it is the guardian who is told.
    guardian: str | None = None


def affected(session: Session, scope: BreachScope) -> list[Affected]:
    """Everybody whose data is in the scope, ordered by id."""
    found: dict[str, set[BreachClass]] = defaultdict(set)
    for kind in scope.classes - {BreachClass.VISITORS}:
        for person in session.scalars(_people(kind, scope)):
            if person is not None:
                found[person].add(kind)
    people = list(_contacts(session, scope, found))
    visitors = _visitors(session, scope) if BreachClass.VISITORS in scope.classes else ()
    return [*people, *visitors]


def _people(kind: BreachClass, scope: BreachScope) -> Any:
    """Ids of people of whom something of a class lies in the scope."""
    if kind is BreachClass.REGISTER:
        return select(Person.id).where(Person.compound == scope.compound, Person.erased_at.is_(None))
    if kind is BreachClass.PASSAGES:
        query = select(DecisionRow.person_id).where(
            DecisionRow.compound == scope.compound,
            DecisionRow.person_id.is_not(None),
            *_within(DecisionRow.at, scope),
        )
        if scope.device is not None:
            query = query.join(EventRow, EventRow.id == DecisionRow.event_id).where(
                EventRow.device_id == scope.device
            )
        return query.distinct()
    if kind is BreachClass.INCIDENTS:
        query = select(Incident.subject).where(
            Incident.compound == scope.compound,
            Incident.subject_kind == "person",
            *_within(Incident.happened_at, scope),
        )
        return (query if scope.device is None else query.where(Incident.device_id == scope.device)).distinct()
    table: Any
    table, clock = {
        BreachClass.FACES: (FaceTemplate, FaceTemplate.created_at),
        BreachClass.CREDENTIALS: (Credential, None),
        BreachClass.CONSENTS: (Consent, Consent.given_at),
        BreachClass.TERMINALS: (TerminalEnrolment, TerminalEnrolment.pushed_at),
    }[kind]
    query = select(table.person).where(table.compound == scope.compound).distinct()
    if clock is not None:
        # What was made after the window cannot have been lost in it; what was made before can.
        query = query.where(*_until(clock, scope))
    if scope.device is not None and kind is BreachClass.TERMINALS:
        query = query.where(TerminalEnrolment.device == scope.device)
    return query


def _contacts(session: Session, scope: BreachScope, found: dict[str, set[BreachClass]]) -> Iterator[Affected]:
    for ids in _chunks(sorted(found)):
        current_vault().load(ids)
        rows = session.scalars(
            select(Person).where(Person.compound == scope.compound, Person.id.in_(ids)).order_by(Person.id)
        )
        for person in rows:
            guardian = person.guardian if person.under_14 else None
            yield Affected("person", person.id, person.phone, tuple(sorted(found[person.id])), guardian)


def _visitors(session: Session, scope: BreachScope) -> Iterator[Affected]:
    rows = session.execute(
        select(VisitorPass.id, VisitorPass.sealed_phone)
        .where(VisitorPass.compound == scope.compound, *_until(VisitorPass.starts_at, scope))
        .order_by(VisitorPass.id)
    ).all()
    current_vault().load([row.id for row in rows])
    for row in rows:
        yield Affected(
            "visitor_pass", row.id, open_for(row.id, "phone", row.sealed_phone), (BreachClass.VISITORS,)
        )


def _within(clock: Any, scope: BreachScope) -> Iterable[Any]:
    if scope.from_at is not None:
        yield clock >= scope.from_at
    yield from _until(clock, scope)


def _until(clock: Any, scope: BreachScope) -> Iterable[Any]:
    if scope.to_at is not None:
        yield clock < scope.to_at


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
