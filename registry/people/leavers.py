"""What still opens for people who have moved out: found the day after, revoked by the property office.

A date closes no door by itself (see `registry.entry.decision`). This is the list of what somebody
has to look at, and the one step that takes it all back.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from registry.credentials.issuing import stay_let_in
from registry.credentials.models import Credential, CredentialKind, CredentialStatus
from registry.organisations.models import StaffLink
from registry.people.models import Person, Residence, ResidenceKind
from registry.rows import lock
from registry.vehicles.models import Vehicle, VehicleKind

END_OF_RESIDENCE: Final = "end_of_residence"
"""The reason code of such a suspension, in the audit log."""


@dataclass(frozen=True, slots=True)
class ToReview:
    """A credential or vehicle whose right came from a residence that is over; its last day."""

    id: str
    person: str
    kind: str
    ended_on: dt.date


def credentials_to_review(session: Session, compound: str, on: dt.date) -> Sequence[ToReview]:
    """Active credentials of people who lived here, do so no more on a day, and have no work here.

    The guard's call is not among them: the guard asks, and hears that they have gone.
    """
    query = (
        select(Credential.id, Credential.person, Credential.kind, func.max(Residence.until))
        .join(Residence, Residence.person == Credential.person)
        .where(
            Credential.compound == compound,
            Credential.status == CredentialStatus.ACTIVE,
            Credential.kind != CredentialKind.GUARD_CALL,
            *_gone(Credential.person, compound, on),
        )
        .group_by(Credential.id, Credential.person, Credential.kind)
    )
    return _listed(session, query)


def vehicles_to_review(session: Session, compound: str, on: dt.date) -> Sequence[ToReview]:
    """Residents' vehicles whose owner has gone, or whose household has nobody left here."""
    member = aliased(Person)
    somebody_left = exists().where(member.household == Vehicle.household, _lives(member.id, compound, on))
    query = (
        select(Vehicle.id, Person.id, Vehicle.kind, func.max(Residence.until))
        .join(Person, or_(Person.id == Vehicle.owner, Person.household == Vehicle.household))
        .join(Residence, Residence.person == Person.id)
        .where(
            Vehicle.compound == compound,
            Vehicle.kind == VehicleKind.RESIDENT,
            ~somebody_left,
            *_gone(Person.id, compound, on),
        )
        .group_by(Vehicle.id, Person.id, Vehicle.kind)
    )
    latest: dict[str, ToReview] = {}
    for found in _listed(session, query):
        latest[found.id] = found
    return list(latest.values())


def revoke(
    session: Session, compound: str, credentials: Collection[str], *, on: dt.date, at: dt.datetime
) -> Sequence[str]:
    """Suspends those of the credentials that are still to be reviewed; returns which.

    Never refused: what has been given back, or whose person lives here again, is left
    alone. Nobody is left without a way in besides a face: the guard's call takes its place,
    and opens only to who belongs here.
    """
    wanted = set(credentials)
    people = {found.person for found in credentials_to_review(session, compound, on) if found.id in wanted}
    lock(session, Person, compound, people, "person")
    ids = [found.id for found in credentials_to_review(session, compound, on) if found.id in wanted]
    rows = session.scalars(
        select(Credential)
        .where(Credential.id.in_(ids), Credential.compound == compound)
        .order_by(Credential.id)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.status = CredentialStatus.SUSPENDED
    session.flush()
    for person in sorted({row.person for row in rows}):
        stay_let_in(session, session.get_one(Person, person), at, replace=True)
    return [row.id for row in rows]


def _listed(session: Session, query: Select[str, str, str, dt.date | None]) -> Sequence[ToReview]:
    rows = session.execute(query).all()
    found = [ToReview(id_, person, str(kind), day) for id_, person, kind, day in rows if day is not None]
    return sorted(found, key=lambda one: (one.ended_on, one.id))


def _gone(person: InstrumentedAttribute[str], compound: str, on: dt.date) -> tuple[ColumnElement[bool], ...]:
    works = exists().where(
        StaffLink.compound == compound,
        StaffLink.person == person,
        StaffLink.since <= on,
        or_(StaffLink.until.is_(None), StaffLink.until >= on),
    )
    return (
        Residence.compound == compound,
        Residence.kind != ResidenceKind.REGISTERED_ABSENT,
        Residence.until < on,
        ~_lives(person, compound, on),
        ~works,
    )


def _lives(person: InstrumentedAttribute[str], compound: str, on: dt.date) -> ColumnElement[bool]:
    """Lives here on a day, or is about to: a card is not taken from who moves in next week."""
    stay = aliased(Residence)
    return exists().where(
        and_(
            stay.compound == compound,
            stay.person == person,
            stay.kind != ResidenceKind.REGISTERED_ABSENT,
            or_(stay.until.is_(None), stay.until >= on),
        )
    )
