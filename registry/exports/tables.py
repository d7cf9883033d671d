"""The rows of an export: what the registry holds of a compound, in the shape of its sheets."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry import citizen_id
from registry.errors import MissingError
from registry.imports.columns import SheetKind
from registry.imports.ground import grouped, rows_of
from registry.imports.plan import Row
from registry.imports.words import (
    CREDENTIAL_WORDS,
    DWELLING_WORDS,
    ORGANISATION_WORDS,
    RESIDENCE_WORDS,
    STATUS_WORDS,
    VEHICLE_WORDS,
    first_word,
)
from registry.models import (
    AuthorisedDriver,
    Building,
    Compound,
    Credential,
    CredentialKind,
    CredentialStatus,
    Dwelling,
    DwellingState,
    Grid,
    Household,
    Organisation,
    OrganisationKind,
    Person,
    Premises,
    Residence,
    ResidenceKind,
    StaffLink,
    Unit,
    Vehicle,
    VehicleKind,
)
from registry.places.signboards import write_out
from storage.vault import current_vault, open_for

Tables = dict[SheetKind, list[Row]]

_YES, _NO = "是", "否"
# A PIN's number is not stored, a face and a guard's call have none.
_NUMBERED = frozenset(CREDENTIAL_WORDS) - {CredentialKind.PIN}


def gather(session: Session, compound: str, *, reveal_ids: bool) -> Tables:
    """All sheets of a compound, cells by the key of their column. Raises `MissingError`.

    Id numbers are masked unless `reveal_ids`: the caller has the reason and notes it.
    """
    place = session.get(Compound, compound)
    if place is None:
        raise MissingError("compound")
    held = _Held.read(session, compound, ZoneInfo(place.time_zone))
    return {
        SheetKind.DWELLINGS: held.dwelling_rows(),
        SheetKind.PEOPLE: held.people_rows(reveal_ids=reveal_ids),
        SheetKind.VEHICLES: held.vehicle_rows(),
        SheetKind.ORGANISATIONS: held.organisation_rows(),
        SheetKind.CARDS: held.card_rows(),
    }


@dataclass(slots=True)
class _Held:
    """The rows of a compound, joined in memory: each table is read once."""

    zone: ZoneInfo
    dwellings: dict[str, Row]
    people: dict[str, Row]
    households: dict[str, Row]
    residences: dict[str, list[Row]]
    vehicles: list[Row]
    drivers: dict[str, list[Row]]
    organisations: dict[str, Row]
    premises: dict[str, list[Row]]
    staff: dict[str, list[Row]]
    credentials: list[Row]

    @classmethod
    def read(cls, session: Session, compound: str, zone: ZoneInfo) -> "_Held":
        people = [row for row in rows_of(session, Person, compound) if row["erased_at"] is None]
        current_vault().load(row["id"] for row in people)
        for row in people:
            for column in ("name", "phone", "id_number"):
                row[column] = open_for(row["id"], column, row[column])
        return cls(
            zone,
            _dwellings(session, compound),
            {row["id"]: row for row in people},
            {row["id"]: row for row in rows_of(session, Household, compound)},
            grouped(rows_of(session, Residence, compound), "person"),
            rows_of(session, Vehicle, compound),
            grouped(rows_of(session, AuthorisedDriver, compound), "vehicle"),
            {row["id"]: row for row in rows_of(session, Organisation, compound)},
            grouped(rows_of(session, Premises, compound), "organisation"),
            grouped(rows_of(session, StaffLink, compound), "organisation"),
            rows_of(session, Credential, compound),
        )

    def dwelling_rows(self) -> list[Row]:
        return [
            {
                "dwelling_id": row["external_id"],
                "address": row["address"],
                "floor": row["floor"],
                "state": first_word(DWELLING_WORDS, DwellingState(row["state"])),
                "grid": row["grid_code"],
            }
            for row in self.dwellings.values()
        ]

    def people_rows(self, *, reveal_ids: bool) -> list[Row]:
        """A row for each residence; staff who live elsewhere are in the sheet of organisations."""
        staff = {link["person"] for links in self.staff.values() for link in links}
        rows = []
        for person in self.people.values():
            stays = self.residences.get(person["id"], [])
            if not stays and person["household"] is None and person["id"] in staff:
                continue
            said = self._person(person) | self._of_household(person)
            if person["id_number"] is not None:
                number = person["id_number"]
                said["id_number"] = number if reveal_ids else citizen_id.mask(number)
            rows += [said | self._stay(stay) for stay in sorted(stays, key=lambda s: s["since"])] or [said]
        return rows

    def vehicle_rows(self) -> list[Row]:
        """A row for each driver, at least one for each vehicle."""
        rows = []
        for vehicle in self.vehicles:
            owner = self.people.get(vehicle["owner"])
            household = self.households.get(vehicle["household"])
            organisation = self.organisations.get(vehicle["organisation"])
            said = self._person(owner) if owner else {}
            said |= {
                "vehicle_id": vehicle["external_id"],
                "plate": vehicle["plate"],
                "vehicle_kind": first_word(VEHICLE_WORDS, VehicleKind(vehicle["kind"])),
                "household": household["external_id"] if household else None,
                "organisation": (organisation["external_id"] or organisation["name"])
                if organisation
                else None,
            }
            rows += [said | self._leave(leave) for leave in self.drivers.get(vehicle["id"], [])] or [said]
        return rows

    def organisation_rows(self) -> list[Row]:
        """Premises and staff side by side, as many rows as the longer list has."""
        rows = []
        for row in self.organisations.values():
            said = {
                "organisation_id": row["external_id"],
                "organisation": row["name"],
                "organisation_kind": first_word(ORGANISATION_WORDS, OrganisationKind(row["kind"])),
                "registration_no": row["registration_no"],
            }
            places = [
                {
                    "address": self.dwellings[place["dwelling"]]["address"],
                    "since": place["since"],
                    "until": place["until"],
                }
                for place in self.premises.get(row["id"], [])
            ]
            staff = [
                self._staff(link) for link in self.staff.get(row["id"], []) if link["person"] in self.people
            ]
            rows += [
                said | dict(*places[at : at + 1]) | dict(*staff[at : at + 1])
                for at in range(max(len(places), len(staff), 1))
            ]
        return rows

    def card_rows(self) -> list[Row]:
        rows = []
        for row in self.credentials:
            person = self.people.get(row["person"])
            number = open_for(row["person"], "credential", row["ref"])
            if person is None or number is None or row["kind"] not in _NUMBERED:
                continue
            said: Row = self._person(person)
            rows.append(
                said
                | {
                    "credential_id": row["external_id"],
                    "card": number,
                    "card_kind": first_word(CREDENTIAL_WORDS, CredentialKind(row["kind"])),
                    "card_status": first_word(STATUS_WORDS, CredentialStatus(row["status"])),
                    "since": self._day(row["starts_at"]),
                    # The moment at which it no longer holds: the day before is its last.
                    "until": self._day(row["ends_at"] and row["ends_at"] - dt.timedelta(microseconds=1)),
                }
            )
        return rows

    def _day(self, moment: dt.datetime | None) -> dt.date | None:
        return None if moment is None else moment.astimezone(self.zone).date()

    def _person(self, person: Row) -> Row:
        return {"person_id": person["external_id"], "name": person["name"], "phone": person["phone"]}

    def _of_household(self, person: Row) -> Row:
        household = self.households.get(person["household"])
        guardian = self.people.get(person["guardian"])
        here = person["hukou_registered_here"]
        fourteen = person["turns_14_on"]
        return {
            "household": household["external_id"] if household else None,
            "head": (_YES if household["head_person_id"] == person["id"] else _NO) if household else None,
            "hukou": None if here is None else _YES if here else _NO,
            "birth_date": fourteen and _years_before(fourteen, 14),
            "guardian": guardian["external_id"] if guardian else None,
        }

    def _stay(self, stay: Row) -> Row:
        return {
            "address": self.dwellings[stay["dwelling"]]["address"],
            "residence_kind": first_word(RESIDENCE_WORDS, ResidenceKind(stay["kind"])),
            "since": stay["since"],
            "until": stay["until"],
            "verified_on": stay["verified_on"],
            "verified_by": stay["verified_by"],
        }

    def _leave(self, leave: Row) -> Row:
        driver, granter = self.people.get(leave["person"]), self.people.get(leave["granted_by"])
        return {
            "driver_id": driver["external_id"] if driver else None,
            "driver": driver["name"] if driver else None,
            "driver_phone": driver["phone"] if driver else None,
            "granted_by": granter["external_id"] if granter else None,
            "since": leave["since"],
            "until": leave["until"],
        }

    def _staff(self, link: Row) -> Row:
        person = self.people[link["person"]]
        return {
            "staff_id": person["external_id"],
            "staff": person["name"],
            "staff_phone": person["phone"],
            "staff_since": link["since"],
            "staff_until": link["until"],
        }


def _dwellings(session: Session, compound: str) -> dict[str, Row]:
    query = (
        select(
            Dwelling.id,
            Dwelling.external_id,
            Dwelling.floor,
            Dwelling.room_no,
            Dwelling.state,
            Building.name.label("building"),
            Unit.name.label("unit"),
            Grid.code.label("grid_code"),
        )
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .outerjoin(Grid, Grid.id == Dwelling.grid)
        .where(Dwelling.compound == compound)
        .order_by(Building.name, Unit.name, Dwelling.floor, Dwelling.room_no)
    )
    found: dict[str, Row] = defaultdict(dict)
    for row in session.execute(query).mappings():
        address = write_out(row["building"], row["unit"], row["floor"], row["room_no"])
        found[row["id"]] = dict(row) | {"address": address}
    return found


def _years_before(day: dt.date, years: int) -> dt.date:
    # A first of March may stand for a 29 February; both turn 14 on the same day.
    return day.replace(year=day.year - years)
