"""Grids: which dwellings a grid worker and a deputy look after."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import Role, User
from console.api.edits import Made, Text, Version, changed, noted
from console.api.idempotency import Answer, once
from console.api.own_grids import own_grids
from console.api.paging import Page
from console.api.places import Here
from console.permissions import Action, may
from registry.errors import RefusedError
from registry.models import Grid
from registry.places import grids
from registry.rows import find

router = APIRouter(tags=["grids"])
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Editor = Annotated[User, may(Action.PLACES_EDIT)]

Code = Annotated[str, Field(pattern="^[0-9]{2}$")]


class GridView(BaseModel):
    """`worker` and `deputy` are users, by id."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    version: int
    code: str
    name: str
    worker: str | None
    deputy: str | None


class GridGiven(BaseModel):
    """`code`: two digits, after the community's twelve."""

    code: Code
    name: Text
    worker: Text | None = None
    deputy: Text | None = None


class GridChanged(BaseModel):
    """What is not sent stays; null takes a worker or deputy away."""

    version: Version
    code: Code = "00"
    name: Text = ""
    worker: Text | None = None
    deputy: Text | None = None


class Moving(BaseModel):
    """Dwellings by id, or all of a unit, or all of a building."""

    dwellings: Annotated[list[Text], Field(max_length=5_000)] | None = None
    unit: Text | None = None
    building: Text | None = None


class MovedIn(BaseModel):
    """How many dwellings were in another grid, or in none, before."""

    moved: int


@router.get("/grids")
def all_grids(here: Here, user: Finder) -> Page[GridView]:
    """The compound's grids; a grid worker's own."""
    with here.database.read() as session:
        query = select(Grid).where(Grid.compound == here.compound).order_by(Grid.code)
        own = own_grids(session, here.compound, user)
        if own is not None:
            query = query.where(Grid.id.in_(own))
        return Page(items=[GridView.model_validate(row) for row in session.scalars(query)], next_cursor=None)


@router.post("/grids", response_model=Made, status_code=201)
def add(here: Here, request: Request, user: Editor, given: GridGiven) -> Response:
    """Adds a grid. Worker and deputy are active grid workers of this compound (`not_a_grid_worker`)."""

    def work(session: Session, at: dt.datetime) -> Answer:
        _require_workers(session, here.compound, given.worker, given.deputy)
        row = grids.create(session, here.compound, **given.model_dump())
        noted(session, at, user, "grid.added", f"grid:{row.id}")
        return 201, Made.of(row)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/grids/{grid_id}")
def edit(here: Here, user: Editor, grid_id: str, given: GridChanged) -> GridView:
    """Changes a grid's name, code, worker or deputy."""
    with here.database.write() as session:
        row = find(session, Grid, here.compound, grid_id, "grid")
        sent = changed(given)
        _require_workers(session, here.compound, sent.get("worker"), sent.get("deputy"))
        before = {name: getattr(row, name) for name in ("code", "name", "worker", "deputy")}
        grids.edit(session, row, given.version, **before | sent)
        noted(session, here.clock.now(), user, "grid.edited", f"grid:{row.id}", " ".join(sent))
        return GridView.model_validate(row)


@router.delete("/grids/{grid_id}", status_code=204)
def remove(here: Here, user: Editor, grid_id: str, version: Annotated[int, Query(ge=1)]) -> None:
    """Removes a grid that has no dwelling left (`grid_not_empty`)."""
    with here.database.write() as session:
        row = find(session, Grid, here.compound, grid_id, "grid")
        grids.remove(session, row, version)
        noted(session, here.clock.now(), user, "grid.removed", f"grid:{grid_id}")


@router.post("/grids/{grid_id}/dwellings")
def move_in(here: Here, user: Editor, grid_id: str, given: Moving) -> MovedIn:
    """Moves dwellings into a grid, out of whichever they were in."""
    with here.database.write() as session:
        moved = grids.move_dwellings(session, here.compound, grid_id, **given.model_dump())
        noted(session, here.clock.now(), user, "grid.dwellings_moved", f"grid:{grid_id}", f"count={moved}")
        return MovedIn(moved=moved)


def _require_workers(session: Session, compound: str, *users: str | None) -> None:
    for user_id in filter(None, users):
        user = session.get(User, user_id)
        if (
            user is None
            or not user.active
            or user.role != Role.GRID_WORKER
            or (user.compounds is not None and compound not in user.compounds)
        ):
            raise RefusedError("not_a_grid_worker")
