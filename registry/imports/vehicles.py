"""A sheet of vehicles, with whoever may drive them."""

import datetime as dt
from collections import defaultdict

from sqlalchemy.orm import Session

from registry.imports import words
from registry.imports.faults import Fault
from registry.imports.ground import Ground, grouped, rows_of
from registry.imports.lines import Line
from registry.imports.plan import Plan, Row
from registry.imports.whom import Columns, People
from registry.imports.whom import identity as read_identity
from registry.models import AuthorisedDriver, Organisation, VehicleKind
from registry.places.addresses import key as address_key
from registry.vehicles.drivers import Leave, circular

_DRIVER = Columns("driver_id", "driver", "driver_phone", "driver_id_number")


class VehiclesSheet:
    """Plans the rows of one sheet; a vehicle with several drivers has a row for each."""

    def __init__(self, session: Session, ground: Ground, plan: Plan) -> None:
        self._ground = ground
        self._plan = plan
        self._people = People(ground)
        self._households = {
            row["external_id"]: row for row in ground.households.values() if row["external_id"] is not None
        }
        self._by_external = {
            row["external_id"]: row for row in ground.vehicles.values() if row["external_id"] is not None
        }
        organisations = rows_of(session, Organisation, ground.compound)
        self._organisations = {row["name"]: row for row in organisations}
        self._organisations |= {row["external_id"]: row for row in organisations if row["external_id"]}
        self._leaves = grouped(rows_of(session, AuthorisedDriver, ground.compound), "vehicle")
        self._members: defaultdict[str, set[str]] = defaultdict(set)
        for person in ground.people.values():
            if person["household"] is not None:
                self._members[person["household"]].add(person["id"])
        # Which rows have spoken of a vehicle, and of leave to drive it.
        self._said: dict[str, int] = {}
        self._driving: dict[str, int] = {}

    def take(self, line: Line) -> None:
        """Plans a row, or leaves it with faults."""
        plate = line.plate("plate")
        if plate is None and line.is_good():
            line.fault("plate", "required")
        kind = line.word("vehicle_kind", words.VEHICLE_KINDS)
        external_id = line.text("vehicle_id")
        owner = self._person(line, Columns(id_number=""), "unknown_person")
        household = self._household(line, owner)
        organisation = self._organisation(line)
        driver = self._person(line, _DRIVER, "unknown_driver")
        granted_by = self._granter(line)
        since, until = line.period()
        if plate is None or not line.is_good():
            return
        known = self._ground.vehicles.get(plate)
        self._refuse_other(line, known, external_id, owner, household)
        if not (known or owner or household or organisation or kind is VehicleKind.TEMPORARY):
            line.fault("name", "vehicle_without_owner")
        if driver is not None:
            self._refuse_leave(line, known, driver, granted_by, owner, household)
        if not line.is_good():
            return
        values: Row = {}
        if kind is not None:
            values["kind"] = kind
        for name, row in (("owner", owner), ("household", household), ("organisation", organisation)):
            if row is not None:
                values[name] = row["id"]
        if external_id is not None:
            values["external_id"] = external_id
        vehicle = self._put(plate, known, values)
        if external_id is not None:
            self._by_external[external_id] = vehicle
        self._said.setdefault(vehicle["id"], line.number)
        if driver is not None:
            self._authorise(line, vehicle, driver, granted_by, since, until)

    def finish(self) -> list[Fault]:
        """Circles are found row by row, also where a later row closes them."""
        return []

    def _put(self, plate: str, known: Row | None, values: Row) -> Row:
        if known is not None:
            self._plan.change("vehicles", known, values)
            return known
        default = VehicleKind.ORGANISATION if values.get("organisation") else VehicleKind.RESIDENT
        row = self._plan.make(
            "vehicles",
            {
                "plate": plate,
                "household": None,
                "kind": default,
                "owner": None,
                "organisation": None,
                "external_id": None,
                "version": 1,
                **values,
            },
        )
        self._ground.vehicles[plate] = row
        return row

    def _person(self, line: Line, columns: Columns, missing: str) -> Row | None:
        address = line.address() if columns is not _DRIVER else None
        dwelling = None if address is None else self._ground.addresses.get(address_key(address))
        if address is not None and dwelling is None:
            line.fault("address", "unknown_dwelling")
        who = read_identity(self._ground, line, columns, dwelling=dwelling)
        if not who.given or not line.is_good():
            return None
        person = self._people.find(line, who, columns.name)
        if person is None and line.is_good():
            line.fault(columns.name, missing)
        return person

    def _household(self, line: Line, owner: Row | None) -> Row | None:
        external_id = line.text("household")
        if external_id is not None:
            household = self._households.get(external_id)
            if household is None:
                line.fault("household", "unknown_household")
            return household
        if owner is not None and owner["household"] is not None:
            return self._ground.households[owner["household"]]
        return None

    def _organisation(self, line: Line) -> Row | None:
        text = line.text("organisation")
        if text is None:
            return None
        organisation = self._organisations.get(text)
        if organisation is None:
            line.fault("organisation", "unknown_organisation")
        return organisation

    def _granter(self, line: Line) -> Row | None:
        external_id = line.text("granted_by")
        if external_id is None:
            return None
        person = self._people.by_external(external_id)
        if person is None or person["erased_at"] is not None:
            line.fault("granted_by", "unknown_person")
            return None
        return person

    def _refuse_other(
        self, line: Line, known: Row | None, external_id: str | None, owner: Row | None, household: Row | None
    ) -> None:
        named = None if external_id is None else self._by_external.get(external_id)
        if named is not None and named is not known:
            line.fault("vehicle_id", "duplicate_external_id")
        if known is None or known["id"] not in self._said:
            return
        other_owner = owner is not None and known["owner"] not in {None, owner["id"]}
        other_home = household is not None and known["household"] not in {None, household["id"]}
        if other_owner or other_home:
            line.fault("plate", "plate_of_another", first_row=self._said[known["id"]])

    def _refuse_leave(
        self,
        line: Line,
        vehicle: Row | None,
        driver: Row,
        granted_by: Row | None,
        owner: Row | None,
        household: Row | None,
    ) -> None:
        owners = set() if owner is None else {owner["id"]}
        if household is not None:
            owners |= self._members[household["id"]]
        if vehicle is not None:
            owners |= {vehicle["owner"]} - {None}
            owners |= self._members[vehicle["household"]] if vehicle["household"] else set()
        rows = [] if vehicle is None else self._leaves.get(vehicle["id"], [])
        mine = next((row["id"] for row in rows if row["person"] == driver["id"]), None)
        if mine in self._driving:
            line.fault("driver", "duplicate_driver", first_row=self._driving[mine])
        if granted_by is None or granted_by["id"] in owners:
            return
        leaves = [Leave(row["person"], row["granted_by"], row["since"], row["until"]) for row in rows]
        if circular(leaves, driver["id"], granted_by["id"]):
            line.fault("granted_by", "driver_circle")
        elif all(row["person"] != granted_by["id"] for row in rows):
            line.fault("granted_by", "grantor_not_entitled")

    def _authorise(
        self,
        line: Line,
        vehicle: Row,
        driver: Row,
        granted_by: Row | None,
        since: dt.date | None,
        until: dt.date | None,
    ) -> None:
        rows = self._leaves.setdefault(vehicle["id"], [])
        known = next((row for row in rows if row["person"] == driver["id"]), None)
        values: Row = {}
        if granted_by is not None:
            values["granted_by"] = granted_by["id"]
        if since is not None:
            values["since"] = since
        if until is not None:
            values["until"] = until
        if known is None:
            known = self._plan.make(
                "authorised_drivers",
                {
                    "vehicle": vehicle["id"],
                    "person": driver["id"],
                    "granted_by": None,
                    "since": self._ground.today,
                    "until": None,
                    **values,
                },
            )
            rows.append(known)
        else:
            self._plan.change("authorised_drivers", known, values)
        self._driving[known["id"]] = line.number
