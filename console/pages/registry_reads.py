"""What stands beside a person or a dwelling on its page: vehicles, keys, passes, versions, names of users.

Each is one statement, whatever the number of people. Whoever reads here has looked at the person
or the dwelling through the API, with a purpose, and that is in the audit log.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from console.accounts.models import User
from registry.models import (
    AuthorisedDriver,
    Credential,
    CredentialStatus,
    Household,
    PassKind,
    PassState,
    Residence,
    StaffLink,
    Vehicle,
    VehicleKind,
    VisitorPass,
)
from registry.organisations.models import Organisation

_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Car:
    """A vehicle; `through`: the reader's person owns it, their household does, or they may drive it."""

    id: str
    plate: str
    kind: VehicleKind
    through: str
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class House:
    """A household that lives in a dwelling."""

    id: str
    version: int
    head: str | None


@dataclass(frozen=True, slots=True)
class Coming:
    """A pass to somebody, without who comes."""

    id: str
    kind: PassKind
    state: PassState
    starts_at: dt.datetime
    ends_at: dt.datetime


def versions_of(session: Session, dwelling: str) -> dict[str, int]:
    """At which version each residence of a dwelling is: what ending or verifying it has to name."""
    rows = session.execute(select(Residence.id, Residence.version).where(Residence.dwelling == dwelling))
    return {row[0]: row[1] for row in rows}


def households_in(session: Session, dwelling: str) -> Sequence[House]:
    """Which households live in a dwelling."""
    rows = session.execute(
        select(Household.id, Household.version, Household.head_person_id)
        .where(Household.dwelling == dwelling)
        .order_by(Household.id)
    )
    return [House(*row) for row in rows]


def cars_of(
    session: Session, compound: str, people: Collection[str], households: Collection[str]
) -> Sequence[Car]:
    """Vehicles that people own, their households own, or that they may drive."""
    owned = select(Vehicle.id, Vehicle.plate, Vehicle.kind, Vehicle.owner, Vehicle.household).where(
        Vehicle.compound == compound,
        or_(Vehicle.owner.in_(people), Vehicle.household.in_(households)),
    )
    found: dict[str, Car] = {}
    for vehicle, plate, kind, owner, _ in session.execute(owned.limit(_MOST)):
        through = "owner" if owner in people else "household"
        found[vehicle] = Car(vehicle, plate, VehicleKind(kind), through)
    driven = (
        select(Vehicle.id, Vehicle.plate, Vehicle.kind, AuthorisedDriver.until)
        .join(Vehicle, Vehicle.id == AuthorisedDriver.vehicle)
        .where(AuthorisedDriver.person.in_(people))
        .limit(_MOST)
    )
    for vehicle, plate, kind, until in session.execute(driven):
        found.setdefault(vehicle, Car(vehicle, plate, VehicleKind(kind), "driver", until))
    return sorted(found.values(), key=lambda car: car.plate)


def keys_of(session: Session, people: Collection[str]) -> Sequence[tuple[str, int]]:
    """How many active credentials of which kind people have."""
    rows = session.execute(
        select(Credential.kind, func.count())
        .where(Credential.person.in_(people), Credential.status == CredentialStatus.ACTIVE)
        .group_by(Credential.kind)
        .order_by(Credential.kind)
    )
    return [(row[0], row[1]) for row in rows]


def passes_to(
    session: Session, people: Collection[str], households: Collection[str], at: dt.datetime
) -> Sequence[Coming]:
    """Passes to people and households that hold, will hold or wait for a decision, the next first."""
    rows = session.execute(
        select(
            VisitorPass.id, VisitorPass.kind, VisitorPass.state, VisitorPass.starts_at, VisitorPass.ends_at
        )
        .where(
            or_(VisitorPass.host_person.in_(people), VisitorPass.host_household.in_(households)),
            VisitorPass.ends_at > at,
            VisitorPass.state.in_((PassState.APPROVED, PassState.REQUESTED)),
        )
        .order_by(VisitorPass.starts_at, VisitorPass.id)
        .limit(_MOST)
    )
    return [Coming(row[0], PassKind(row[1]), PassState(row[2]), row[3], row[4]) for row in rows]


def workplaces_of(session: Session, person: str) -> Sequence[tuple[str, dt.date, dt.date | None]]:
    """Organisations that a person works for: name, first and last day."""
    rows = session.execute(
        select(Organisation.name, StaffLink.since, StaffLink.until)
        .join(Organisation, Organisation.id == StaffLink.organisation)
        .where(StaffLink.person == person)
        .order_by(StaffLink.since.desc())
        .limit(_MOST)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def user_names(session: Session, ids: Collection[str | None]) -> Mapping[str, str]:
    """Names of users of the console, by id."""
    wanted = {one for one in ids if one}
    rows = session.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    return {row[0]: row[1] for row in rows}
