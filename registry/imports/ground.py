"""What the registry holds of a compound, by every key that a sheet may name it by.

Read at once before the first row is looked at: a question to the database for each cell
would take longer than the whole import may.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from registry.errors import MissingError
from registry.imports.plan import Row
from registry.models import Compound, Credential, Household, Person, Residence, Vehicle
from registry.places import housing
from storage import Base
from storage.keys import current_ring

# What a derived external id begins with, so that it is never taken for one of the office's.
DERIVED = "~"


@dataclass(slots=True)
class Ground:
    """The rows of one compound at one moment. Planners add to the indexes what they draft."""

    compound: str
    at: dt.datetime
    zone: ZoneInfo
    addresses: dict[str, str]
    people: dict[str, Row] = field(default_factory=dict)
    households: dict[str, Row] = field(default_factory=dict)
    residences: dict[str, list[Row]] = field(default_factory=dict)
    vehicles: dict[str, Row] = field(default_factory=dict)
    credentials: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def today(self) -> dt.date:
        """The date on the compound's own wall."""
        return self.at.astimezone(self.zone).date()

    @classmethod
    def read(cls, session: Session, compound: str, at: dt.datetime) -> "Ground":
        """Raises `MissingError` for a compound that is none."""
        place = session.get(Compound, compound)
        if place is None:
            raise MissingError("compound")
        zone = ZoneInfo(place.time_zone)
        ground = cls(compound, at, zone, housing.address_index(session, compound, at.astimezone(zone).date()))
        ground.people = {row["id"]: row for row in rows_of(session, Person, compound)}
        ground.households = {row["id"]: row for row in rows_of(session, Household, compound)}
        ground.residences = grouped(rows_of(session, Residence, compound), "person")
        ground.vehicles = {row["plate"]: row for row in rows_of(session, Vehicle, compound)}
        ground.credentials = grouped(rows_of(session, Credential, compound), "person")
        return ground

    def derived_id(self, kind: str, *identity: str) -> str:
        """A stable external id where the sheet has none: a keyed hash of what identifies the thing.

        Keyed with the ring, which is not in the database: whoever has the database alone
        cannot test a name or a number against it.
        """
        value = "\x1f".join((self.compound, *identity))
        return DERIVED + current_ring().fingerprint(f"import {kind}", value)[:40]


def rows_of(session: Session, model: type[Base], compound: str) -> list[Row]:
    """All rows of a table that belong to a compound, as they lie: sealed columns stay sealed."""
    table = model.__table__
    assert isinstance(table, Table)
    found = session.execute(select(*table.c).where(table.c.compound == compound))
    names = tuple(column.name for column in table.c)
    return [dict(zip(names, row, strict=True)) for row in found]


def grouped(rows: list[Row], column: str) -> dict[str, list[Row]]:
    """Rows by one of their columns."""
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups
