"""Buildings and units: added, renamed, renumbered. Reading buildings is in `places`."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import Made, MadeLink, Text, Version, changed, noted
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, by_id
from console.api.places import BuildingView, Here
from console.permissions import Action, may
from registry.days import local_date
from registry.models import Building, Unit
from registry.places import buildings
from registry.places.buildings import BuildingFacts
from registry.rows import find

router = APIRouter(tags=["places"])
Reader = Annotated[User, may(Action.PLACES_READ)]
Editor = Annotated[User, may(Action.PLACES_EDIT)]

Name = Annotated[str, Field(min_length=1, max_length=64)]


class BuildingGiven(BaseModel):
    """The footprint is in plan metres, from its corner at the top left of the plan."""

    name: Name
    zone: Text
    x: FiniteFloat
    y: FiniteFloat
    width: Annotated[FiniteFloat, Field(gt=0)]
    height: Annotated[FiniteFloat, Field(gt=0)]


class BuildingChanged(BaseModel):
    """What is not sent stays. With another name the dwellings have other addresses from today on."""

    version: Version
    name: Name = ""
    zone: Text = ""
    x: FiniteFloat = 0
    y: FiniteFloat = 0
    width: Annotated[FiniteFloat, Field(gt=0)] = 1
    height: Annotated[FiniteFloat, Field(gt=0)] = 1


class UnitView(BaseModel):
    """A stairwell; `name` is empty where the building has none."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    building: str
    name: str


class UnitGiven(BaseModel):
    building: Text
    name: Annotated[str, Field(max_length=64)] = ""


class UnitRenamed(BaseModel):
    name: Annotated[str, Field(max_length=64)]


@router.post("/buildings", response_model=Made, status_code=201)
def add_building(here: Here, request: Request, user: Editor, given: BuildingGiven) -> Response:
    """Adds a building. `name_taken` also where another spelling of the name is another's."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = buildings.add_building(session, here.compound, BuildingFacts(**given.model_dump()))
        noted(session, at, user, "building.added", f"building:{row.id}")
        return 201, Made.of(row)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/buildings/{building_id}")
def edit_building(here: Here, user: Editor, building_id: str, given: BuildingChanged) -> BuildingView:
    """Changes a building. By its former name its dwellings are found on the days that it had it."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find(session, Building, here.compound, building_id, "building")
        before = {name: getattr(row, name) for name in BuildingFacts.__dataclass_fields__}
        sent = changed(given)
        today = local_date(session, here.compound, at)
        buildings.edit_building(session, row, given.version, BuildingFacts(**before | sent), today=today)
        noted(session, at, user, "building.edited", f"building:{row.id}", " ".join(sent))
        return BuildingView.model_validate(row)


@router.get("/units")
def units(
    here: Here,
    _: Reader,
    paging: Asked,
    building: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[UnitView]:
    """Units, of one building if it is named."""
    with here.database.read() as session:
        query = select(Unit).where(Unit.compound == here.compound)
        if building is not None:
            query = query.where(Unit.building == building)
        items, cursor = by_id(session, query, Unit.id, paging, UnitView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.post("/units", response_model=MadeLink, status_code=201)
def add_unit(here: Here, request: Request, user: Editor, given: UnitGiven) -> Response:
    """Adds a unit to a building."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = buildings.add_unit(session, here.compound, given.building, given.name)
        noted(session, at, user, "unit.added", f"unit:{row.id}")
        return 201, {"id": row.id}

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/units/{unit_id}")
def rename_unit(here: Here, user: Editor, unit_id: str, given: UnitRenamed) -> UnitView:
    """Renames a unit; the former name stays as an alias."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find(session, Unit, here.compound, unit_id, "unit")
        buildings.rename_unit(session, row, given.name, today=local_date(session, here.compound, at))
        noted(session, at, user, "unit.renamed", f"unit:{row.id}")
        return UnitView.model_validate(row)
