"""A compound with a gate, a yard, two buildings, somebody at home and somebody who moved away."""

import datetime as dt

from registry import lookups
from registry.models import (
    Building,
    Compound,
    Credential,
    CredentialKind,
    CredentialStatus,
    Dwelling,
    DwellingState,
    Household,
    Organisation,
    OrganisationKind,
    Person,
    Premises,
    Residence,
    ResidenceKind,
    Ring,
    Unit,
    Vehicle,
    Zone,
)
from storage import Database

COMPOUND = "willow"
ELSEWHERE = "poplar"
NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
PHONE = "10012345678"
PLATE = "云M12345"

# zone: ring, neighbours
ZONES = {
    "gate": (Ring.ENTRANCE, ["yard"]),
    "garage-gate": (Ring.ENTRANCE, ["garage"]),
    "yard": (Ring.COMMON, ["gate", "b3", "pond"]),
    "pond": (Ring.COMMON, ["yard", "b5"]),
    "garage": (Ring.COMMON, ["garage-gate"]),
    "b3": (Ring.BUILDING, []),
    "b5": (Ring.BUILDING, []),
}


def settle_in(database: Database) -> None:
    """3幢 is home to household h-3 (Zhang, a child); 5幢 to an office; h-away has moved out."""
    with database.write() as session:
        session.add_all([Compound(id=COMPOUND, name="柳荫小区"), Compound(id=ELSEWHERE, name="白杨小区")])
        session.flush()
        for zone, (ring, neighbours) in ZONES.items():
            session.add(
                Zone(
                    id=zone,
                    compound=COMPOUND,
                    name=zone,
                    ring=ring,
                    kind="x",
                    outline=[],
                    neighbours=neighbours,
                )
            )
        session.add(
            Zone(id="far-gate", compound=ELSEWHERE, name="far", ring=Ring.ENTRANCE, kind="x", outline=[])
        )
        session.flush()
        for number in ("3", "5"):
            session.add(
                Building(
                    id=f"building-{number}", compound=COMPOUND, zone=f"b{number}", name=f"{number}幢",
                    x=0, y=0, width=1, height=1,
                )
            )  # fmt: skip
            session.flush()
            session.add(Unit(id=f"u{number}", compound=COMPOUND, building=f"building-{number}", name="1单元"))
            session.flush()
            session.add(
                Dwelling(
                    id=f"d{number}", compound=COMPOUND, unit=f"u{number}", floor=1, room_no="0101",
                    state=DwellingState.OCCUPIED,
                )
            )  # fmt: skip
        session.flush()
        session.add_all(
            [
                Household(id="h-3", compound=COMPOUND, dwelling="d3"),
                Household(id="h-away", compound=COMPOUND, dwelling="d5"),
                Household(id="h-nowhere", compound=COMPOUND),
                Organisation(
                    id="office", compound=COMPOUND, name="柳荫事务所", kind=OrganisationKind.COMPANY
                ),
                Organisation(id="left", compound=COMPOUND, name="旧店", kind=OrganisationKind.SHOP),
            ]
        )
        session.flush()
        session.add_all(
            [
                Person(id="zhang", compound=COMPOUND, household="h-3", name="张三", phone="10011112222"),
                Person(id="child", compound=COMPOUND, household="h-3", name="张小", under_14=True),
                Person(id="gone", compound=COMPOUND, household="h-away", name="李四"),
                Person(id="registered", compound=COMPOUND, household="h-away", name="王五"),
                Person(id="stranger", compound=ELSEWHERE, name="赵六"),
                Person(id="erased", compound=COMPOUND, erased_at=NOON - DAY),
                Premises(
                    id="pr-1", compound=COMPOUND, organisation="office", dwelling="d5", since=TODAY - DAY
                ),
                Premises(
                    id="pr-2", compound=COMPOUND, organisation="left", dwelling="d5",
                    since=TODAY - 9 * DAY, until=TODAY - DAY,
                ),
                Vehicle(id="car", compound=COMPOUND, plate="云M33333", household="h-3"),
            ]
        )  # fmt: skip
        session.flush()
        session.add_all(
            [
                home("zhang", "d3", ResidenceKind.OWNER_OCCUPIER),
                home("child", "d3", ResidenceKind.FAMILY_MEMBER),
                home("gone", "d5", ResidenceKind.TENANT, until=TODAY - DAY),
                home("registered", "d5", ResidenceKind.REGISTERED_ABSENT),
                card("card-lost", "zhang", "0004711", CredentialStatus.LOST),
                card("card-used", "zhang", "0004712", CredentialStatus.ACTIVE),
                Credential(
                    id="call", compound=COMPOUND, person="zhang", kind=CredentialKind.GUARD_CALL,
                    status=CredentialStatus.ENDED,
                ),
            ]
        )  # fmt: skip


def home(person: str, dwelling: str, kind: ResidenceKind, until: dt.date | None = None) -> Residence:
    return Residence(
        id=f"r-{person}", compound=COMPOUND, person=person, dwelling=dwelling, kind=kind,
        since=TODAY - 90 * DAY, until=until,
    )  # fmt: skip


def card(name: str, person: str, ref: str, status: CredentialStatus) -> Credential:
    row = Credential(id=name, compound=COMPOUND, person=person, kind=CredentialKind.CARD, status=status)
    row.ref = ref
    row.ref_key = lookups.credential_key(COMPOUND, "card", ref)
    return row
