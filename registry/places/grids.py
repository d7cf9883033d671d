"""Grids (网格): which dwellings a grid worker looks after. Every dwelling belongs to exactly one.

Workers and deputies are users of the console, by id; whether there is such a user is for
the console to know.
"""

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.places.models import Dwelling, Grid, Unit
from registry.rows import at_version, find, write_unique
from storage import new_id

_CODE = re.compile("[0-9]{2}")


def create(
    session: Session,
    compound: str,
    *,
    code: str,
    name: str,
    worker: str | None = None,
    deputy: str | None = None,
) -> Grid:
    """A grid. Raises `RefusedError`: `grid_code` (two digits), `grid_code_taken`, `deputy_is_worker`."""
    _check(code, worker, deputy)
    grid = Grid(id=new_id(), compound=compound, code=code, name=name, worker=worker, deputy=deputy, version=1)
    write_unique(session, "grid_code_taken", grid)
    return grid


def edit(
    session: Session,
    grid: Grid,
    version: int,
    *,
    code: str,
    name: str,
    worker: str | None,
    deputy: str | None,
) -> Grid:
    """Says anew what a grid is called and who looks after it. Raises what `create` raises."""
    at_version(grid, version)
    _check(code, worker, deputy)
    grid.code, grid.name, grid.worker, grid.deputy = code, name, worker, deputy
    write_unique(session, "grid_code_taken")
    return grid


def remove(session: Session, grid: Grid, version: int) -> None:
    """Takes an empty grid away. Raises `RefusedError("grid_not_empty")`."""
    at_version(grid, version)
    left = session.scalar(
        select(func.count())
        .select_from(Dwelling)
        .where(Dwelling.compound == grid.compound, Dwelling.grid == grid.id)
    )
    if left:
        raise RefusedError("grid_not_empty", dwellings=left)
    session.delete(grid)
    session.flush()


def move_dwellings(
    session: Session,
    compound: str,
    grid_id: str,
    *,
    dwellings: Iterable[str] | None = None,
    unit: str | None = None,
    building: str | None = None,
) -> int:
    """Puts dwellings, by id or all of a unit or of a building, into a grid; returns how many moved.

    Raises `MissingError` where there is no such grid or one of the dwellings is unknown.
    """
    find(session, Grid, compound, grid_id, "grid")
    chosen: list[ColumnElement[bool]] = []
    if dwellings is not None:
        ids = set(dwellings)
        known = session.scalar(
            select(func.count())
            .select_from(Dwelling)
            .where(Dwelling.compound == compound, Dwelling.id.in_(ids))
        )
        if known != len(ids):
            raise MissingError("dwelling")
        chosen.append(Dwelling.id.in_(ids))
    if unit is not None:
        chosen.append(Dwelling.unit == unit)
    if building is not None:
        units = select(Unit.id).where(Unit.compound == compound, Unit.building == building)
        chosen.append(Dwelling.unit.in_(units))
    moved = session.execute(
        update(Dwelling)
        .where(
            Dwelling.compound == compound,
            or_(Dwelling.grid.is_(None), Dwelling.grid != grid_id),
            *(chosen or [Dwelling.id.is_(None)]),
        )
        .values(grid=grid_id, version=Dwelling.version + 1)
        .returning(Dwelling.id)
    ).all()
    return len(moved)


def grid_for(session: Session, compound: str, building: str) -> str | None:
    """The grid of a new dwelling: its building's, or the only one; None while there are no grids.

    Raises `RefusedError("grid_needed")` where there are several to choose from.
    """
    here = session.scalars(
        select(Dwelling.grid)
        .join(Unit, Unit.id == Dwelling.unit)
        .where(Dwelling.compound == compound, Unit.building == building, Dwelling.grid.is_not(None))
        .distinct()
        .limit(2)
    ).all()
    if len(here) == 1:
        return here[0]
    grids = session.scalars(select(Grid.id).where(Grid.compound == compound).limit(2)).all()
    if len(grids) > 1:
        raise RefusedError("grid_needed")
    return grids[0] if grids else None


def looked_after_by(session: Session, compound: str, user: str) -> Sequence[str]:
    """The grids whose worker or deputy a user is."""
    return session.scalars(
        select(Grid.id)
        .where(Grid.compound == compound, or_(Grid.worker == user, Grid.deputy == user))
        .order_by(Grid.id)
    ).all()


def _check(code: str, worker: str | None, deputy: str | None) -> None:
    if not _CODE.fullmatch(code):
        raise RefusedError("grid_code")
    if worker is not None and worker == deputy:
        raise RefusedError("deputy_is_worker")
