"""Buildings and their units: added, renamed, renumbered. A former name stays as an alias with dates."""

import datetime as dt
import math
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.places import addresses, aliases
from registry.places.addresses import AddressError
from registry.places.housing import refresh_address_keys
from registry.places.models import Building, Compound, PlaceKind, Unit, Zone
from registry.places.signboards import write_building, write_unit
from registry.rows import at_version, find, lock
from storage import new_id


@dataclass(frozen=True, slots=True)
class BuildingFacts:
    """What is written down of a building; the footprint is in plan metres from its north-west corner."""

    name: str
    zone: str
    x: float
    y: float
    width: float
    height: float


def add_building(session: Session, compound: str, facts: BuildingFacts) -> Building:
    """Adds a building. Raises `RefusedError`: `name_missing`, `name_taken`, `footprint`; `MissingError`."""
    _hold(session, compound)
    _check(session, compound, facts)
    building = Building(
        id=new_id(),
        compound=compound,
        zone=facts.zone,
        name=facts.name.strip(),
        x=facts.x,
        y=facts.y,
        width=facts.width,
        height=facts.height,
        version=1,
    )
    session.add(building)
    session.flush()
    return building


def edit_building(
    session: Session, building: Building, version: int, facts: BuildingFacts, *, today: dt.date
) -> Building:
    """Says anew what is written down of a building. Raises what `add_building` raises, `StaleEditError`.

    With another name its dwellings have other addresses from today on; until yesterday they
    had the old ones, and are found by them.
    """
    _hold(session, building.compound)
    at_version(building, version)
    _check(session, building.compound, facts, building.id)
    before, after = building.name, facts.name.strip()
    building.name, building.zone = after, facts.zone
    building.x, building.y, building.width, building.height = facts.x, facts.y, facts.width, facts.height
    session.flush()
    was = aliases.spelt_building(before)
    if was != aliases.spelt_building(after):
        former = (PlaceKind.BUILDING, building.id, write_building(before), was)
        aliases.note_former(session, building.compound, *former, today)
    if before != after:
        refresh_address_keys(session, building.compound, building=building.id)
    return building


def facts_of(building: Building) -> BuildingFacts:
    """What is written down now, to change a part of."""
    return BuildingFacts(
        building.name, building.zone, building.x, building.y, building.width, building.height
    )


def add_unit(session: Session, compound: str, building_id: str, name: str) -> Unit:
    """Adds a stairwell; an empty name where the building has no units.

    Raises `MissingError` and `RefusedError`: `unit_name` (nobody could write an address with
    it), `name_taken`.
    """
    lock(session, Building, compound, (building_id,), "building")
    _refuse_unit_name(session, compound, building_id, name)
    unit = Unit(id=new_id(), compound=compound, building=building_id, name=name.strip())
    session.add(unit)
    session.flush()
    return unit


def rename_unit(session: Session, unit: Unit, name: str, *, today: dt.date) -> Unit:
    """Gives a unit another name; the former one stays as an alias. Raises as `add_unit`."""
    lock(session, Building, unit.compound, (unit.building,), "building")
    _refuse_unit_name(session, unit.compound, unit.building, name, unit.id)
    building = session.get_one(Building, unit.building)
    before, after = unit.name, name.strip()
    was, spelt = addresses.spell_unit(before), addresses.spell_unit(after)
    unit.name = after
    session.flush()
    if was != spelt:
        key = f"{aliases.spelt_building(building.name)}-{was or 0}"
        former = (PlaceKind.UNIT, unit.id, write_unit(building.name, before), key)
        aliases.note_former(session, unit.compound, *former, today)
    if before != after:
        refresh_address_keys(session, unit.compound, building=unit.building)
    return unit


def _hold(session: Session, compound: str) -> None:
    """Of two who name buildings at once the second sees what the first has done."""
    session.flush()
    if session.get(Compound, compound, with_for_update=True, populate_existing=True) is None:
        raise MissingError("compound")


def _check(session: Session, compound: str, facts: BuildingFacts, but: str | None = None) -> None:
    find(session, Zone, compound, facts.zone, "zone")
    name = facts.name.strip()
    if not name:
        raise RefusedError("name_missing")
    corner, size = (facts.x, facts.y), (facts.width, facts.height)
    if not all(map(math.isfinite, corner + size)) or min(size) <= 0:
        raise RefusedError("footprint")
    spelt = aliases.spelt_building(name)
    for building_id, other in session.execute(
        select(Building.id, Building.name).where(Building.compound == compound)
    ):
        if building_id != but and aliases.spelt_building(other) == spelt:
            raise RefusedError("name_taken", building=building_id)


def _refuse_unit_name(
    session: Session, compound: str, building: str, name: str, but: str | None = None
) -> None:
    try:
        address = addresses.locate("1", name, 1, "101")
        understood = addresses.parse(addresses.key(address)) == address
    except AddressError:
        understood = False
    if not understood:
        raise RefusedError("unit_name")
    spelt = addresses.spell_unit(name)
    for unit_id, other in session.execute(
        select(Unit.id, Unit.name).where(Unit.compound == compound, Unit.building == building)
    ):
        if unit_id != but and addresses.spell_unit(other) == spelt:
            raise RefusedError("name_taken", unit=unit_id)
