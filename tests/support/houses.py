"""A small compound to live in: two buildings with units, one without, two grids."""

import datetime as dt
from types import SimpleNamespace

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry import lookups
from registry.models import (
    Compound,
    Dwelling,
    DwellingState,
    Household,
    Person,
    Residence,
    ResidenceKind,
    Ring,
    Zone,
)
from registry.places import buildings, grids, housing
from registry.places.buildings import BuildingFacts
from registry.places.housing import DwellingFacts
from storage import new_id

HERE = "honghua"
THERE = "sifang"
TODAY = dt.date(2026, 11, 23)


def found(session: Session, compound: str = HERE) -> SimpleNamespace:
    """Buildings 3幢 (units 1 and 2), 5幢 (one unit) and 甲6幢 (no units); returns ids by what they are."""
    session.add(Compound(id=compound, name=compound, time_zone="Asia/Shanghai"))
    session.flush()
    yard = f"{compound}-yard"
    session.add(
        Zone(
            id=yard,
            compound=compound,
            name="院子",
            ring=Ring.COMMON,
            kind="yard",
            outline=[[0, 0], [200, 0], [200, 100], [0, 100]],
            neighbours=[],
        )
    )
    session.flush()
    east = grids.create(session, compound, code="01", name="东网格", worker="grid-east").id
    west = grids.create(session, compound, code="02", name="西网格", worker="grid-west").id
    place = SimpleNamespace(yard=yard, east=east, west=west)
    for name, x, units, grid in (("3幢", 10, ("1单元", "2单元"), east), ("5幢", 60, ("1单元",), west)):
        building = add_building(session, name, x, compound)
        setattr(place, f"b{name[0]}", building)
        for unit in units:
            unit_id = buildings.add_unit(session, compound, building, unit).id
            setattr(place, f"u{name[0]}{unit[0]}", unit_id)
            for floor, room in ((1, "101"), (17, "1701"), (18, "1801"), (18, "1802")):
                home = add(session, unit_id, floor, room, compound=compound, grid=grid)
                setattr(place, f"d{name[0]}{unit[0]}_{room}", home)
    place.b6 = add_building(session, "甲6幢", 110, compound)
    place.u6 = buildings.add_unit(session, compound, place.b6, "").id
    place.d6_701 = add(session, place.u6, 7, "701", compound=compound, grid=west)
    return place


def add_building(session: Session, name: str, x: float = 10, compound: str = HERE) -> str:
    return buildings.add_building(
        session, compound, BuildingFacts(name, f"{compound}-yard", x, 10, 40, 15)
    ).id


def add(
    session: Session,
    unit: str,
    floor: int,
    room: str,
    *,
    compound: str = HERE,
    state: DwellingState = DwellingState.OCCUPIED,
    grid: str | None = None,
    **more: object,
) -> str:
    facts = DwellingFacts(floor, room, state, grid=grid, **more)
    return housing.add_dwelling(session, compound, unit, facts).id


def person(
    session: Session, name: str, *, compound: str = HERE, household: str | None = None, **more: object
) -> Person:
    """Somebody who is found by name and phone; `phone` and `id_number` may be given."""
    identity = {key: more.pop(key, None) for key in ("phone", "id_number")}
    row = Person(id=new_id(), compound=compound, household=household, version=1, **more)
    lookups.identify(row, name=name, **identity)
    session.add(row)
    session.flush()
    return row


def household(session: Session, dwelling: str | None, *, compound: str = HERE) -> Household:
    row = Household(id=new_id(), compound=compound, dwelling=dwelling, version=1)
    session.add(row)
    session.flush()
    return row


def live(
    session: Session,
    who: Person,
    dwelling: str,
    kind: ResidenceKind = ResidenceKind.OWNER_OCCUPIER,
    since: dt.date = dt.date(2020, 1, 1),
    until: dt.date | None = None,
    **more: object,
) -> Residence:
    row = Residence(
        id=new_id(),
        compound=who.compound,
        person=who.id,
        dwelling=dwelling,
        kind=kind,
        since=since,
        until=until,
        version=1,
        **more,
    )
    session.add(row)
    session.flush()
    return row


def dwelling(session: Session, dwelling_id: str) -> Dwelling:
    return session.get_one(Dwelling, dwelling_id)


def residences(session: Session, dwelling_id: str) -> list[Residence]:
    return list(session.scalars(select(Residence).where(Residence.dwelling == dwelling_id)))
