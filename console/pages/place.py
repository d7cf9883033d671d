"""A place of the plan that was pressed: what happens there, and how its devices are."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request, Response

from console.accounts.models import User
from console.context import rooms
from console.pages.board import device_spots, open_incidents
from console.pages.places import names
from console.pages.planshapes import LOOKS, DeviceSpot, Sight, ZoneShape
from console.pages.queue import QueueItem, items
from console.pages.seeing import sight_of
from console.pages.view import frame, is_fragment, render
from console.permissions import Action, may
from console.problems import not_found
from registry.models import Zone

router = APIRouter(prefix="/console/places")
Reader = Annotated[User, may(Action.INCIDENTS_READ)]


@dataclass(frozen=True, slots=True)
class Place:
    """A zone as its panel shows it: what needs somebody comes first."""

    name: str
    ring: str
    sight: Sight
    incidents: tuple[QueueItem, ...]
    devices: tuple[DeviceSpot, ...]


@router.get("/{zone_id}")
def place(request: Request, _: Reader, zone_id: str) -> Response:
    """As a part for the panel, as a page for whoever has no script."""
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        zone = session.get(Zone, zone_id)
        if zone is None or zone.compound != here.compound:
            raise not_found("zone")
        shape = ZoneShape(zone.id, zone.name, str(zone.ring), ())
        known = names(session, here.compound)
        there = [i for i in open_incidents(session, here.compound) if i.zone == zone.id]
        spots = device_spots(session, here.compound, {zone.id: shape.ring}, view.now, zone=zone.id)
        shown = Place(
            name=shape.name,
            ring=shape.ring,
            sight=sight_of([shape], spots)[zone.id],
            incidents=tuple(items(view.t, there, known.zones, known.devices, view.now)),
            devices=tuple(sorted(spots, key=lambda d: (LOOKS.index(d.look), d.name))),
        )
    return render(view, "fragments/place.html" if is_fragment(request) else "place.html", place=shown)
