"""Dwellings: added, edited, and readdressed; what an address finds is in `registry.places.locating`.

A dwelling keeps the key of its address (`registry.places.addresses.key`). It is filled when the
dwelling is added and again when its building, its unit or itself is renamed.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import String, bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from registry.errors import RefusedError
from registry.places import aliases
from registry.places.grids import grid_for
from registry.places.locating import address_index, find_dwelling, key_of, new_key
from registry.places.models import Building, Dwelling, DwellingState, Grid, PlaceKind, Unit
from registry.places.signboards import write_out
from registry.rows import at_version, find, lock, write_unique
from storage import new_id

__all__ = [
    "DwellingFacts",
    "add_dwelling",
    "address_index",
    "address_of",
    "addresses_of",
    "edit_dwelling",
    "facts_of",
    "find_dwelling",
    "key_of",
    "refresh_address_keys",
]

DEEPEST: Final = -9
HIGHEST: Final = 99


@dataclass(frozen=True, slots=True)
class DwellingFacts:
    """What is written down of a dwelling. `top_floor`: the upper one of a duplex."""

    floor: int
    room_no: str
    state: DwellingState = DwellingState.VACANT
    top_floor: int | None = None
    grid: str | None = None
    external_id: str | None = None


def add_dwelling(session: Session, compound: str, unit_id: str, facts: DwellingFacts) -> Dwelling:
    """Adds a dwelling. Without a grid it gets its building's, or the only one there is.

    Raises `MissingError` and `RefusedError`: `floor_impossible`, `address_taken`,
    `external_id_taken`, `grid_needed` (there are several), and the codes of `AddressError`.
    """
    lock(session, Unit, compound, (unit_id,), "unit")
    unit = session.get_one(Unit, unit_id)
    building = session.get_one(Building, unit.building)
    _refuse_floors(facts.floor, facts.top_floor)
    grid = grid_for(session, compound, building.id) if facts.grid is None else facts.grid
    if grid is not None:
        find(session, Grid, compound, grid, "grid")
    dwelling = Dwelling(
        id=new_id(),
        compound=compound,
        unit=unit_id,
        floor=facts.floor,
        top_floor=facts.top_floor,
        room_no=facts.room_no.strip(),
        state=facts.state,
        is_basement=facts.floor < 0,
        grid=grid,
        address_key=new_key(building.name, unit.name, facts.floor, facts.room_no),
        external_id=facts.external_id,
        version=1,
    )
    _refuse_taken(session, dwelling)
    write_unique(session, "external_id_taken", dwelling)
    return dwelling


def edit_dwelling(
    session: Session, dwelling: Dwelling, version: int, facts: DwellingFacts, *, today: dt.date
) -> Dwelling:
    """Says anew what is written down of a dwelling; the address that it had becomes a former name.

    Raises what `add_dwelling` raises, and `StaleEditError`.
    """
    at_version(dwelling, version)
    compound = dwelling.compound
    _refuse_floors(facts.floor, facts.top_floor)
    if facts.grid != dwelling.grid:
        if facts.grid is None:
            raise RefusedError("grid_needed")
        find(session, Grid, compound, facts.grid, "grid")
    if (facts.floor, facts.room_no) != (dwelling.floor, dwelling.room_no):
        lock(session, Unit, compound, (dwelling.unit,), "unit")
        _readdress(session, dwelling, facts, today)
    dwelling.top_floor, dwelling.state, dwelling.grid = facts.top_floor, facts.state, facts.grid
    dwelling.external_id = facts.external_id
    write_unique(session, "external_id_taken")
    return dwelling


def facts_of(dwelling: Dwelling) -> DwellingFacts:
    """What is written down now, to change a part of."""
    return DwellingFacts(
        dwelling.floor,
        dwelling.room_no,
        dwelling.state,
        dwelling.top_floor,
        dwelling.grid,
        dwelling.external_id,
    )


def refresh_address_keys(session: Session, compound: str, *, building: str | None = None) -> int:
    """Fills the keys of addresses again, of one building or of all; returns how many changed.

    A row whose names make no address is left without one. The versions stay: nobody edited.
    """
    session.flush()
    query = (
        select(Dwelling.id, Dwelling.address_key, Building.name, Unit.name, Dwelling.floor, Dwelling.room_no)
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .where(Dwelling.compound == compound, *(() if building is None else (Building.id == building,)))
        .order_by(Dwelling.id)
    )
    changed = [
        {"dwelling_id": row.id, "key": key}
        for row in session.execute(query)
        if (key := key_of(row[2], row[3], row.floor, row.room_no)) != row.address_key
    ]
    if changed:
        session.connection().execute(_SET_KEY, changed)
        for row in changed:
            if (known := session.identity_map.get(identity_key(Dwelling, row["dwelling_id"]))) is not None:
                session.expire(known, ["address_key"])
    return len(changed)


def address_of(session: Session, dwelling: Dwelling) -> str:
    """The address as it is shown: "3幢2单元18层1801室"."""
    return addresses_of(session, dwelling.compound, [dwelling.id])[dwelling.id]


def addresses_of(session: Session, compound: str, dwellings: Iterable[str]) -> dict[str, str]:
    """Addresses as they are shown, by dwelling id."""
    query = (
        select(Dwelling.id, Building.name, Unit.name, Dwelling.floor, Dwelling.room_no)
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .where(Dwelling.compound == compound, Dwelling.id.in_(list(dwellings)))
    )
    return {row[0]: write_out(row[1], row[2], row[3], row[4]) for row in session.execute(query)}


def _readdress(session: Session, dwelling: Dwelling, facts: DwellingFacts, today: dt.date) -> None:
    building, unit = session.execute(
        select(Building.name, Unit.name)
        .join(Unit, Unit.building == Building.id)
        .where(Unit.id == dwelling.unit)
    ).one()
    before, written = dwelling.address_key, write_out(building, unit, dwelling.floor, dwelling.room_no)
    dwelling.floor, dwelling.room_no = facts.floor, facts.room_no.strip()
    dwelling.is_basement = facts.floor < 0
    dwelling.address_key = new_key(building, unit, facts.floor, facts.room_no)
    if dwelling.address_key == before:
        return
    _refuse_taken(session, dwelling)
    if before is not None:
        former = (PlaceKind.DWELLING, dwelling.id, written, before)
        aliases.note_former(session, dwelling.compound, *former, today)


def _refuse_taken(session: Session, dwelling: Dwelling) -> None:
    """Two spellings of one room are one room; the index on raw numbers does not see that."""
    with session.no_autoflush:
        taken = session.scalar(
            select(Dwelling.id)
            .where(
                Dwelling.compound == dwelling.compound,
                Dwelling.unit == dwelling.unit,
                Dwelling.address_key == dwelling.address_key,
                Dwelling.id != dwelling.id,
            )
            .limit(1)
        )
    if taken is not None:
        raise RefusedError("address_taken", dwelling=taken)


def _refuse_floors(floor: int, top_floor: int | None) -> None:
    """Raises `floor_impossible` (`RefusedError`): there is no floor 0, and a duplex goes up."""
    if not DEEPEST <= floor <= HIGHEST or floor == 0:
        raise RefusedError("floor_impossible")
    if top_floor is not None and not floor < top_floor <= HIGHEST:
        raise RefusedError("floor_impossible")


_SET_KEY = (
    update(Dwelling.__table__)  # type: ignore[arg-type]
    .where(Dwelling.__table__.c.id == bindparam("dwelling_id", type_=String))
    .values(address_key=bindparam("key", type_=String))
)
