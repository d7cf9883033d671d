"""The path of an incident through the three rings, and who could not have seen in each."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.models import Evidence, Incident
from console.pages.eventwords import what
from console.pages.linked import Unseeing, unseeing
from console.pages.places import Names
from console.texts import Texts
from devices.models import Device
from registry.models import Ring, Zone
from storage.amendments import standing
from storage.events import EventRow

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was seen in a ring."""

    at: dt.datetime
    zone: str
    what: str


@dataclass(frozen=True, slots=True)
class Within:
    """One ring: what was seen there, the latest last; `earlier` counts what is not shown.

    `here`: where it is now. Nothing seen and somebody blind is not the same as nothing seen.
    """

    ring: str
    steps: tuple[Step, ...]
    earlier: int
    blind: tuple[Unseeing, ...]
    here: bool


def way(session: Session, incident: Incident, names: Names, t: Texts) -> tuple[Within, ...]:
    """The rings from the outside in."""
    rows = session.scalars(select(Evidence.event_ids).where(Evidence.incident == incident.id))
    ids = {event_id for row in rows for event_id in row}
    found = session.scalars(select(EventRow).where(EventRow.id.in_(ids)).order_by(EventRow.corrected_time))
    events = standing(session, found.all())
    rings = _rings(session, incident)
    lines: list[Within] = []
    for ring in Ring:
        steps = _once(
            [Step(e.corrected_time, names.zone(e.zone), what(e, t)) for e in events if e.ring == ring]
        )
        blind = [one for one in incident.blind if rings.get(str(one["device"])) == ring]
        lines.append(
            Within(
                str(ring),
                tuple(steps[-_SHOWN:]),
                max(0, len(steps) - _SHOWN),
                unseeing(blind, names, t),
                incident.ring == ring,
            )
        )
    return tuple(lines)


def _once(steps: list[Step]) -> list[Step]:
    """The same again at the same place is one step, at its last time."""
    last = {(step.zone, step.what): step for step in steps}
    return [step for step in steps if last[step.zone, step.what] is step]


def _rings(session: Session, incident: Incident) -> Mapping[str, Ring]:
    ids = {str(one["device"]) for one in incident.blind}
    if not ids:
        return {}
    query = select(Device.id, Zone.ring).join(Zone, Zone.id == Device.zone).where(Device.id.in_(ids))
    return {row.id: row.ring for row in session.execute(query)}
