"""From a person to dwellings (以人找房), from a dwelling to people (以房管人), and who is meant by a name.

Each look has a purpose and is noted for everybody it shows. Guards do not ask here but
whether somebody belongs; a grid worker sees the own grids.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.own_grids import own_grids, require_own
from console.api.paging import Page
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.reach import person_in_reach
from console.context import Rooms
from console.permissions import Action, may
from console.problems import ProblemError
from registry.citizen_id import CitizenIdError
from registry.days import local_date
from registry.models import Dwelling, ResidenceKind
from registry.people.finding import Home, find_dwellings_of_person, list_people_of_dwelling, load_names
from registry.people.searching import search_people
from registry.rows import find
from registry.spelling import PhoneError

router = APIRouter(tags=["people"])
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
# In the body: names and numbers in an address would stay in logs and histories.
Given = Annotated[str | None, Body(min_length=1, max_length=64)]


class HomeView(BaseModel):
    """A dwelling of a person; `kind` and dates are null where only the household lives there."""

    dwelling: str
    address: str
    kind: ResidenceKind | None
    since: dt.date | None
    until: dt.date | None
    household: str | None
    residence: str | None
    verified_on: dt.date | None


class OccupantView(BaseModel):
    """A person of a dwelling; `head`: of the household that lives in it."""

    person: str
    name: str
    kind: ResidenceKind | None
    since: dt.date | None
    until: dt.date | None
    head: bool
    household: str | None
    residence: str | None
    verified_on: dt.date | None
    under_14: bool


class FoundView(BaseModel):
    """Somebody who may be meant, told apart by where they live."""

    id: str
    name: str
    household: str | None
    under_14: bool
    addresses: list[str]


@router.post("/people/search")
def search(
    here: Here,
    user: Finder,
    purpose: Purpose,
    name: Given = None,
    phone: Given = None,
    id_number: Given = None,
    plate: Given = None,
    external_id: Given = None,
) -> Page[FoundView]:
    """People to whom everything that is given belongs, at most 50; whole names only.

    Something has to be given (`nothing_asked`).
    """
    asked = {
        "name": name,
        "phone": phone,
        "id_number": id_number,
        "plate": plate,
        "external_id": external_id,
    }
    given = {key: value for key, value in asked.items() if value is not None and value.strip()}
    if not given:
        raise ProblemError(422, "nothing_asked", "Say something about who is looked for")
    with here.database.write() as session:
        at = here.clock.now()
        grids = own_grids(session, here.compound, user)
        try:
            found = search_people(session, here.compound, **given, grids=grids)
        except (PhoneError, CitizenIdError) as error:
            raise ProblemError(422, error.code, "What was given is no number of this kind") from error
        detail = f"by={','.join(given)} found={len(found)}"
        look = Look("people.searched", purpose, f"compound:{here.compound}", detail)
        note_look(session, at, user, look)
        today = local_date(session, here.compound, at)
        items = []
        for person in found:
            note_look(session, at, user, Look("person.found", purpose, f"person:{person.id}"))
            homes = _in_reach(session, here, user, find_dwellings_of_person(session, person.id, today))
            items.append(
                FoundView(
                    id=person.id,
                    name=person.name,
                    household=person.household,
                    under_14=person.under_14,
                    addresses=[home.address for home in homes],
                )
            )
        return Page(items=items, next_cursor=None)


@router.get("/people/{person_id}/dwellings")
def dwellings_of_person(
    here: Here,
    user: Finder,
    person_id: str,
    purpose: Purpose,
    on: dt.date | None = None,
    ended: bool = False,
) -> Page[HomeView]:
    """Where a person lives or is registered on a day, today by default; with `ended` ever (以人找房)."""
    with here.database.write() as session:
        at = here.clock.now()
        person = person_in_reach(session, user, here.compound, person_id)
        day = on or local_date(session, here.compound, at)
        homes = find_dwellings_of_person(session, person.id, day, ended=ended)
        homes = _in_reach(session, here, user, homes)
        look = Look("person.dwellings_viewed", purpose, f"person:{person.id}", f"found={len(homes)}")
        note_look(session, at, user, look)
        items = [
            HomeView(
                dwelling=home.dwelling_id,
                address=home.address,
                kind=home.kind,
                since=home.since,
                until=home.until,
                household=home.household_id,
                residence=home.residence_id,
                verified_on=home.verified_on,
            )
            for home in homes
        ]
        return Page(items=items, next_cursor=None)


@router.get("/dwellings/{dwelling_id}/people", tags=["dwellings"])
def people_of_dwelling(
    here: Here,
    user: Finder,
    dwelling_id: str,
    purpose: Purpose,
    on: dt.date | None = None,
    ended: bool = False,
) -> Page[OccupantView]:
    """Who lives or is registered in a dwelling on a day, heads first; with `ended` ever (以房管人)."""
    with here.database.write() as session:
        at = here.clock.now()
        dwelling = find(session, Dwelling, here.compound, dwelling_id, "dwelling")
        require_own(session, user, dwelling)
        day = on or local_date(session, here.compound, at)
        people = list_people_of_dwelling(session, dwelling.id, day, ended=ended)
        look = Look("dwelling.people_viewed", purpose, f"dwelling:{dwelling.id}", f"found={len(people)}")
        note_look(session, at, user, look)
        for person_id in sorted({one.person_id for one in people}):
            note_look(session, at, user, Look("person.found", purpose, f"person:{person_id}"))
        load_names(people)
        items = [
            OccupantView(
                person=one.person_id,
                name=one.name,
                kind=one.kind,
                since=one.since,
                until=one.until,
                head=one.head,
                household=one.household_id,
                residence=one.residence_id,
                verified_on=one.verified_on,
                under_14=one.under_14,
            )
            for one in people
        ]
        return Page(items=items, next_cursor=None)


def _in_reach(session: Session, here: Rooms, user: User, homes: Sequence[Home]) -> Sequence[Home]:
    own = own_grids(session, here.compound, user)
    if own is None:
        return homes
    rows = (session.get(Dwelling, home.dwelling_id) for home in homes)
    return [home for home, row in zip(homes, rows, strict=True) if row is not None and row.grid in own]
