"""Dwellings: listed, found by an address in any spelling, added, edited.

A grid worker sees those of the own grids. Who lives in them is in `finding`.
"""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import Made, Text, Version, changed, noted
from console.api.idempotency import Answer, once
from console.api.own_grids import own_grids, require_own
from console.api.paging import Asked, Page, by_id
from console.api.places import Here
from console.permissions import Action, may
from console.problems import ProblemError
from registry.days import local_date
from registry.errors import MissingError
from registry.models import Building, Community, Compound, Dwelling, DwellingState, Grid, Unit
from registry.places import housing
from registry.places.addresses import AddressError, code, locate
from registry.places.housing import DwellingFacts
from registry.rows import find

router = APIRouter(tags=["dwellings"])
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Editor = Annotated[User, may(Action.PLACES_EDIT)]

Floor = Annotated[int, Field(ge=housing.DEEPEST, le=housing.HIGHEST)]
Room = Annotated[str, Field(min_length=1, max_length=16)]


class DwellingView(BaseModel):
    """A dwelling with its address as it is shown.

    `code` is community-grid-building-unit-floor-room, null while the community has no code
    or the dwelling no grid; `top_floor` is the upper one of a duplex.
    """

    id: str
    version: int
    address: str
    code: str | None
    building: str
    unit: str
    floor: int
    top_floor: int | None
    room_no: str
    state: DwellingState
    is_basement: bool
    grid: str | None
    external_id: str | None


class DwellingGiven(BaseModel):
    """Without a grid it gets its building's, or the only one there is (`grid_needed`)."""

    unit: Text
    floor: Floor
    room_no: Room
    state: DwellingState = DwellingState.VACANT
    top_floor: Floor | None = None
    grid: Text | None = None
    external_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class DwellingChanged(BaseModel):
    """What is not sent stays; `grid` cannot be taken away, only changed."""

    version: Version
    floor: Floor = 1
    room_no: Room = ""
    state: DwellingState = DwellingState.VACANT
    top_floor: Floor | None = None
    grid: Text | None = None
    external_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None


@router.get("/dwellings")
def dwellings(
    here: Here,
    user: Finder,
    paging: Asked,
    address: Annotated[str | None, Query(max_length=128)] = None,
    on: dt.date | None = None,
    building: Annotated[str | None, Query(max_length=64)] = None,
    unit: Annotated[str | None, Query(max_length=64)] = None,
    state: DwellingState | None = None,
    grid: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[DwellingView]:
    """Dwellings that everything given applies to.

    `address` in any spelling finds the one that it means on the day `on`, today by default,
    or none; `address_ambiguous` where it means several.
    """
    with here.database.read() as session:
        query = select(Dwelling).where(Dwelling.compound == here.compound)
        if address is not None:
            day = on or local_date(session, here.compound, here.clock.now())
            query = query.where(Dwelling.id == find_by_address(session, here.compound, address, day))
        if building is not None:
            query = query.where(Dwelling.unit.in_(select(Unit.id).where(Unit.building == building)))
        if unit is not None:
            query = query.where(Dwelling.unit == unit)
        if state is not None:
            query = query.where(Dwelling.state == state)
        if grid is not None:
            query = query.where(Dwelling.grid == grid)
        grids = own_grids(session, here.compound, user)
        if grids is not None:
            query = query.where(Dwelling.grid.in_(grids))
        rows, cursor = by_id(session, query, Dwelling.id, paging, lambda row: row)
        return Page(items=_views(session, here.compound, rows), next_cursor=cursor)


@router.get("/dwellings/{dwelling_id}")
def dwelling(here: Here, user: Finder, dwelling_id: str) -> DwellingView:
    """One dwelling; a grid worker's only in the own grids."""
    with here.database.read() as session:
        row = find(session, Dwelling, here.compound, dwelling_id, "dwelling")
        require_own(session, user, row)
        return _views(session, here.compound, [row])[0]


@router.post("/dwellings", response_model=Made, status_code=201)
def add(here: Here, request: Request, user: Editor, given: DwellingGiven) -> Response:
    """Adds a dwelling. `address_taken` also where the room is there in another spelling."""

    def work(session: Session, at: dt.datetime) -> Answer:
        facts = DwellingFacts(**given.model_dump(exclude={"unit"}))
        row = housing.add_dwelling(session, here.compound, given.unit, facts)
        noted(session, at, user, "dwelling.added", f"dwelling:{row.id}")
        return 201, Made.of(row)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/dwellings/{dwelling_id}")
def edit(here: Here, user: Editor, dwelling_id: str, given: DwellingChanged) -> DwellingView:
    """Changes a dwelling. With another number it is found by the old one until yesterday."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find(session, Dwelling, here.compound, dwelling_id, "dwelling")
        before = {name: getattr(row, name) for name in DwellingFacts.__dataclass_fields__}
        sent = changed(given)
        today = local_date(session, here.compound, at)
        housing.edit_dwelling(session, row, given.version, DwellingFacts(**before | sent), today=today)
        noted(session, at, user, "dwelling.edited", f"dwelling:{row.id}", " ".join(sent))
        return _views(session, here.compound, [row])[0]


def find_by_address(session: Session, compound: str, address: str, on: dt.date) -> str | None:
    """The dwelling that an address means on a day, None for one that there is not.

    Raises `address_ambiguous` (409), and a 422 problem for what is no address.
    """
    try:
        return housing.find_dwelling(session, compound, address, on).id
    except MissingError:
        return None
    except AddressError as error:
        raise ProblemError(422, error.code, "This is not understood as an address") from error


def _views(session: Session, compound: str, rows: list[Dwelling]) -> list[DwellingView]:
    units = {
        unit.id: (unit, building)
        for unit, building in session.execute(
            select(Unit, Building)
            .join(Building, Building.id == Unit.building)
            .where(Unit.id.in_({row.unit for row in rows}))
        )
    }
    shown = housing.addresses_of(session, compound, [row.id for row in rows])
    grids = dict(session.execute(select(Grid.id, Grid.code).where(Grid.compound == compound)).all())
    community = session.scalar(
        select(Community.code)
        .join(Compound, Compound.community == Community.id)
        .where(Compound.id == compound)
    )
    views = []
    for row in rows:
        unit, building = units[row.unit]
        views.append(
            DwellingView(
                id=row.id,
                version=row.version,
                address=shown[row.id],
                code=_code(community, grids.get(row.grid or ""), row, unit.name, building.name),
                building=building.id,
                unit=unit.id,
                floor=row.floor,
                top_floor=row.top_floor,
                room_no=row.room_no,
                state=DwellingState(row.state),
                is_basement=row.is_basement,
                grid=row.grid,
                external_id=row.external_id,
            )
        )
    return views


def _code(community: str | None, grid: str | None, row: Dwelling, unit: str, building: str) -> str | None:
    if community is None or grid is None:
        return None
    try:
        return code(community, grid, locate(building, unit, row.floor, row.room_no))
    except AddressError:
        return None
