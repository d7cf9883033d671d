"""Reports on the registry: by ids, without names. A grid worker's are of the own grids."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from console.accounts.models import User
from console.api.edits import noted
from console.api.own_grids import narrowed
from console.api.places import Here
from console.context import Rooms
from console.permissions import Action, may
from registry.days import local_date
from registry.models import DwellingState, ResidenceKind
from registry.reports import lists as reports
from registry.reports.lists import Age, Separation, TenancyStage

router = APIRouter(prefix="/reports", tags=["reports"])
Reader = Annotated[User, may(Action.REPORTS_READ)]
Grid = Annotated[str | None, Query(max_length=64)]
Limit = Annotated[int, Query(ge=1, le=1_000)]


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class FindingView(_FromRow):
    """`fact`: the kind of residence, the state of the dwelling or the other residence meant."""

    code: Separation
    person_id: str | None
    household_id: str | None
    dwelling_id: str | None
    residence_id: str | None
    fact: str | None


class ConsistencyView(_FromRow):
    """`counts` are whole, of each code at most `limit` are listed."""

    on: dt.date
    counts: dict[Separation, int]
    findings: list[FindingView]


class TenancyView(_FromRow):
    residence_id: str
    person_id: str
    dwelling_id: str
    address: str
    kind: ResidenceKind
    until: dt.date
    days_left: int
    stage: TenancyStage


class TenanciesView(BaseModel):
    on: dt.date
    items: list[TenancyView]


class UnverifiedView(_FromRow):
    """`days` since somebody made sure; null: never."""

    residence_id: str
    person_id: str
    dwelling_id: str
    address: str
    verified_on: dt.date | None
    days: int | None


class VerificationView(BaseModel):
    """How many residences are how old, and the oldest."""

    on: dt.date
    counts: dict[Age, int]
    items: list[UnverifiedView]


class VacancyView(_FromRow):
    """`inhabited`: said to be vacant, and somebody lives there."""

    dwelling_id: str
    address: str
    state: DwellingState
    grid: str | None
    inhabited: bool
    left_on: dt.date | None


class VacanciesView(BaseModel):
    on: dt.date
    items: list[VacancyView]


@router.get("/consistency")
def consistency(
    here: Here,
    user: Reader,
    grid: Grid = None,
    code: Annotated[list[Separation] | None, Query()] = None,
    limit: Limit = 200,
) -> ConsistencyView:
    """Where person, registration and dwelling do not coincide (人户房分离); `code` lists those alone."""
    grids, today = _asked(here, user, "consistency", grid)
    with here.database.read() as session:
        found = reports.consistency(
            session, here.compound, today, grids=grids, codes=code or list(Separation), limit=limit
        )
        return ConsistencyView.model_validate(found)


@router.get("/tenancies")
def tenancies(
    here: Here,
    user: Reader,
    grid: Grid = None,
    ahead: Annotated[int, Query(ge=0, le=366)] = reports.WEEK,
    ended_for: Annotated[int, Query(ge=0, le=3_660)] = reports.ENDED_FOR,
) -> TenanciesView:
    """Tenancies that end within `ahead` days, or ended within `ended_for` days and were not renewed."""
    grids, today = _asked(here, user, "tenancies", grid)
    with here.database.read() as session:
        found = reports.tenancies(
            session, here.compound, today, grids=grids, ahead=ahead, ended_for=ended_for
        )
        return TenanciesView(on=today, items=[TenancyView.model_validate(row) for row in found])


@router.get("/verification")
def verification(
    here: Here,
    user: Reader,
    grid: Grid = None,
    older_than: Annotated[int, Query(ge=0, le=36_500)] = 365,
    limit: Limit = 200,
) -> VerificationView:
    """When residences were last verified, and those that nobody verified for `older_than` days."""
    grids, today = _asked(here, user, "verification", grid)
    with here.database.read() as session:
        counts = reports.ageing(session, here.compound, today, grids=grids)
        found = reports.unverified(
            session, here.compound, today, older_than=older_than, grids=grids, limit=limit
        )
        items = [UnverifiedView.model_validate(row) for row in found]
        return VerificationView(on=today, counts=counts, items=items)


@router.get("/vacancies")
def vacancies(
    here: Here, user: Reader, grid: Grid = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000
) -> VacanciesView:
    """Dwellings that are said to be vacant or where nobody lives."""
    grids, today = _asked(here, user, "vacancies", grid)
    with here.database.read() as session:
        found = reports.vacancies(session, here.compound, today, grids=grids, limit=limit)
        return VacanciesView(on=today, items=[VacancyView.model_validate(row) for row in found])


def _asked(here: Rooms, user: User, report: str, grid: str | None) -> tuple[frozenset[str] | None, dt.date]:
    """The grids to look at and the compound's date; notes who read which report.

    In a transaction of its own: a report over fifty thousand people takes a while, and no event waits for it.
    """
    at = here.clock.now()
    with here.database.write() as session:
        grids = narrowed(session, here.compound, user, grid)
        detail = "" if grids is None else f"grids={len(grids)}"
        noted(session, at, user, f"report.{report}", f"compound:{here.compound}", detail)
        return grids, local_date(session, here.compound, at)
