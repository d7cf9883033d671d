"""Finding people by what is known of them: through keyed hashes, so whole or not at all."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from registry import lookups
from registry.people.models import Household, Person, Residence
from registry.places.models import Dwelling
from registry.plates import normalise
from registry.vehicles.models import AuthorisedDriver, Vehicle
from storage.vault import current_vault

FOUND_MAX: Final = 50
"""More people than this under one name are not listed: ask for something else as well."""


def search_people(
    session: Session,
    compound: str,
    *,
    name: str | None = None,
    phone: str | None = None,
    id_number: str | None = None,
    plate: str | None = None,
    external_id: str | None = None,
    grids: Collection[str] | None = None,
) -> Sequence[Person]:
    """People to whom everything that is given belongs, at most `FOUND_MAX`; nothing finds nobody.

    With `grids` only who lives, lived or keeps house in their dwellings. Names are found
    whole or not at all, since what is stored of them is a keyed hash. A plate finds the
    owner, who may drive the vehicle, and the household that it belongs to.
    Raises `spelling.PhoneError` and `citizen_id.CitizenIdError`.
    """
    asked: list[ColumnElement[bool]] = []
    if name:
        asked.append(Person.name_key == lookups.name_key(compound, name))
    if phone:
        asked.append(Person.phone_key == lookups.phone_key(compound, phone))
    if id_number:
        asked.append(Person.id_key == lookups.id_key(compound, id_number))
    if external_id:
        asked.append(Person.external_id == external_id)
    if plate:
        asked.append(_has_to_do_with(compound, normalise(plate) or ""))
    if not asked:
        return []
    if grids is not None:
        asked.append(_of_grids(compound, grids))
    found = session.scalars(
        select(Person)
        .where(Person.compound == compound, Person.erased_at.is_(None), *asked)
        .order_by(Person.id)
        .limit(FOUND_MAX)
    ).all()
    current_vault().load([person.id for person in found])
    return found


def _has_to_do_with(compound: str, plate: str) -> ColumnElement[bool]:
    vehicles = select(Vehicle.id).where(Vehicle.compound == compound, Vehicle.plate == plate)
    owners = select(Vehicle.owner).where(Vehicle.compound == compound, Vehicle.plate == plate)
    households = select(Vehicle.household).where(Vehicle.compound == compound, Vehicle.plate == plate)
    drivers = select(AuthorisedDriver.person).where(
        AuthorisedDriver.compound == compound, AuthorisedDriver.vehicle.in_(vehicles)
    )
    return or_(Person.id.in_(owners), Person.id.in_(drivers), Person.household.in_(households))


def _of_grids(compound: str, grids: Collection[str]) -> ColumnElement[bool]:
    dwellings = select(Dwelling.id).where(Dwelling.compound == compound, Dwelling.grid.in_(grids))
    homes = select(Residence.person).where(Residence.compound == compound, Residence.dwelling.in_(dwellings))
    families = select(Household.id).where(Household.compound == compound, Household.dwelling.in_(dwellings))
    return or_(Person.id.in_(homes), Person.household.in_(families))
