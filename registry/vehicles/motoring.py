"""Vehicles come into the registry by a plate in its one spelling, and somebody who answers for them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from registry import plates
from registry.errors import MissingError, RefusedError
from registry.organisations.models import Organisation
from registry.people.models import Household, Person
from registry.rows import at_version, find, refuse_taken, write_unique
from registry.vehicles.models import AuthorisedDriver, Vehicle, VehicleKind
from storage import new_id

PLATE_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class VehicleDetails:
    """What is said of a vehicle. `plate` in any spelling."""

    plate: str
    kind: VehicleKind = VehicleKind.RESIDENT
    owner: str | None = None
    household: str | None = None
    organisation: str | None = None


def spell_plate(text: str, kind: VehicleKind) -> str:
    """The one spelling of a plate that may be registered.

    Raises `plate_missing`, `plate_unread` for one with a character that nobody could read,
    and `plate_malformed`, unless the vehicle is a temporary one: those have plates of
    paper, of abroad, of a works yard.
    """
    plate = plates.normalise(text)
    if plate is None:
        raise RefusedError("plate_missing")
    if plates.UNREAD in plate:
        raise RefusedError("plate_unread")
    if len(plate) > PLATE_MAX or (kind is not VehicleKind.TEMPORARY and not plates.is_well_formed(plate)):
        raise RefusedError("plate_malformed")
    return plate


def register(
    session: Session, compound: str, details: VehicleDetails, *, external_id: str | None = None
) -> Vehicle:
    """Adds a vehicle.

    Raises what `spell_plate` raises, `plate_taken`, `external_id_taken`, `vehicle_without_owner` for a
    resident's and `vehicle_without_organisation` for an organisation's.
    """
    refuse_taken(session, Vehicle, compound, external_id)
    vehicle = Vehicle(id=new_id(), compound=compound, external_id=external_id, version=1)
    _describe(session, vehicle, details)
    write_unique(session, "plate_taken", vehicle)
    return vehicle


def edit(session: Session, vehicle: Vehicle, version: int, details: VehicleDetails) -> None:
    """Says anew what a vehicle is. Raises what `register` raises and `StaleEditError`.

    Leave to drive it stays; of a vehicle that is sold it goes with `remove`.
    """
    at_version(vehicle, version)
    _describe(session, vehicle, details)
    write_unique(session, "plate_taken")


def remove(session: Session, vehicle: Vehicle, version: int) -> None:
    """Takes a vehicle out of the registry, and all leave to drive it. Raises `StaleEditError`."""
    at_version(vehicle, version)
    session.execute(
        delete(AuthorisedDriver).where(
            AuthorisedDriver.compound == vehicle.compound, AuthorisedDriver.vehicle == vehicle.id
        )
    )
    session.delete(vehicle)
    session.flush()


def _describe(session: Session, vehicle: Vehicle, details: VehicleDetails) -> None:
    plate = spell_plate(details.plate, details.kind)
    compound = vehicle.compound
    if details.owner is not None:
        owner = find(session, Person, compound, details.owner, "person")
        if owner.erased_at is not None:
            raise MissingError("person")
    if details.household is not None:
        find(session, Household, compound, details.household, "household")
    if details.organisation is not None:
        find(session, Organisation, compound, details.organisation, "organisation")
    if details.kind is VehicleKind.RESIDENT and details.owner is None and details.household is None:
        raise RefusedError("vehicle_without_owner")
    if details.kind is VehicleKind.ORGANISATION and details.organisation is None:
        raise RefusedError("vehicle_without_organisation")
    vehicle.plate, vehicle.kind = plate, details.kind
    vehicle.owner, vehicle.household = details.owner, details.household
    vehicle.organisation = details.organisation
