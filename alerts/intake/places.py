"""Where a report is of: a zone or a building, and always the same name for the same place."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from registry.errors import RefusedError
from registry.models import Building, Dwelling, Residence, Unit, Zone


@dataclass(frozen=True, slots=True)
class Place:
    """`building` where the zone has one, or the reporter named it; `name` is what people call it."""

    zone: str
    ring: str
    building: str | None
    name: str

    @property
    def key(self) -> str:
        """What two reports of one place have in common."""
        return self.building or self.zone


def places(session: Session, compound: str) -> list[Place]:
    """What can be chosen: the buildings by their names, then the zones that are no building's own."""
    zones = {zone.id: zone for zone in session.scalars(select(Zone).where(Zone.compound == compound))}
    rows = session.scalars(select(Building).where(Building.compound == compound)).all()
    found = [
        Place(row.zone, str(zones[row.zone].ring), row.id, row.name) for row in rows if row.zone in zones
    ]
    alone = {row.zone for row in rows if sum(other.zone == row.zone for other in rows) == 1}
    found.sort(key=lambda one: (_number(one.name), one.name))
    grounds = [Place(zone.id, str(zone.ring), None, zone.name) for zone in zones.values()]
    shown = [one for one in grounds if one.zone not in alone or one.ring != "building"]
    return found + sorted(shown, key=lambda one: one.name)


def place(session: Session, compound: str, zone: str | None, building: str | None) -> Place:
    """The place of a report. Raises `RefusedError` (`place_unknown`).

    Who names the zone of the only building that lies in it means the building.
    """
    known = places(session, compound)
    if building is not None:
        found = next((one for one in known if one.building == building), None)
    else:
        found = next((one for one in known if one.zone == zone and one.building is None), None)
        if found is None:
            found = next((one for one in known if one.zone == zone), None)
    if found is None:
        raise RefusedError("place_unknown")
    return found


def own_building(session: Session, person: str | None, today: dt.date) -> str | None:
    """The building that somebody lives in now; None where nobody knows, or there are several."""
    if person is None:
        return None
    rows = session.scalars(
        select(Unit.building)
        .join(Dwelling, Dwelling.unit == Unit.id)
        .join(Residence, Residence.dwelling == Dwelling.id)
        .where(Residence.person == person, or_(Residence.until.is_(None), Residence.until >= today))
        .distinct()
    ).all()
    return rows[0] if len(rows) == 1 else None


def _number(name: str) -> int:
    digits = "".join(c for c in name if c.isdigit())
    return int(digits) if digits.isascii() and digits else 1_000_000
