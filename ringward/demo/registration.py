"""The whole registry of the demo compound as rows by table, and how they are written.

Rows are plain until they are written: only then are names sealed, with a key for each
person. The same rows under another prefix are another compound, so that ten of them make
the street that benchmarks and load tests need.
"""

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlalchemy.orm import Session

from registry import lookups
from registry.credentials.models import first_credential_row
from registry.models import (
    Building,
    Community,
    Compound,
    CompoundKind,
    Credential,
    CredentialKind,
    CredentialStatus,
    Dwelling,
    Grid,
    Household,
    Organisation,
    Person,
    Premises,
    Residence,
    ResidenceKind,
    StaffLink,
    Subdistrict,
    Unit,
    Vehicle,
    Zone,
)
from ringward.demo import cast, neighbourhood, plan, population
from ringward.demo.plan import COMPOUND, PREFIX
from storage import Base
from storage.vault import current_vault, seal_for

Row = dict[str, Any]
Rows = list[tuple[type[Base], list[Row]]]

TIME_ZONE: Final = "Asia/Shanghai"

_OLD: Final = "out_of_date"

# Somewhere in western Yunnan, where nothing like it stands.
_LONGITUDE: Final = 99.2
_LATITUDE: Final = 25.2


def registry_rows(rng: random.Random, now: dt.datetime) -> Rows:
    """Tables in the order of their foreign keys, a function of the seed and of the compound's date."""
    buildings = plan.buildings()
    today = now.astimezone(ZoneInfo(TIME_ZONE)).date()
    people = population.populate(buildings, rng, today)
    organisations, premises, staff = neighbourhood.organisations(people.dwellings, people.people, rng, today)
    return [
        (Subdistrict, [{"id": neighbourhood.SUBDISTRICT, "name": "青华街道"}]),
        (
            Community,
            [
                {
                    "id": neighbourhood.COMMUNITY,
                    "subdistrict": neighbourhood.SUBDISTRICT,
                    "name": "红花社区",
                }
            ],
        ),
        (Compound, [_compound_row()]),
        (Zone, [_zone_row(zone) for zone in plan.zones()]),
        (
            Building,
            [
                {"id": b.id, "compound": COMPOUND, "zone": b.zone, "name": b.name, **asdict(b.area)}
                for b in buildings
            ],
        ),
        (Unit, people.units),
        (Grid, neighbourhood.grids()),
        (Dwelling, people.dwellings),
        (Household, people.households),
        (Person, people.people),
        (Residence, people.residences),
        (Organisation, organisations),
        (Premises, premises),
        (StaffLink, staff),
        (Vehicle, people.vehicles),
        (Credential, _credentials(people, rng, now)),
    ]


def under(rows: Rows, compound: str, prefix: str) -> Rows:
    """The same rows as another compound's: every id begins with `prefix` instead."""

    def moved(value: Any) -> Any:
        if isinstance(value, list):
            return [moved(part) for part in value]
        if isinstance(value, str) and value.startswith(f"{PREFIX}-"):
            return prefix + value[len(PREFIX) :]
        return compound if value == COMPOUND else value

    return [(table, [{key: moved(value) for key, value in row.items()} for row in of]) for table, of in rows]


def write(session: Session, rows: Rows, *, but: Iterable[type[Base]] = ()) -> None:
    """Inserts rows in Core's executemany; those of a table in `but` are there already.

    Keys come into the vault first: a crash then leaves keys of nobody, never rows that
    nobody can read.
    """
    skipped = set(but)
    for table, of in rows:
        if table in skipped or not of:
            continue
        ready = of
        if table is Person:
            current_vault().create(row["id"] for row in of)
            ready = [_sealed_person(row) for row in of]
        elif table is Credential:
            current_vault().load(row["person"] for row in of)
            ready = [_sealed_credential(row) for row in of]
        # On the connection, not the session: without an object a row.
        session.connection().execute(insert(table), _alike(ready))


def _alike(rows: list[Row]) -> list[Row]:
    """Executemany takes the columns of its first row for all."""
    columns = {key: None for row in rows for key in row}
    return [columns | row for row in rows]


def _sealed_person(row: Row) -> Row:
    return row | lookups.identity(row["compound"], row["id"], name=row["name"], phone=row["phone"])


def _sealed_credential(row: Row) -> Row:
    ref = row.get("ref")
    if ref is None:
        return row
    key = lookups.credential_key(row["compound"], str(row["kind"]), ref)
    return row | {"ref": seal_for(row["person"], "credential", ref), "ref_key": key}


def _compound_row() -> Row:
    return {
        "id": COMPOUND,
        "name": "红花小区",
        "time_zone": TIME_ZONE,
        "community": neighbourhood.COMMUNITY,
        "kind": CompoundKind.RESETTLEMENT,
        "opened_on": dt.date(2017, 7, 1),
        "longitude": _LONGITUDE,
        "latitude": _LATITUDE,
        "bearing": 0.0,
    }


def _zone_row(zone: plan.PlannedZone) -> Row:
    return {
        "id": zone.id,
        "compound": COMPOUND,
        "name": zone.name,
        "ring": zone.ring,
        "kind": zone.kind,
        "outline": [list(point) for point in zone.area.outline],
        "neighbours": list(zone.neighbours),
    }


def _credentials(people: population.Population, rng: random.Random, now: dt.datetime) -> list[Row]:
    """A card for everybody who carries one; the guard opens for the others."""
    numbers = iter(rng.sample(range(0x10000000, 0xFFFFFFFF), len(people.people)))
    told = {person: role for role, person in _holders(people).items()} | {cast.TENANT: "tenant"}
    rows = []
    for person in people.people:
        number = next(numbers)
        role = told.get(person["id"])
        base = first_credential_row(COMPOUND, person["id"], now)
        if person["under_14"]:
            rows.append(base | {"id": f"{person['id']}-call", "ref": None})
        else:
            rows.append(
                base
                | {
                    "id": f"{person['id']}-card",
                    "kind": CredentialKind.CARD,
                    "status": CredentialStatus.ACTIVE,
                    "ref": f"{number:08X}" if role in {None, _OLD} else cast.card(role),
                    "external_id": f"K{person['id'][len(PREFIX) + 2 :]}",
                }
            )
        if role == _OLD:
            # The one before, which its holder still takes for the new one.
            rows.append(
                rows[-1]
                | {
                    "id": f"{person['id']}-old-card",
                    "ref": cast.card(_OLD),
                    "starts_at": now - dt.timedelta(days=400),
                    "ends_at": now - dt.timedelta(days=1),
                    "external_id": f"{rows[-1]['external_id']}-1",
                }
            )
    return rows


def _holders(people: population.Population) -> dict[str, str]:
    """Role in the story → somebody who lives in that building and carries a card."""
    heads = {household["head_person_id"] for household in people.households}
    here = [
        residence
        for residence in people.residences
        if residence["person"] in heads
        and residence["until"] is None
        and residence["kind"] is not ResidenceKind.REGISTERED_ABSENT
        and residence["person"] not in {cast.RESIDENT_A, cast.RESIDENT_B, cast.TENANT, cast.ELDER}
    ]
    found: dict[str, str] = {}
    for role, building in cast.CARD_HOLDERS.items():
        home = f"{PREFIX}-{building}-"
        found[role] = next(
            one["person"]
            for one in here
            if one["dwelling"].startswith(home) and one["person"] not in found.values()
        )
    return found
