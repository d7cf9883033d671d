"""Households: who keeps house together, under one head, in which dwelling."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import Made, Text, Version, noted
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.reach import sees_dwelling
from console.permissions import Action, may
from console.problems import not_found
from registry.days import local_date
from registry.models import Household, Person
from registry.people import households
from registry.rows import find
from storage.vault import current_vault

router = APIRouter(tags=["households"])
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]


class MemberView(BaseModel):
    """A member; `version` is the person's, which leaving has to name."""

    id: str
    name: str
    under_14: bool
    head: bool
    version: int


class HouseholdView(BaseModel):
    id: str
    version: int
    dwelling: str | None
    head: str | None
    external_id: str | None
    members: list[MemberView]


class HouseholdGiven(BaseModel):
    """A household; the head is a member without being named twice."""

    head: Text
    members: Annotated[list[Text], Field(max_length=50)] = []
    dwelling: Text | None = None
    external_id: Text | None = None


class HouseholdChanged(BaseModel):
    """Another head, another dwelling; what is not sent stays."""

    version: Version
    head: Text | None = None
    dwelling: Text | None = None


class Joining(BaseModel):
    """Who comes in, at the version that was read."""

    person: Text
    version: Version


@router.post("/households", response_model=Made, status_code=201)
def create(here: Here, request: Request, user: Editor, given: HouseholdGiven) -> Response:
    """Makes a household of people who are in none."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = households.create(
            session,
            here.compound,
            head=given.head,
            members=given.members,
            dwelling=given.dwelling,
            external_id=given.external_id,
            today=local_date(session, here.compound, at),
        )
        noted(session, at, user, "household.created", f"household:{row.id}")
        for member in {given.head, *given.members}:
            noted(session, at, user, "household.joined", f"person:{member}", row.id)
        return 201, Made.of(row)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.get("/households/{household_id}")
def household(here: Here, user: Finder, household_id: str, purpose: Purpose) -> HouseholdView:
    """One household with its members; the look is noted for each of them."""
    with here.database.write() as session:
        row = find(session, Household, here.compound, household_id, "household")
        if not sees_dwelling(session, user, here.compound, row.dwelling):
            raise not_found("household")
        people = households.members(session, row)
        at = here.clock.now()
        for subject in (f"household:{row.id}", *(f"person:{one.id}" for one in people)):
            note_look(session, at, user, Look("household.viewed", purpose, subject))
        current_vault().load(one.id for one in people)
        return HouseholdView(
            id=row.id,
            version=row.version,
            dwelling=row.dwelling,
            head=row.head_person_id,
            external_id=row.external_id,
            members=[
                MemberView(
                    id=one.id,
                    name=one.name,
                    under_14=one.under_14,
                    head=one.id == row.head_person_id,
                    version=one.version,
                )
                for one in people
            ],
        )


@router.patch("/households/{household_id}")
def edit(here: Here, user: Editor, household_id: str, given: HouseholdChanged) -> Made:
    """Changes head or dwelling. `head_not_member` unless the new head belongs to it."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find(session, Household, here.compound, household_id, "household")
        version, subject = given.version, f"household:{row.id}"
        if given.head is not None:
            today = local_date(session, here.compound, at)
            households.change_head(session, row, version, given.head, today=today)
            version = row.version
            noted(session, at, user, "household.head_changed", subject)
        if "dwelling" in given.model_fields_set:
            households.settle(session, row, version, given.dwelling)
            noted(session, at, user, "household.settled", subject)
        return Made.of_row(row)


@router.post("/households/{household_id}/members", response_model=Made, status_code=201)
def join(here: Here, request: Request, user: Editor, household_id: str, given: Joining) -> Response:
    """Takes somebody in; answers with the person at their new version."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = find(session, Household, here.compound, household_id, "household")
        person = find(session, Person, here.compound, given.person, "person")
        today = local_date(session, here.compound, at)
        households.join(session, row, person, given.version, today=today)
        noted(session, at, user, "household.joined", f"person:{person.id}", row.id)
        return 201, Made.of(person)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.delete("/households/{household_id}/members/{person_id}")
def leave(
    here: Here,
    user: Editor,
    household_id: str,
    person_id: str,
    version: Annotated[int, Query(ge=1)],
) -> Made:
    """Takes somebody out; `version` is the person's. The head goes last (`head_leaves`)."""
    with here.database.write() as session:
        person = find(session, Person, here.compound, person_id, "person")
        if person.household != household_id:
            raise not_found("person")
        households.leave(session, person, version)
        noted(session, here.clock.now(), user, "household.left", f"person:{person.id}", household_id)
        return Made.of_row(person)
