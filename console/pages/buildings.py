"""From a house to its people: the buildings, and of each the table of its dwellings (楼盘表).

The table names nobody; a dwelling in it leads to who lives there, which needs a purpose.
"""

from collections import Counter
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import func, select

from console.accounts.models import User
from console.api import boards
from console.api.boards import BoardView, FlatView
from console.api.own_grids import own_grids
from console.context import Rooms, rooms
from console.pages.view import frame, render
from console.permissions import Action, may
from registry.models import Building, Dwelling, Unit
from registry.places.signboards import storey, write_building, write_unit
from registry.reports.board import HomeState

router = APIRouter(prefix="/registry/buildings")
Finder = Annotated[User, may(Action.PEOPLE_FIND)]

MARKS: Final = ("expiring", "unverified")


def houses(here: Rooms, user: User) -> list[tuple[str, str, int]]:
    """Id, name and number of dwellings of each building; of a grid worker's only the own grids."""
    with here.database.read() as session:
        grids = own_grids(session, here.compound, user)
        query = (
            select(Building.id, Building.name, func.count(Dwelling.id))
            .join(Unit, Unit.building == Building.id)
            .join(Dwelling, Dwelling.unit == Unit.id)
            .where(Building.compound == here.compound)
            .group_by(Building.id, Building.name)
        )
        if grids is not None:
            query = query.where(Dwelling.grid.in_(grids))
        rows = session.execute(query).all()
    return sorted(
        ((row[0], write_building(row[1]), row[2]) for row in rows), key=lambda row: _by_number(row[1])
    )


@router.get("/{building_id}")
def building(request: Request, user: Finder, building_id: str, show: str = "") -> Response:
    """The table of one; `show` brings out the dwellings of one state or mark."""
    found = boards.board(rooms(request), user, building_id)
    flats = [flat for unit in found.units for level in unit.storeys for flat in level.flats]
    shown = show if show in {*HomeState, *MARKS} else ""
    return render(
        frame(request),
        "building.html",
        board=found,
        name=write_building(found.name),
        units=[(unit, write_unit(found.name, unit.name) if unit.name else "") for unit in found.units],
        storey=storey,
        counts=_counts(flats),
        total=len(flats),
        people=sum(flat.people for flat in flats),
        show=shown,
        chosen=lambda flat: _matches(flat, shown),
        beside=_beside(rooms(request), user, found),
    )


def _beside(
    here: Rooms, user: User, found: BoardView
) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """The building before and after, to walk on."""
    known = houses(here, user)
    ids = [one[0] for one in known]
    if found.building not in ids:
        return None, None
    place = ids.index(found.building)
    before = known[place - 1][:2] if place else None
    after = known[place + 1][:2] if place + 1 < len(known) else None
    return before, after


def _counts(flats: list[FlatView]) -> list[tuple[str, int]]:
    """How many of each state and mark there are; states that are nowhere are left out."""
    states = Counter(flat.state for flat in flats)
    counted = [(str(state), states[state]) for state in HomeState if states[state]]
    return [*counted, *((mark, sum(getattr(flat, mark) for flat in flats)) for mark in MARKS)]


def _matches(flat: FlatView, show: str) -> bool:
    return not show or flat.state == show or (show in MARKS and bool(getattr(flat, show)))


def _by_number(name: str) -> tuple[int, str]:
    digits = "".join(character for character in name if character.isdecimal())
    return (int(digits) if digits else 10**9, name)
