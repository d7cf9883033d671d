"""Two buildings, a gate and a garden, and people who are made as a test needs them."""

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from registry.errors import RefusedError
from registry.models import Building, Compound, Dwelling, DwellingState, Person, Ring, Unit, Zone
from registry.people import population
from storage import Database
from tests.support.clock import NOON

COMPOUND = "honghua"
ELSEWHERE = "meilin"
TODAY = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)


def code_of(call: Callable[[], object]) -> str:
    """The code of a refusal; fails where nothing is refused."""
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.code


def build(database: Database) -> None:
    with database.write() as session:
        for compound in (COMPOUND, ELSEWHERE):
            session.add(Compound(id=compound, name=compound, time_zone="Asia/Shanghai"))
        session.flush()
        for zone, ring, kind, beside in (
            ("gate", Ring.ENTRANCE, "gate", ["garden"]),
            ("garden", Ring.COMMON, "garden", ["gate", "z1", "z2"]),
            ("z1", Ring.BUILDING, "building", ["garden"]),
            ("z2", Ring.BUILDING, "building", ["garden"]),
        ):
            session.add(
                Zone(
                    id=zone, compound=COMPOUND, name=zone, ring=ring, kind=kind, outline=[], neighbours=beside
                )
            )
        session.add(
            Zone(id="far", compound=ELSEWHERE, name="far", ring=Ring.BUILDING, kind="building", outline=[])
        )
        session.flush()
        for building, zone, compound in (
            ("b1", "z1", COMPOUND),
            ("b2", "z2", COMPOUND),
            ("b9", "far", ELSEWHERE),
        ):
            session.add(
                Building(
                    id=building,
                    compound=compound,
                    zone=zone,
                    name=f"{building[1]}幢",
                    x=0,
                    y=0,
                    width=9,
                    height=9,
                )
            )
            session.flush()
            session.add(Unit(id=f"{building}-u1", compound=compound, building=building, name="1单元"))
            session.flush()
            for room in ("101", "201"):
                session.add(
                    Dwelling(
                        id=f"{building}-{room}",
                        compound=compound,
                        unit=f"{building}-u1",
                        floor=int(room[0]),
                        room_no=room,
                        state=DwellingState.OCCUPIED,
                        address_key=f"{building[1]}-1-{room}",
                    )
                )


def person(session: Session, name: str = "张三", compound: str = COMPOUND, **known: object) -> Person:
    return population.register(
        session, compound, population.NewPerson(name=name, **known), at=NOON - 90 * DAY, today=TODAY
    )
