"""Registered vehicles by plate, and who may drive them on a day."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.knowing.asking import rows
from alerts.rules import VehicleFacts
from registry.models import AuthorisedDriver, Person, Vehicle
from registry.vehicles.drivers import Leave, standing

_NONE: Final[tuple[Leave, ...]] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    id: str
    household: str | None
    guarded: bool
    owners: frozenset[str]
    leaves: tuple[Leave, ...]


class Motors:
    """Vehicles of one compound, each read once."""

    def __init__(self, session: Session, compound: str, zone: ZoneInfo) -> None:
        self.session = session
        self._compound = compound
        self._zone = zone
        self._by_plate: dict[str, _Known | None] = {}
        self._made: dict[tuple[str, dt.date], VehicleFacts] = {}

    def learn(self, plates: Collection[str]) -> None:
        """Reads those that are not known yet."""
        new = {plate for plate in plates if plate not in self._by_plate}
        if not new:
            return
        found = list(
            rows(
                self.session,
                new,
                lambda some: select(
                    Vehicle.plate, Vehicle.id, Vehicle.household, Vehicle.owner, Vehicle.guarded
                ).where(Vehicle.compound == self._compound, Vehicle.plate.in_(some)),
            )
        )
        members: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows(
            self.session,
            {row.household for row in found if row.household is not None},
            lambda some: select(Person.household, Person.id).where(
                Person.compound == self._compound, Person.household.in_(some)
            ),
        ):
            members[row.household].add(row.id)
        leaves: defaultdict[str, list[Leave]] = defaultdict(list)
        for row in rows(
            self.session,
            {row.id for row in found},
            lambda some: select(
                AuthorisedDriver.vehicle,
                AuthorisedDriver.person,
                AuthorisedDriver.granted_by,
                AuthorisedDriver.since,
                AuthorisedDriver.until,
            ).where(AuthorisedDriver.compound == self._compound, AuthorisedDriver.vehicle.in_(some)),
        ):
            leaves[row.vehicle].append(Leave(row.person, row.granted_by, row.since, row.until))
        self._by_plate |= dict.fromkeys(new)
        for row in found:
            owners = set(members[row.household]) if row.household is not None else set()
            if row.owner is not None:
                owners.add(row.owner)
            self._by_plate[row.plate] = _Known(
                row.id, row.household, bool(row.guarded), frozenset(owners), tuple(leaves.get(row.id, _NONE))
            )

    def knows(self, plate: str) -> bool:
        """Whether a plate that was learnt is a registered vehicle's."""
        return self._by_plate.get(plate) is not None

    def facts(self, plate: str, at: dt.datetime) -> VehicleFacts | None:
        """Of a plate that was learnt, at a moment; None of one that nobody has registered."""
        known = self._by_plate.get(plate)
        if known is None:
            return None
        # Leave is by the day; of a vehicle that nobody may be lent one object does for all days.
        today = at.astimezone(self._zone).date() if known.leaves else dt.date.min
        key = (known.id, today)
        made = self._made.get(key)
        if made is None:
            drivers = standing(known.leaves, known.owners, today) if known.leaves else known.owners
            made = self._made[key] = VehicleFacts(known.id, known.household, known.guarded, drivers)
        return made
