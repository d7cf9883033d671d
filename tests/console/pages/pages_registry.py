"""Who lives where in the compound of `pages_world`, with what they drive and are let in by."""

import datetime as dt

from pages_history import COMPOUND
from sqlalchemy import insert
from sqlalchemy.orm import Session

from registry import lookups
from registry.credentials.models import first_credential_row
from registry.models import (
    Credential,
    Dwelling,
    DwellingState,
    Grid,
    Household,
    Person,
    Residence,
    ResidenceKind,
    Unit,
    Vehicle,
    VehicleKind,
)
from registry.places.housing import DwellingFacts, add_dwelling

# What a page must show as text: a name that would be markup.
SHARP = "王<b>尖</b>"


def homes(session: Session, at: dt.datetime) -> None:
    """Two dwellings in 3幢 of the grid worker's grid, one in 5幢 of nobody's; a car; a tenant who leaves."""
    today = at.date()
    session.add(Grid(id="g-1", compound=COMPOUND, name="第一网格", code="01", worker="u-grid"))
    session.add(Grid(id="g-2", compound=COMPOUND, name="第二网格", code="02"))
    session.flush()
    for house, grid in (("house-b3", "g-1"), ("house-b5", "g-2")):
        unit = Unit(id=f"{house}-u2", compound=COMPOUND, building=house, name="2单元")
        session.add(unit)
        session.flush()
        for room in ("1801", "1802"):
            facts = DwellingFacts(18, room, DwellingState.OCCUPIED, grid=grid)
            add_dwelling(session, COMPOUND, unit.id, facts)
    home, next_door = _at(session, "house-b3", "1801"), _at(session, "house-b3", "1802")
    session.get_one(Household, "h-1").dwelling = home.id
    session.get_one(Household, "h-1").head_person_id = "p-1"
    tenant = Person(id="p-3", compound=COMPOUND, external_id="F-0007")
    lookups.identify(tenant, name=SHARP, phone="10012349999", id_number="11010519491231002X")
    session.add(tenant)
    session.flush()
    for person, dwelling, kind, until in (
        ("p-1", home, ResidenceKind.OWNER_OCCUPIER, None),
        ("p-3", next_door, ResidenceKind.TENANT, today + dt.timedelta(days=5)),
    ):
        session.add(
            Residence(
                id=f"res-{person}",
                compound=COMPOUND,
                person=person,
                dwelling=dwelling.id,
                kind=kind,
                since=dt.date(2024, 3, 1),
                until=until,
            )
        )
    session.add(
        Vehicle(id="v-1", compound=COMPOUND, plate="云A12345", owner="p-1", kind=VehicleKind.RESIDENT)
    )
    session.flush()
    rows = [first_credential_row(COMPOUND, person, at) for person in ("p-1", "p-2", "p-3")]
    session.execute(insert(Credential.__table__), rows)


def _at(session: Session, house: str, room: str) -> Dwelling:
    return session.query(Dwelling).filter_by(unit=f"{house}-u2", room_no=room).one()
