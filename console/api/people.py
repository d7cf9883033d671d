"""People of the registry: looked at for a purpose."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from console.accounts.models import User
from console.api.consents import ConsentView, consents_of, enrol
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.subjects import find_person
from console.context import Rooms
from console.permissions import Action, may
from registry.models import FaceTemplate, Residence

__all__ = ["PersonView", "enrol", "look_up_person", "router"]

router = APIRouter(tags=["people"])
Finder = Annotated[User, may(Action.PEOPLE_FIND)]


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ResidenceView(_FromRow):
    dwelling: str
    kind: str
    since: dt.date
    until: dt.date | None


class PersonView(BaseModel):
    """What the registry holds of a person; of templates only how many there are."""

    id: str
    name: str
    phone: str | None
    household: str | None
    under_14: bool
    residences: list[ResidenceView]
    consents: list[ConsentView]
    templates: int


@router.get("/people/{person_id}")
def person(here: Here, user: Finder, person_id: str, purpose: Purpose) -> PersonView:
    """One person; `purpose` is required and written to the audit log."""
    return look_up_person(here, user, person_id, purpose)


def look_up_person(here: Rooms, user: User, person_id: str, purpose: Purpose) -> PersonView:
    """Reads a person and notes who looked, in one transaction. Raises a 404 problem."""
    with here.database.write() as session:
        row = find_person(session, here.compound, person_id)
        look = Look("person.viewed", purpose, f"person:{row.id}")
        note_look(session, here.clock.now(), user, look)
        homes = session.scalars(
            select(Residence).where(Residence.person == row.id).order_by(Residence.since, Residence.id)
        )
        agreed = consents_of(session, row.id)
        templates = session.scalar(select(func.count()).where(FaceTemplate.person == row.id)) or 0
        return PersonView(
            id=row.id,
            name=row.name,
            phone=row.phone,
            household=row.household,
            under_14=row.under_14,
            residences=[ResidenceView.model_validate(home) for home in homes],
            consents=agreed,
            templates=templates,
        )
