"""Who a visitor comes to, whether they are here, and which buildings that means."""

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from registry.days import local_date
from registry.errors import RefusedError
from registry.organisations.models import Premises
from registry.passes.models import VisitorPass
from registry.people.models import Household, Person, Residence, ResidenceKind
from registry.places.models import Building, Dwelling, Unit


class HostKind(enum.StrEnum):
    """Who can have visitors."""

    HOUSEHOLD = "household"
    PERSON = "person"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Host:
    """A household, person or organisation, by id."""

    kind: HostKind
    id: str


@dataclass(frozen=True, slots=True)
class HostBuilding:
    """Where a host is: the building's id, its name as people say it, and its zone."""

    building: str
    name: str
    zone: str


def host_of(visitor_pass: VisitorPass) -> Host | None:
    """None where the pass is the property's own: nobody in particular is visited."""
    for kind, host_id in (
        (HostKind.HOUSEHOLD, visitor_pass.host_household),
        (HostKind.PERSON, visitor_pass.host_person),
        (HostKind.ORGANISATION, visitor_pass.host_organisation),
    ):
        if host_id is not None:
            return Host(kind, host_id)
    return None


def buildings_of(
    session: Session, compound: str, hosts: Iterable[Host], on: dt.date
) -> dict[Host, tuple[HostBuilding, ...]]:
    """Where each host lives or works on a day; one who is not here has no entry.

    A household is here while somebody of it lives in its dwelling; being registered in a
    dwelling and living elsewhere is not living there.
    """
    wanted: defaultdict[HostKind, set[str]] = defaultdict(set)
    for host in hosts:
        wanted[host.kind].add(host.id)
    found: defaultdict[Host, list[HostBuilding]] = defaultdict(list)
    for kind, ids in wanted.items():
        for host_id, building, name, zone in session.execute(_buildings(kind, ids, compound, on)):
            found[Host(kind, host_id)].append(HostBuilding(building, name, zone))
    return {host: tuple(buildings) for host, buildings in found.items()}


def _buildings(kind: HostKind, ids: set[str], compound: str, on: dt.date) -> Select[str, str, str, str]:
    lives = (
        Residence.since <= on,
        or_(Residence.until.is_(None), Residence.until >= on),
        Residence.kind != ResidenceKind.REGISTERED_ABSENT,
    )
    query: Select[str, str, str, str]
    if kind is HostKind.HOUSEHOLD:
        somebody_home = (
            select(Residence.id)
            .join(Person, Person.id == Residence.person)
            .where(Person.household == Household.id, Residence.dwelling == Household.dwelling, *lives)
            .exists()
        )
        query = (
            select(Household.id, Building.id, Building.name, Building.zone)
            .join(Dwelling, Dwelling.id == Household.dwelling)
            .where(Household.id.in_(ids), Household.compound == compound, somebody_home)
        )
    elif kind is HostKind.PERSON:
        query = (
            select(Person.id, Building.id, Building.name, Building.zone)
            .join(Residence, Residence.person == Person.id)
            .join(Dwelling, Dwelling.id == Residence.dwelling)
            .where(Person.id.in_(ids), Person.compound == compound, Person.erased_at.is_(None), *lives)
        )
    else:
        query = (
            select(Premises.organisation, Building.id, Building.name, Building.zone)
            .join(Dwelling, Dwelling.id == Premises.dwelling)
            .where(
                Premises.organisation.in_(ids),
                Premises.compound == compound,
                Premises.since <= on,
                or_(Premises.until.is_(None), Premises.until >= on),
            )
        )
    return (
        query.join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .distinct()
        .order_by(Building.id)
    )


def require_here(session: Session, compound: str, hosts: Iterable[Host | None], at: dt.datetime) -> None:
    """Raises `RefusedError("host_not_here")` unless every host lives or works here on that day."""
    named = {host for host in hosts if host is not None}
    if named - buildings_of(session, compound, named, local_date(session, compound, at)).keys():
        raise RefusedError("host_not_here")
