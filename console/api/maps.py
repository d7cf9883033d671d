"""The compound as GeoJSON: zones and buildings, devices and dwellings for those who see them."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.own_grids import own_grids
from console.api.places import Here
from console.permissions import Action, allowed, may
from console.problems import not_found
from devices.models import Device
from registry.places.geojson import Spot, feature_collection

router = APIRouter(tags=["places"])
Reader = Annotated[User, may(Action.PLACES_READ)]

MEDIA_TYPE = "application/geo+json"


@router.get("/compounds/{compound_id}/geojson", response_class=JSONResponse)
def geojson(here: Here, user: Reader, compound_id: str, dwellings: bool = False) -> JSONResponse:
    """A FeatureCollection in WGS 84; each feature says what it lies in, down from the subdistrict.

    Devices are in it for those who may read devices; with `dwellings` those that the user
    may look at. `compound_not_placed` while nobody has said where the plan lies.
    """
    if compound_id != here.compound:
        raise not_found("compound")
    with here.database.read() as session:
        grids = own_grids(session, here.compound, user)
        shown = dwellings and allowed(user, Action.PEOPLE_FIND)
        made = feature_collection(
            session,
            here.compound,
            spots=_devices(session, here.compound) if allowed(user, Action.DEVICES_READ) else (),
            dwellings=grids if shown and grids is not None else shown,
        )
        return JSONResponse(made, media_type=MEDIA_TYPE)


def _devices(session: Session, compound: str) -> list[Spot]:
    rows = session.scalars(
        select(Device).where(Device.compound == compound, Device.enabled).order_by(Device.id)
    )
    return [
        Spot("device", row.id, row.zone, row.x, row.y, {"name": row.name, "device_kind": row.kind})
        for row in rows
    ]
