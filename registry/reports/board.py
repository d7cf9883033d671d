"""The table of a building (楼盘表): its dwellings by unit and floor, each with how it is lived in.

It names nobody: a dwelling is the owner's, let, lived in or empty, its tenancy may be about to end,
and nobody may have made sure of it for long. Three statements a building.
"""

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.people.models import Household, Person, Residence, ResidenceKind
from registry.places.models import Dwelling, DwellingState, Unit
from registry.reports.separations import lasts

EXPIRES_WITHIN: Final = dt.timedelta(days=30)
"""Before so many days a tenancy's end is shown: a month is what people need to settle the next."""

STALE_AFTER: Final = dt.timedelta(days=365)
"""After so long nobody knows any more who lives somewhere; the report on verification asks alike."""


class HomeState(enum.StrEnum):
    """How a dwelling is lived in, by the people of it and not by what is written on it."""

    OWNER = "owner"  # 自住
    TENANT = "tenant"  # 出租
    LIVED_IN = "lived_in"  # 有人居住, neither as owner nor on time
    EMPTY = "empty"  # 空置
    SHOP = "shop"  # 商铺
    UNDER_REPAIR = "under_repair"  # 装修


@dataclass(frozen=True, slots=True)
class Link:
    """One person's tie to a dwelling today; of those who live there with a household no kind."""

    dwelling: str
    person: str
    kind: ResidenceKind | None
    until: dt.date | None
    verified_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Flat:
    """A dwelling in the table. `expiring`: a tenancy ends soon; `unverified`: somebody's residence is."""

    id: str
    unit: str
    floor: int
    room_no: str
    state: HomeState
    people: int
    expiring: bool
    unverified: bool


@dataclass(frozen=True, slots=True)
class Storey:
    """A floor of a unit with its dwellings by number."""

    floor: int
    flats: Sequence[Flat]


@dataclass(frozen=True, slots=True)
class Stairs:
    """A unit, the highest floor first."""

    unit: str
    name: str
    storeys: Sequence[Storey]


_ON_TIME: Final = frozenset({ResidenceKind.TENANT, ResidenceKind.LODGER, ResidenceKind.DORMITORY})


def lived_in(written: DwellingState, links: Iterable[Link], today: dt.date) -> tuple[HomeState, bool, bool]:
    """How a dwelling is lived in, whether a tenancy ends soon, whether somebody is unverified. Pure."""
    here = [link for link in links if link.kind is not ResidenceKind.REGISTERED_ABSENT]
    kinds = {link.kind for link in here}
    if kinds & _ON_TIME:
        state = HomeState.TENANT
    elif ResidenceKind.OWNER_OCCUPIER in kinds:
        state = HomeState.OWNER
    elif here:
        state = HomeState.LIVED_IN
    else:
        state = {
            DwellingState.SHOP: HomeState.SHOP,
            DwellingState.UNDER_REPAIR: HomeState.UNDER_REPAIR,
        }.get(written, HomeState.EMPTY)
    expiring = any(link.until is not None and link.until <= today + EXPIRES_WITHIN for link in here)
    dated = [link for link in here if link.kind is not None]
    unverified = any(link.verified_on is None or link.verified_on < today - STALE_AFTER for link in dated)
    return state, expiring, unverified


def board(
    session: Session,
    compound: str,
    building: str,
    today: dt.date,
    *,
    grids: Collection[str] | None = None,
) -> Sequence[Stairs]:
    """The table of a building; of a grid worker's only the dwellings of the own grids."""
    within = () if grids is None else (Dwelling.grid.in_(grids),)
    rows: Sequence[Any] = session.execute(
        select(Unit.id, Unit.name, Dwelling.id, Dwelling.floor, Dwelling.room_no, Dwelling.state)
        .join(Dwelling, Dwelling.unit == Unit.id)
        .where(Unit.building == building, Dwelling.compound == compound, *within)
    ).all()
    links = _links(session, building, today)
    units: dict[str, str] = {}
    floors: defaultdict[str, defaultdict[int, list[Flat]]] = defaultdict(lambda: defaultdict(list))
    for unit, name, dwelling, floor, room_no, written in rows:
        units[unit] = name
        tied = links[dwelling]
        state, expiring, unverified = lived_in(DwellingState(written), tied, today)
        people = len({link.person for link in tied if link.kind is not ResidenceKind.REGISTERED_ABSENT})
        floors[unit][floor].append(Flat(dwelling, unit, floor, room_no, state, people, expiring, unverified))
    return [
        Stairs(
            unit,
            units[unit],
            [
                Storey(floor, sorted(flats, key=lambda flat: _by_number(flat.room_no)))
                for floor, flats in sorted(floors[unit].items(), reverse=True)
            ],
        )
        for unit in sorted(units, key=lambda unit: _by_number(units[unit]))
    ]


def _links(session: Session, building: str, today: dt.date) -> defaultdict[str, list[Link]]:
    """Who is tied to which dwelling of a building today; the compound is the building's."""
    in_it = select(Dwelling.id).join(Unit, Unit.id == Dwelling.unit).where(Unit.building == building)
    dated = (
        select(Residence.dwelling, Residence.person, Residence.kind, Residence.until, Residence.verified_on)
        .join(Person, Person.id == Residence.person)
        .where(Residence.dwelling.in_(in_it), lasts(Residence, today), Person.erased_at.is_(None))
    )
    household = select(Household.dwelling, Person.id).join(Person, Person.household == Household.id)
    found: defaultdict[str, list[Link]] = defaultdict(list)
    for dwelling, person, kind, until, verified_on in session.execute(dated):
        found[dwelling].append(Link(dwelling, person, ResidenceKind(kind), until, verified_on))
    known = {(link.dwelling, link.person) for links in found.values() for link in links}
    kept = household.where(Household.dwelling.in_(in_it), Person.erased_at.is_(None))
    for home, member in session.execute(kept):
        if home is not None and (home, member) not in known:
            found[home].append(Link(home, member, None, None, None))
    return found


def _by_number(name: str) -> tuple[int, str]:
    """Rooms in the order of their numbers, 2 before 10; what has none comes last."""
    digits = "".join(character for character in name if character.isdecimal())
    return (int(digits) if digits else 10**9, name)
