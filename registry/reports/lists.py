"""What has to be looked after in the registry: tenancies that end, residences that nobody has verified
for long, dwellings where nobody lives. Each is one statement; the fourth is `registry.reports.consistency`.
"""

import datetime as dt
import enum
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from registry.people.models import Person, Residence, ResidenceKind
from registry.places.models import Building, Dwelling, DwellingState, Unit
from registry.places.signboards import write_out
from registry.reports.consistency import Consistency, Finding, consistency
from registry.reports.separations import Separation, inhabited, lasts, used

__all__ = [
    "Age",
    "Consistency",
    "Finding",
    "Separation",
    "Tenancy",
    "TenancyStage",
    "Unverified",
    "Vacancy",
    "ageing",
    "consistency",
    "tenancies",
    "unverified",
    "vacancies",
]

WEEK: Final = 7
ENDED_FOR: Final = 30
"""Days for which a tenancy that is over stays in the list."""

# People who live there on time, as rule R-B04 has it.
_ON_TIME: Final = (ResidenceKind.TENANT, ResidenceKind.LODGER, ResidenceKind.DORMITORY)
_ADDRESS: Final = (Building.name, Unit.name, Dwelling.floor, Dwelling.room_no)


class TenancyStage(enum.StrEnum):
    """How far a tenancy is from its last day."""

    T_7 = "t_7"  # two to seven days to go
    T_1 = "t_1"  # today or tomorrow is the last day
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Tenancy:
    """A tenancy that is about to end or has ended, and was not followed by another in the dwelling."""

    residence_id: str
    person_id: str
    dwelling_id: str
    address: str
    kind: ResidenceKind
    until: dt.date
    days_left: int
    stage: TenancyStage


class Age(enum.StrEnum):
    """For how long nobody has made sure of a residence; the days count up to and including."""

    DAYS_30 = "days_30"
    DAYS_90 = "days_90"
    DAYS_180 = "days_180"
    DAYS_365 = "days_365"
    OLDER = "older"
    NEVER = "never"


_LIMITS: Final = {Age.DAYS_30: 30, Age.DAYS_90: 90, Age.DAYS_180: 180, Age.DAYS_365: 365}


