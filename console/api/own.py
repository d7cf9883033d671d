"""A resident's own data: what is held, who looked, what was agreed to, and how to take it back."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.consents import ConsentView, Withdrawn, consents_of, withdraw_consent
from console.api.idempotency import Answer, once
from console.api.paging import Page
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.requests import RequestReceived, RequestView, take_in
from console.context import Rooms
from console.permissions import Action, may
from console.problems import not_found
from privacy import access, looks
from registry.faces import consents
from registry.models import ConsentPurpose, GivenBy, Person

router = APIRouter(prefix="/me", tags=["own data"])
Resident = Annotated[User, may(Action.OWN_DATA)]


class LookView(BaseModel):
    """Somebody looked: in which role, what they did, to what sort of thing, and what for."""

    model_config = ConfigDict(from_attributes=True)

    at: dt.datetime
    role: str
    action: str
    purpose: str
    subject_kind: str


class OwnLooks(BaseModel):
    """`withheld` says of everybody alike what is never shown here."""

    items: list[LookView]
    withheld: list[str]


class OwnConsent(BaseModel):
    """The exact wording that was shown and agreed to."""

    purpose: ConsentPurpose
    wording: Annotated[str, Field(min_length=1, max_length=20_000)]


@router.get("/data")
def data(here: Here, user: Resident) -> dict[str, Any]:
    """Everything that is held on me."""
    with here.database.write() as session:
        at = here.clock.now()
        me = myself(session, here.compound, user)
        document = access.export(session, me, at)
        note_look(session, at, user, _own("person.exported", me))
        return document


@router.get("/looks")
def own_looks(
    here: Here, user: Resident, since: Annotated[AwareDatetime | None, Query(alias="from")] = None
) -> OwnLooks:
    """Who looked at me, newest first; people are named by their role."""
    with here.database.read() as session:
        me = myself(session, here.compound, user)
        found = [LookView.model_validate(look) for look in looks.at_person(session, me, since)]
        return OwnLooks(items=found, withheld=["official_requests"])


@router.get("/consents")
def own_consents(here: Here, user: Resident) -> Page[ConsentView]:
    """What I agreed to, also what I took back."""
    with here.database.read() as session:
        me = myself(session, here.compound, user)
        return Page(items=consents_of(session, me.id), next_cursor=None)


@router.post("/consents", response_model=ConsentView, status_code=201)
def agree(here: Here, request: Request, user: Resident, given: OwnConsent) -> Response:
    """I agree. Refused with `guardian_required` under 14."""

    def work(session: Session, at: dt.datetime) -> Answer:
        me = myself(session, here.compound, user)
        consent = consents.give(
            session,
            me,
            given.purpose,
            wording=given.wording,
            channel="own_account",
            given_by=GivenBy.SELF,
            at=at,
        )
        note_look(session, at, user, _own("consent.given", me, given.purpose))
        return 201, ConsentView.model_validate(consent).model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.delete("/consents/{purpose}")
def take_back(here: Here, user: Resident, tasks: BackgroundTasks, purpose: ConsentPurpose) -> Withdrawn:
    """I no longer agree: one call, and everything that stood on it goes."""
    return withdraw_consent(here, user, tasks, _my_id(here, user), purpose, Purpose.RESIDENT_REQUEST)


@router.post("/requests", response_model=RequestView, status_code=201)
def ask(here: Here, request: Request, user: Resident, asked: RequestReceived) -> Response:
    """I ask for a copy, a correction or an erasure."""
    return take_in(here, request, user, _my_id(here, user), asked)


def _my_id(here: Rooms, user: User) -> str:
    with here.database.read() as session:
        return myself(session, here.compound, user).id


def myself(session: Session, compound: str, user: User) -> Person:
    """The person that this user is. Raises a 404 problem where nobody is entered, or they are erased."""
    me = session.get(Person, user.person_id) if user.person_id else None
    if me is None or me.compound != compound or me.erased_at is not None:
        raise not_found("person")
    return me


def _own(action: str, me: Person, detail: str = "") -> Look:
    return Look(action, Purpose.RESIDENT_REQUEST, f"person:{me.id}", detail)
