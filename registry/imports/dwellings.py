"""A sheet of dwellings: buildings and units that are new come with them."""

import re
from collections import defaultdict
from typing import Final

from sqlalchemy.orm import Session

from registry.imports import words
from registry.imports.faults import Fault
from registry.imports.ground import Ground, rows_of
from registry.imports.lines import Line
from registry.imports.plan import Plan, Row
from registry.places.addresses import Address, AddressError, spell_building, spell_unit
from registry.places.addresses import key as address_key
from registry.places.housing import DEEPEST, HIGHEST
from registry.places.locating import new_key
from registry.places.models import Building, Dwelling, DwellingState, Grid, Ring, Unit, Zone

_NAME_MAX: Final = 16


class DwellingsSheet:
    """Plans the rows of one sheet."""

    def __init__(self, session: Session, ground: Ground, plan: Plan) -> None:
        compound = ground.compound
        self._ground = ground
        self._plan = plan
        self._dwellings = {row["id"]: row for row in rows_of(session, Dwelling, compound)}
        self._by_external = {row["external_id"]: row for row in self._dwellings.values()}
        self._by_external.pop(None, None)
        self._units: dict[tuple[str, str | None], Row] = {}
        self._buildings: dict[str, Row] = {}
        for row in rows_of(session, Building, compound):
            self._buildings[_spelt_building(row["name"])] = row
        spelt = {row["id"]: name for name, row in self._buildings.items()}
        self._building_of_unit: dict[str, str] = {}
        for row in rows_of(session, Unit, compound):
            self._units[spelt.get(row["building"], ""), _spelt_unit(row["name"])] = row
            self._building_of_unit[row["id"]] = row["building"]
        grids = rows_of(session, Grid, compound)
        self._grids = {row["name"]: row["id"] for row in grids} | {row["code"]: row["id"] for row in grids}
        self._only_grid = grids[0]["id"] if len(grids) == 1 else None
        self._grids_of_building: defaultdict[str, set[str]] = defaultdict(set)
        for row in self._dwellings.values():
            if row["grid"] is not None:
                self._grids_of_building[self._building_of_unit[row["unit"]]].add(row["grid"])
        self._zones = rows_of(session, Zone, compound)
        self._said: dict[str, int] = {}

    def take(self, line: Line) -> None:
        """Plans a row, or leaves it with faults."""
        floor = self._floor(line)
        address = line.address(required=True, floor=floor)
        external_id = line.text("dwelling_id")
        state = line.word("state", words.DWELLING_STATES)
        grid = self._grid(line)
        if address is None or not line.is_good():
            return
        floor = address.floor or floor
        if address.room is None:
            line.fault("room", "required")
        elif len(address.room) > _NAME_MAX:
            line.fault("room", "text_too_long", maximum=_NAME_MAX)
        if floor is None:
            line.fault("floor", "floor_needed")
        elif not DEEPEST <= floor <= HIGHEST:
            line.fault("floor", "floor_impossible")
        known = self._known(line, address, external_id)
        if line.is_good() and grid is None and known is None and not self._has_grid(address):
            line.fault("grid", "grid_needed")
        if not line.is_good():
            return
        assert floor is not None
        if known is None:
            self._make(line, address, floor, state, grid, external_id)
            return
        values: Row = {"state": state or known["state"], "grid": grid or known["grid"]}
        if external_id is not None:
            values["external_id"] = external_id
        self._plan.change("dwellings", known, values)
        self._said[known["id"]] = line.number

    def finish(self) -> list[Fault]:
        """Nothing of a dwelling depends on later rows."""
        return []

    def _floor(self, line: Line) -> int | None:
        text = line.text("floor")
        if text is None:
            return None
        digits = re.sub("负|地下|[Bb]", "-", text.rstrip("层楼Ff"))
        if not re.fullmatch("-?[1-9][0-9]?", digits):
            line.fault("floor", "floor_impossible")
            return None
        return int(digits)

    def _grid(self, line: Line) -> str | None:
        text = line.text("grid")
        if text is None:
            return None
        grid = self._grids.get(text) or self._grids.get(text.zfill(2))
        if grid is None:
            line.fault("grid", "unknown_grid")
        return grid

    def _known(self, line: Line, address: Address, external_id: str | None) -> Row | None:
        found_id = self._ground.addresses.get(address_key(address))
        found = None if found_id is None else self._dwellings[found_id]
        named = None if external_id is None else self._by_external.get(external_id)
        if found is not None and found["id"] in self._said:
            line.fault("address", "duplicate_dwelling", first_row=self._said[found["id"]])
        elif named is not None and named is not found:
            # A dwelling gets a new address where its former one is kept, not by a sheet.
            line.fault("address", "dwelling_address_differs")
        elif found is not None and external_id and found["external_id"] not in {None, external_id}:
            line.fault("dwelling_id", "dwelling_number_differs")
        return found

    def _has_grid(self, address: Address) -> bool:
        return not self._grids or self._default_grid(address) is not None

    def _default_grid(self, address: Address) -> str | None:
        """That of the building where it lies in one, else the only one there is."""
        building = self._buildings.get(address.building)
        grids = self._grids_of_building[building["id"]] if building else set()
        return next(iter(grids)) if len(grids) == 1 else self._only_grid

    def _make(
        self,
        line: Line,
        address: Address,
        floor: int,
        state: DwellingState | None,
        grid: str | None,
        external_id: str | None,
    ) -> None:
        grid = grid or self._default_grid(address)
        unit = self._unit(address)
        building = self._buildings[address.building]
        assert address.room is not None
        row = self._plan.make(
            "dwellings",
            {
                "unit": unit["id"],
                "floor": floor,
                "top_floor": None,
                "room_no": address.room,
                "state": state or DwellingState.VACANT,
                "is_basement": floor < 0,
                "grid": grid,
                "address_key": new_key(building["name"], unit["name"], floor, address.room),
                "external_id": external_id,
                "version": 1,
            },
        )
        self._dwellings[row["id"]] = row
        self._ground.addresses[address_key(address)] = row["id"]
        self._ground.addresses[row["address_key"]] = row["id"]
        if external_id is not None:
            self._by_external[external_id] = row
        if grid is not None:
            self._grids_of_building[building["id"]].add(grid)
        self._said[row["id"]] = line.number

    def _unit(self, address: Address) -> Row:
        unit = self._units.get((address.building, address.unit))
        if unit is None:
            building = self._building(address.building)
            name = "" if address.unit is None else f"{address.unit}单元"
            unit = self._plan.make("units", {"building": building["id"], "name": name})
            self._units[address.building, address.unit] = unit
        return unit

    def _building(self, name: str) -> Row:
        building = self._buildings.get(name)
        if building is None:
            shown = f"{name}幢" if name.isascii() or name[-1].isdigit() else name
            building = self._plan.make(
                "buildings",
                # Without a footprint until somebody draws it on the plan.
                {
                    "zone": self._zone()["id"],
                    "name": shown,
                    "x": 0.0,
                    "y": 0.0,
                    "width": 0.0,
                    "height": 0.0,
                    "version": 1,
                },
            )
            self._buildings[name] = building
        return building

    def _zone(self) -> Row:
        """The zone that new buildings lie in: the first of the building ring."""
        found = sorted((zone for zone in self._zones if zone["ring"] == Ring.BUILDING), key=lambda z: z["id"])
        if found:
            return found[0]
        zone = self._plan.make(
            "zones",
            {
                "name": "楼栋",
                "ring": Ring.BUILDING,
                "kind": "building",
                "outline": [],
                "neighbours": [],
                "version": 1,
            },
        )
        self._zones.append(zone)
        return zone


def _spelt_building(name: str) -> str:
    try:
        return spell_building(name)
    except AddressError:
        return name


def _spelt_unit(name: str) -> str | None:
    try:
        return spell_unit(name)
    except AddressError:
        return name
