"""Zones: added and edited. Reading them is in `places`."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, FiniteFloat
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import Made, Text, Version, changed, noted
from console.api.idempotency import Answer, once
from console.api.places import Here, ZoneView
from console.permissions import Action, may
from registry.models import Ring, Zone
from registry.places import zones
from registry.places.zones import CORNERS_MAX, ZoneFacts
from registry.rows import find

router = APIRouter(tags=["places"])
Editor = Annotated[User, may(Action.PLACES_EDIT)]

Corner = Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)]
Outline = Annotated[list[Corner], Field(max_length=CORNERS_MAX)]
Kind = Annotated[str, Field(min_length=1, max_length=32)]
Neighbours = Annotated[list[Text], Field(max_length=200)]


class ZoneGiven(BaseModel):
    """`outline`: at least three corners in plan metres [[x, y], …], or none; neighbours are mutual."""

    name: Text
    ring: Ring
    kind: Kind
    outline: Outline = []
    neighbours: Neighbours = []


class ZoneChanged(BaseModel):
    """What is not sent stays."""

    version: Version
    name: Text = ""
    ring: Ring = Ring.COMMON
    kind: Kind = ""
    outline: Outline = []
    neighbours: Neighbours = []


@router.post("/zones", response_model=Made, status_code=201)
def add(here: Here, request: Request, user: Editor, given: ZoneGiven) -> Response:
    """Adds a zone, and itself to its neighbours."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = zones.add_zone(session, here.compound, ZoneFacts(**given.model_dump()))
        noted(session, at, user, "zone.added", f"zone:{row.id}")
        return 201, Made.of(row)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/zones/{zone_id}")
def edit(here: Here, user: Editor, zone_id: str, given: ZoneChanged) -> ZoneView:
    """Changes a zone; a neighbour that is left out loses it as well."""
    with here.database.write() as session:
        row = find(session, Zone, here.compound, zone_id, "zone")
        before = {name: getattr(row, name) for name in ZoneFacts.__dataclass_fields__}
        sent = changed(given)
        zones.edit_zone(session, row, given.version, ZoneFacts(**before | sent))
        noted(session, here.clock.now(), user, "zone.edited", f"zone:{row.id}", " ".join(sent))
        return ZoneView.model_validate(row)
