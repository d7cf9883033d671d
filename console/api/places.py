"""Compounds, zones and buildings, to read: what a plan of the compound is drawn from.

What changes them is in `districts`, `zones` and `buildings` beside this file.
"""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from console.accounts.models import User
from console.api.paging import Page
from console.context import Rooms, rooms
from console.permissions import Action, may
from console.problems import not_found
from registry.models import Building, Compound, CompoundKind, Ring, Zone

router = APIRouter(tags=["places"])
Reader = Annotated[User, may(Action.PLACES_READ)]
Here = Annotated[Rooms, Depends(rooms)]


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CompoundView(_FromRow):
    """`longitude`, `latitude`: WGS 84 of the plan's north-west corner; `bearing`: degrees from north."""

    id: str
    name: str
    time_zone: str
    community: str | None
    kind: CompoundKind | None
    opened_on: dt.date | None
    longitude: float | None
    latitude: float | None
    bearing: float | None


class ZoneView(_FromRow):
    """`outline` is a polygon in plan metres [[x, y], …]."""

    id: str
    name: str
    ring: Ring
    kind: str
    outline: list[list[float]]
    neighbours: list[str]
    version: int


class BuildingView(_FromRow):
    """A footprint in plan metres."""

    id: str
    zone: str
    name: str
    x: float
    y: float
    width: float
    height: float
    version: int


@router.get("/compounds")
def compounds(here: Here, _: Reader) -> Page[CompoundView]:
    """The compound this console looks after."""
    with here.database.read() as session:
        rows = session.scalars(select(Compound).where(Compound.id == here.compound)).all()
        return Page(items=[CompoundView.model_validate(row) for row in rows], next_cursor=None)


@router.get("/compounds/{compound_id}")
def compound(here: Here, _: Reader, compound_id: str) -> CompoundView:
    """One compound; another console's is not found here."""
    with here.database.read() as session:
        row = session.get(Compound, compound_id) if compound_id == here.compound else None
        if row is None:
            raise not_found("compound")
        return CompoundView.model_validate(row)


@router.get("/zones")
def zones(here: Here, _: Reader) -> Page[ZoneView]:
    """All zones."""
    with here.database.read() as session:
        rows = session.scalars(select(Zone).where(Zone.compound == here.compound).order_by(Zone.id)).all()
        return Page(items=[ZoneView.model_validate(row) for row in rows], next_cursor=None)


@router.get("/buildings")
def buildings(here: Here, _: Reader) -> Page[BuildingView]:
    """All buildings."""
    with here.database.read() as session:
        query = select(Building).where(Building.compound == here.compound).order_by(Building.id)
        items = [BuildingView.model_validate(row) for row in session.scalars(query)]
        return Page(items=items, next_cursor=None)
