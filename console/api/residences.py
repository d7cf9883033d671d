"""Residences: who lives where, since when, and who has made sure of it."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import Made, Text, Version, noted
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.api.reach import sees_dwelling
from console.api.subjects import find_person
from console.permissions import Action, may
from console.problems import ProblemError, not_found
from registry.days import local_date
from registry.models import Residence, ResidenceKind
from registry.people import residences
from registry.rows import find

router = APIRouter(tags=["residences"])
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]
Verifier = Annotated[User, may(Action.RESIDENCES_VERIFY)]


class ResidenceGiven(BaseModel):
    """`until` is the last day; without it the residence lasts."""

    dwelling: Text
    kind: ResidenceKind
    since: dt.date
    until: dt.date | None = None
    external_id: Text | None = None


class ResidenceChanged(BaseModel):
    """What is to be different; what is not sent stays, `until` null means that it lasts."""

    version: Version
    kind: ResidenceKind | None = None
    since: dt.date | None = None
    until: dt.date | None = None


class Verified(BaseModel):
    """That somebody made sure of a residence; `on` is today where it is not sent."""

    version: Version
    on: dt.date | None = None


class Move(BaseModel):
    """A move on a day: into a dwelling as `kind`, or without either out of the compound."""

    on: dt.date
    dwelling: Text | None = None
    kind: ResidenceKind | None = None


class Moved(BaseModel):
    """Residences that a move ended, and the one it began."""

    ended: list[Made]
    begun: Made | None


@router.post("/people/{person_id}/residences", response_model=Made, status_code=201)
def add(here: Here, request: Request, user: Editor, person_id: str, given: ResidenceGiven) -> Response:
    """Adds a residence. `residence_overlaps` where the person has one there in that time."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = residences.add(
            session,
            find_person(session, here.compound, person_id),
            given.dwelling,
            given.kind,
            given.since,
            given.until,
            today=local_date(session, here.compound, at),
            external_id=given.external_id,
        )
        noted(session, at, user, "residence.added", f"person:{person_id}", row.id)
        return 201, Made.of(row)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.post("/people/{person_id}/moves", response_model=Moved, status_code=201)
def move(here: Here, request: Request, user: Editor, person_id: str, given: Move) -> Response:
    """Moves a person; out of the compound the day is the last one, else the first in the new dwelling."""
    if (given.dwelling is None) != (given.kind is None):
        raise ProblemError(422, "move_incomplete", "A move names dwelling and kind, or neither")

    def work(session: Session, at: dt.datetime) -> Answer:
        person = find_person(session, here.compound, person_id)
        today = local_date(session, here.compound, at)
        last_day = given.on if given.dwelling is None else given.on - dt.timedelta(days=1)
        ended = residences.move_out(session, person, last_day, today=today)
        begun = None
        if given.dwelling is not None and given.kind is not None:
            begun = residences.add(session, person, given.dwelling, given.kind, given.on, today=today)
        detail = f"ended={len(ended)} begun={int(begun is not None)}"
        noted(session, at, user, "person.moved", f"person:{person_id}", detail)
        answer = Moved(
            ended=[Made.of_row(row) for row in ended],
            begun=None if begun is None else Made.of_row(begun),
        )
        return 201, answer.model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/residences/{residence_id}")
def edit(here: Here, user: Editor, residence_id: str, given: ResidenceChanged) -> Made:
    """Corrects or ends a residence. What was verified has to be verified anew if it was another."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find(session, Residence, here.compound, residence_id, "residence")
        residences.correct(
            session,
            row,
            given.version,
            kind=given.kind or ResidenceKind(row.kind),
            since=given.since or row.since,
            until=given.until if "until" in given.model_fields_set else row.until,
            today=local_date(session, here.compound, at),
        )
        noted(session, at, user, "residence.edited", f"person:{row.person}", row.id)
        return Made.of_row(row)


@router.post("/residences/{residence_id}/verification")
def verify(here: Here, user: Verifier, residence_id: str, given: Verified) -> Made:
    """Notes that the user made sure of a residence; a grid worker only in the own grid."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find(session, Residence, here.compound, residence_id, "residence")
        if not sees_dwelling(session, user, here.compound, row.dwelling):
            raise not_found("residence")
        today = local_date(session, here.compound, at)
        residences.verify(session, row, given.version, on=given.on or today, by=user.id, today=today)
        noted(session, at, user, "residence.verified", f"person:{row.person}", row.id)
        return Made.of_row(row)
