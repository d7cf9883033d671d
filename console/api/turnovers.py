"""A dwelling changes hands: who moves out and who comes in, in one step."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import Made, Text, Version, noted
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.permissions import Action, may
from registry.days import local_date
from registry.errors import RefusedError
from registry.models import Dwelling, ResidenceKind
from registry.people import population, turnover
from registry.people.population import NewPerson
from registry.people.turnover import Comer, Leaver
from registry.rows import find

router = APIRouter(tags=["residences"])
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]

_MOST = 20


class LeaverGiven(BaseModel):
    """A residence that ends, at the version that was read."""

    residence: Text
    version: Version


class ComerGiven(BaseModel):
    """Somebody of the registry by `person`, or somebody new by name. `until` is the last day."""

    person: Text | None = None
    name: Text | None = None
    phone: Text | None = None
    under_14: bool = False
    kind: ResidenceKind
    since: dt.date
    until: dt.date | None = None


class TurnoverGiven(BaseModel):
    """`version` is the dwelling's. `last_day` is that of all who leave."""

    version: Version
    last_day: dt.date | None = None
    leaving: Annotated[list[LeaverGiven], Field(max_length=_MOST)] = []
    coming: Annotated[list[ComerGiven], Field(max_length=_MOST)] = []


class Turned(BaseModel):
    """Residences that ended and that began; `people` are those who came, `household` theirs if it is new."""

    ended: list[Made]
    begun: list[Made]
    people: list[str]
    household: str | None


@router.post("/dwellings/{dwelling_id}/turnover", response_model=Turned, status_code=201)
def turn_over(here: Here, request: Request, user: Editor, dwelling_id: str, given: TurnoverGiven) -> Response:
    """All of it or, with a reason, nothing. Whoever has left keeps their keys until these are reviewed."""

    def work(session: Session, at: dt.datetime) -> Answer:
        today = local_date(session, here.compound, at)
        dwelling = find(session, Dwelling, here.compound, dwelling_id, "dwelling")
        coming = [_comer(session, here.compound, user, one, at, today) for one in given.coming]
        changed = turnover.change_over(
            session,
            dwelling,
            given.version,
            leaving=[Leaver(one.residence, one.version) for one in given.leaving],
            last_day=given.last_day,
            coming=coming,
            today=today,
        )
        for row in changed.ended:
            noted(session, at, user, "residence.edited", f"person:{row.person}", row.id)
        for row in changed.begun:
            noted(session, at, user, "residence.added", f"person:{row.person}", row.id)
        if changed.household is not None:
            noted(session, at, user, "household.created", f"household:{changed.household.id}")
        detail = f"ended={len(changed.ended)} begun={len(changed.begun)}"
        noted(session, at, user, "dwelling.turned_over", f"dwelling:{dwelling.id}", detail)
        answer = Turned(
            ended=[Made.of_row(row) for row in changed.ended],
            begun=[Made.of_row(row) for row in changed.begun],
            people=[row.person for row in changed.begun],
            household=None if changed.household is None else changed.household.id,
        )
        return 201, answer.model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


def _comer(
    session: Session, compound: str, user: User, given: ComerGiven, at: dt.datetime, today: dt.date
) -> Comer:
    person = given.person
    if person is None:
        if given.name is None:
            raise RefusedError("name_missing")
        new = NewPerson(name=given.name, phone=given.phone, under_14=given.under_14)
        person = population.register(session, compound, new, at=at, today=today).id
        noted(session, at, user, "person.registered", f"person:{person}")
    return Comer(person, given.kind, given.since, given.until)