@dataclass(frozen=True, slots=True)
class Unverified:
    """A residence that nobody has made sure of for `days`; None: never."""

    residence_id: str
    person_id: str
    dwelling_id: str
    address: str
    verified_on: dt.date | None
    days: int | None


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A dwelling where nobody lives, or that is said to be vacant. `left_on`: when the last one left."""

    dwelling_id: str
    address: str
    state: DwellingState
    grid: str | None
    inhabited: bool
    left_on: dt.date | None


def tenancies(
    session: Session,
    compound: str,
    today: dt.date,
    *,
    grids: Collection[str] | None = None,
    ahead: int = WEEK,
    ended_for: int = ENDED_FOR,
) -> Sequence[Tenancy]:
    """Tenancies that end within `ahead` days or ended within `ended_for` days, the nearest end first.

    With `ahead` over 7 those further off are in stage T-7 as well.
    """
    later = aliased(Residence)
    followed = select(later.id).where(
        later.person == Residence.person,
        later.dwelling == Residence.dwelling,
        later.id != Residence.id,
        or_(later.until.is_(None), later.until > Residence.until),
    )
    rows: Iterable[Any] = session.execute(
        select(Residence.id, Residence.person, Residence.dwelling, Residence.kind, Residence.until, *_ADDRESS)
        .join(Person, Person.id == Residence.person)
        .join(Dwelling, Dwelling.id == Residence.dwelling)
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .where(
            Residence.compound == compound,
            Residence.kind.in_(_ON_TIME),
            Residence.until.between(today - dt.timedelta(days=ended_for), today + dt.timedelta(days=ahead)),
            Person.erased_at.is_(None),
            ~followed.exists(),
            *_in_grids(grids),
        )
        .order_by(Residence.until, Residence.id)
    )
    found = []
    for residence, person, dwelling, kind, until, *address in rows:
        left = (until - today).days
        stage = TenancyStage.ENDED if left < 0 else TenancyStage.T_1 if left <= 1 else TenancyStage.T_7
        found.append(
            Tenancy(residence, person, dwelling, write_out(*address), ResidenceKind(kind), until, left, stage)
        )
    return found


def ageing(
    session: Session, compound: str, today: dt.date, *, grids: Collection[str] | None = None
) -> dict[Age, int]:
    """How many current residences were last verified how long ago."""
    counts = {Age.NEVER: func.count().filter(Residence.verified_on.is_(None))}
    edges = [None, *(today - dt.timedelta(days=days) for days in _LIMITS.values()), None]
    for age, (newest, oldest) in zip([*_LIMITS, Age.OLDER], pairwise(edges), strict=True):
        counts[age] = func.count().filter(
            Residence.verified_on.is_not(None),
            *(() if newest is None else (Residence.verified_on < newest,)),
            *(() if oldest is None else (Residence.verified_on >= oldest,)),
        )
    row = session.execute(
        select(*counts.values())
        .select_from(Residence)
        .join(Dwelling, Dwelling.id == Residence.dwelling)
        .where(*_current(compound, today), *_in_grids(grids))
    ).one()
    found = dict(zip(counts, row, strict=True))
    return {age: found[age] for age in Age}


def unverified(
    session: Session,
    compound: str,
    today: dt.date,
    *,
    older_than: int,
    grids: Collection[str] | None = None,
    limit: int = 1_000,
) -> Sequence[Unverified]:
    """Current residences that nobody verified for more than `older_than` days; those never verified first."""
    rows: Iterable[Any] = session.execute(
        select(Residence.id, Residence.person, Residence.dwelling, Residence.verified_on, *_ADDRESS)
        .join(Dwelling, Dwelling.id == Residence.dwelling)
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .where(
            *_current(compound, today),
            *_in_grids(grids),
            or_(
                Residence.verified_on.is_(None),
                Residence.verified_on < today - dt.timedelta(days=older_than),
            ),
        )
        # The databases disagree about where NULL is sorted.
        .order_by(case((Residence.verified_on.is_(None), 0), else_=1), Residence.verified_on, Residence.id)
        .limit(limit)
    )
    return [
        Unverified(
            residence,
            person,
            dwelling,
            write_out(*address),
            verified_on,
            None if verified_on is None else (today - verified_on).days,
        )
        for residence, person, dwelling, verified_on, *address in rows
    ]


def vacancies(
    session: Session,
    compound: str,
    today: dt.date,
    *,
    grids: Collection[str] | None = None,
    limit: int = 10_000,
) -> Sequence[Vacancy]:
    """Dwellings that are said to be vacant or where nobody lives; shops and premises are neither."""
    ended = (
        select(Residence.dwelling, func.max(Residence.until).label("left_on"))
        .where(Residence.compound == compound, Residence.until < today)
        .group_by(Residence.dwelling)
        .subquery()
    )
    home: ColumnElement[Any] = inhabited(compound, today)
    rows = session.execute(
        select(
            Dwelling.id, Dwelling.state, Dwelling.grid, case((home, 1), else_=0), ended.c.left_on, *_ADDRESS
        )
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .outerjoin(ended, ended.c.dwelling == Dwelling.id)
        .where(
            Dwelling.compound == compound,
            or_(
                Dwelling.state == DwellingState.VACANT,
                and_(Dwelling.state != DwellingState.SHOP, ~home, ~used(compound, today)),
            ),
            *_in_grids(grids),
        )
        .order_by(Building.id, Unit.id, Dwelling.floor, Dwelling.room_no)
        .limit(limit)
    )
    return [
        Vacancy(dwelling, write_out(*address), DwellingState(state), of_grid, bool(lived_in), left)
        for dwelling, state, of_grid, lived_in, left, *address in rows
    ]


def _current(compound: str, today: dt.date) -> tuple[ColumnElement[bool], ...]:
    erased = select(Person.id).where(Person.id == Residence.person, Person.erased_at.is_not(None))
    return Residence.compound == compound, lasts(Residence, today), ~erased.exists()


def _in_grids(grids: Collection[str] | None) -> tuple[ColumnElement[bool], ...]:
    return () if grids is None else (Dwelling.grid.in_(grids),)
