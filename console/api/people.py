"""People of the registry: looked at for a purpose, registered, corrected."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.consents import ConsentView, consents_of, enrol
from console.api.edits import Made, Text, changed, noted
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.reach import person_in_reach
from console.api.subjects import find_person
from console.context import Rooms
from console.permissions import Action, may
from registry import citizen_id
from registry.days import local_date
from registry.models import FaceTemplate, Person, Residence, ResidenceKind
from registry.people import population
from registry.people.population import NewPerson, PersonChange

__all__ = ["PersonView", "enrol", "look_up_person", "router"]

router = APIRouter(tags=["people"])
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]


class ResidenceView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    dwelling: str
    kind: ResidenceKind
    since: dt.date
    until: dt.date | None
    verified_on: dt.date | None
    version: int


class PersonView(BaseModel):
    """What the registry holds of a person; of templates only how many, of an id number a mask."""

    id: str
    version: int
    name: str
    phone: str | None
    id_number: str | None
    household: str | None
    under_14: bool
    guardian: str | None
    hukou_registered_here: bool | None
    external_id: str | None
    erased_at: dt.datetime | None
    residences: list[ResidenceView]
    consents: list[ConsentView]
    templates: int


class PersonGiven(BaseModel):
    """Somebody new. `born_on` only decides who is a child, and `under_14` only where it is not known."""

    name: Text
    phone: Text | None = None
    id_number: Text | None = None
    born_on: dt.date | None = None
    under_14: bool = False
    guardian: Text | None = None
    hukou_registered_here: bool | None = None
    external_id: Text | None = None


class PersonChanged(BaseModel):
    """What is to be different; a field that is not sent stays, null takes it away."""

    version: Annotated[int, Field(ge=1)]
    name: Text = ""
    phone: Text | None = None
    id_number: Text | None = None
    born_on: dt.date | None = None
    under_14: bool = False
    guardian: Text | None = None
    hukou_registered_here: bool | None = None


@router.post("/people", response_model=Made, status_code=201)
def register(here: Here, request: Request, user: Editor, given: PersonGiven) -> Response:
    """Registers a person, whom the guard lets in until there is a card or something better."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = population.register(
            session,
            here.compound,
            NewPerson(**given.model_dump()),
            at=at,
            today=local_date(session, here.compound, at),
        )
        noted(session, at, user, "person.registered", f"person:{row.id}")
        # Names are not repeated: this answer is kept for a day under its idempotency key.
        return 201, Made.of(row)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.get("/people/{person_id}")
def person(here: Here, user: Finder, person_id: str, purpose: Purpose) -> PersonView:
    """One person; `purpose` is required and written to the audit log."""
    return look_up_person(here, user, person_id, purpose)


@router.patch("/people/{person_id}")
def edit(here: Here, user: Editor, person_id: str, given: PersonChanged) -> Made:
    """Corrects a person. `stale_version` where somebody else was faster."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find_person(session, here.compound, person_id)
        fields = changed(given)
        if fields.get("born_on") is None:
            # There is no date of birth in the registry that could be taken away.
            fields.pop("born_on", None)
        change = PersonChange(**fields)
        population.edit(session, row, given.version, change, today=local_date(session, here.compound, at))
        noted(session, at, user, "person.edited", f"person:{row.id}", " ".join(change.named()))
        return Made.of_row(row)


def look_up_person(here: Rooms, user: User, person_id: str, purpose: Purpose) -> PersonView:
    """Reads a person and notes who looked, in one transaction. Raises a 404 problem."""
    with here.database.write() as session:
        row = person_in_reach(session, user, here.compound, person_id)
        look = Look("person.viewed", purpose, f"person:{row.id}")
        note_look(session, here.clock.now(), user, look)
        return _view(session, row)


def _view(session: Session, row: Person) -> PersonView:
    homes = session.scalars(
        select(Residence).where(Residence.person == row.id).order_by(Residence.since, Residence.id)
    )
    number = row.id_number
    return PersonView(
        id=row.id,
        version=row.version,
        name=row.name,
        phone=row.phone,
        id_number=None if number is None else citizen_id.mask(number),
        household=row.household,
        under_14=row.under_14,
        guardian=row.guardian,
        hukou_registered_here=row.hukou_registered_here,
        external_id=row.external_id,
        erased_at=row.erased_at,
        residences=[ResidenceView.model_validate(home) for home in homes],
        consents=consents_of(session, row.id),
        templates=session.scalar(select(func.count()).where(FaceTemplate.person == row.id)) or 0,
    )
