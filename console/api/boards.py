"""The table of a building: its dwellings by floor, and how each is lived in; nobody is named."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from console.accounts.models import User
from console.api.edits import noted
from console.api.own_grids import own_grids
from console.api.places import Here
from console.permissions import Action, may
from registry.days import local_date
from registry.models import Building
from registry.reports import board as boards
from registry.reports.board import HomeState
from registry.rows import find

router = APIRouter(prefix="/buildings", tags=["buildings"])
Finder = Annotated[User, may(Action.PEOPLE_FIND)]


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class FlatView(_FromRow):
    """A dwelling; `people` is how many live there, `expiring` that a tenancy ends within 30 days."""

    id: str
    unit: str
    floor: int
    room_no: str
    state: HomeState
    people: int
    expiring: bool
    unverified: bool


class StoreyView(_FromRow):
    floor: int
    flats: list[FlatView]


class StairsView(_FromRow):
    unit: str
    name: str
    storeys: list[StoreyView]


class BoardView(BaseModel):
    """Units by number, the highest floor first."""

    building: str
    name: str
    units: list[StairsView]


@router.get("/{building_id}/board")
def board(here: Here, user: Finder, building_id: str) -> BoardView:
    """How the dwellings of a building are lived in; a grid worker sees those of the own grids."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find(session, Building, here.compound, building_id, "building")
        grids = own_grids(session, here.compound, user)
        today = local_date(session, here.compound, at)
        found = boards.board(session, here.compound, row.id, today, grids=grids)
        noted(session, at, user, "report.board", f"building:{row.id}")
        return BoardView(
            building=row.id, name=row.name, units=[StairsView.model_validate(stairs) for stairs in found]
        )
