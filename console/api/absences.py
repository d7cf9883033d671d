"""Absences of people who are looked after (关爱): declared, so that nobody calls or comes for nothing.

By the people themselves or somebody of their household, or by whoever was told: the grid worker at
the door, the operator on the phone.
"""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from alerts import absences
from alerts.absences import CareAbsence
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.own import Resident, myself
from console.api.paging import Page
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.reach import person_in_reach
from console.permissions import Action, may
from console.problems import not_found
from registry.models import Person

router = APIRouter(tags=["care"])
Carer = Annotated[User, may(Action.CARE_AWAY)]


class AbsenceView(BaseModel):
    """`declared_by` is a user's id."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    person: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    declared_by: str
    declared_at: dt.datetime


class AbsenceDeclared(BaseModel):
    """From when to when; without a beginning from now on."""

    ends_at: AwareDatetime
    starts_at: AwareDatetime | None = None


class OwnAbsenceDeclared(AbsenceDeclared):
    """Mine, or that of somebody of my household."""

    person: Annotated[str | None, Field(max_length=64)] = None


@router.get("/people/{person_id}/absences")
def of_person(here: Here, user: Carer, person_id: str, purpose: Purpose) -> Page[AbsenceView]:
    """Absences of somebody that have not ended."""
    with here.database.write() as session:
        person = person_in_reach(session, user, here.compound, person_id)
        at = here.clock.now()
        note_look(session, at, user, Look("care.absences_viewed", purpose, f"person:{person.id}"))
        return _page(session, [person], at)


@router.post("/people/{person_id}/absences", response_model=AbsenceView, status_code=201)
def declare(here: Here, request: Request, user: Carer, person_id: str, given: AbsenceDeclared) -> Response:
    """Notes what the person or the family has said."""

    def work(session: Session, at: dt.datetime) -> Answer:
        return _declared(session, user, person_in_reach(session, user, here.compound, person_id), given, at)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.post("/people/{person_id}/absences/{absence_id}/end", status_code=204)
def end(here: Here, user: Carer, person_id: str, absence_id: str) -> None:
    """They are back, or do not go after all."""
    with here.database.write() as session:
        person = person_in_reach(session, user, here.compound, person_id)
        _end(session, user, [person], absence_id, here.clock.now())


@router.get("/me/absences")
def own(here: Here, user: Resident) -> Page[AbsenceView]:
    """Mine, and those of my household."""
    with here.database.read() as session:
        return _page(session, _family(session, here.compound, user), here.clock.now())


@router.post("/me/absences", response_model=AbsenceView, status_code=201)
def declare_own(here: Here, request: Request, user: Resident, given: OwnAbsenceDeclared) -> Response:
    """I am away, or somebody of my household is."""

    def work(session: Session, at: dt.datetime) -> Answer:
        family = _family(session, here.compound, user)
        whom = given.person or user.person_id
        person = next((one for one in family if one.id == whom), None)
        if person is None:
            raise not_found("person")
        return _declared(session, user, person, given, at)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.post("/me/absences/{absence_id}/end", status_code=204)
def end_own(here: Here, user: Resident, absence_id: str) -> None:
    """I am back, or somebody of my household is."""
    with here.database.write() as session:
        _end(session, user, _family(session, here.compound, user), absence_id, here.clock.now())


def _family(session: Session, compound: str, user: User) -> list[Person]:
    """Me, and who keeps house with me."""
    me = myself(session, compound, user)
    if me.household is None:
        return [me]
    rows = session.query(Person).filter(
        Person.compound == compound, Person.household == me.household, Person.erased_at.is_(None)
    )
    return [me, *(person for person in rows.order_by(Person.id) if person.id != me.id)]


def _page(session: Session, people: list[Person], at: dt.datetime) -> Page[AbsenceView]:
    found = [absence for person in people for absence in absences.of_person(session, person.id, at)]
    return Page(items=[AbsenceView.model_validate(row) for row in found], next_cursor=None)


def _declared(
    session: Session, user: User, person: Person, given: AbsenceDeclared, at: dt.datetime
) -> Answer:
    row = absences.declare(session, person, given.starts_at or at, given.ends_at, user.id, at)
    note_look(session, at, user, _change("care.absence_declared", person))
    return 201, AbsenceView.model_validate(row).model_dump(mode="json")


def _end(session: Session, user: User, people: list[Person], absence_id: str, at: dt.datetime) -> None:
    row = session.get(CareAbsence, absence_id)
    person = next((one for one in people if row is not None and one.id == row.person), None)
    if row is None or person is None:
        raise not_found("absence")
    absences.end(session, row, at)
    note_look(session, at, user, _change("care.absence_ended", person))


def _change(action: str, person: Person) -> Look:
    return Look(action, Purpose.RESIDENT_REQUEST, f"person:{person.id}")
