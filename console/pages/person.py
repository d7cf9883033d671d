"""A person of the registry: who, where, with what, agreed to what, and what ends soon (以人找房).

Each look has the purpose of the sitting and is in the audit log. The phone is covered until somebody
asks for it. What may be changed is in `console.pages.person_forms`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from console.accounts.models import User
from console.api import absences, credentials
from console.api.credentials import CredentialStep, CredentialView
from console.api.people import PersonView, look_up_person
from console.api.purposes import Look, note_look
from console.api.reach import person_in_reach
from console.context import Rooms, rooms
from console.pages import looking, registry_reads
from console.pages.forms import Outcome
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from registry.days import local_date
from registry.models import (
    ConsentPurpose,
    ConsentWording,
    CredentialKind,
    CredentialStatus,
    GivenBy,
    ResidenceKind,
)
from registry.places.housing import addresses_of

router = APIRouter(prefix="/registry/people")
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]

SOON: Final = dt.timedelta(days=30)
ISSUED: Final = (CredentialKind.CARD, CredentialKind.PIN, CredentialKind.PHONE, CredentialKind.GUARD_CALL)
"""What is given out by hand; a QR belongs to a pass, a face to a photo, a plate to a vehicle."""

CHANNELS: Final = ("paper", "counter", "phone_call")
# Which steps a credential in which state can take; what is ended stays ended.
_STEPS: Final = {
    CredentialStatus.ACTIVE: (CredentialStep.SUSPEND, CredentialStep.LOSE, CredentialStep.END),
    CredentialStatus.SUSPENDED: (CredentialStep.RESUME, CredentialStep.LOSE, CredentialStep.END),
    CredentialStatus.LOST: (CredentialStep.RESUME, CredentialStep.END),
    CredentialStatus.ENDED: (),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """Something of a person that ends within a month: `what` is a code, `on` the last day."""

    what: str
    on: dt.date
    name: str


@router.get("/{person_id}")
def person(request: Request, user: Finder, person_id: str) -> Response:
    """One person, for the purpose of the sitting."""
    return page(request, user, person_id)


@router.post("/{person_id}/phone")
def phone(request: Request, user: Finder, person_id: str) -> Response:
    """The same with the phone; that it was asked for is noted apart from the look."""
    purpose = looking.purpose_of(request)
    if purpose is None:
        return looking.ask(request)
    here = rooms(request)
    with here.database.write() as session:
        row = person_in_reach(session, user, here.compound, person_id)
        look = Look("person.phone_viewed", purpose, f"person:{row.id}")
        note_look(session, here.clock.now(), user, look)
    return page(request, user, person_id, phone_shown=True)


def back(person_id: str, done: str) -> Response:
    """To the person, saying what was done."""
    return RedirectResponse(f"/registry/people/{person_id}?done={done}", 303)


def page(
    request: Request,
    user: User,
    person_id: str,
    outcome: Outcome | None = None,
    *,
    phone_shown: bool = False,
) -> Response:
    """The page, with the form that was refused open and as it was filled in."""
    purpose = looking.purpose_of(request)
    if purpose is None:
        return looking.ask(request)
    here, view = rooms(request), frame(request)
    found = look_up_person(here, user, person_id, purpose)
    keys: list[CredentialView] | None = None
    if view.may(Action.CREDENTIALS_EDIT) and found.erased_at is None:
        keys = credentials.credentials(here, user, person_id, purpose).items
    away = None
    agreed = {consent.purpose for consent in found.consents if consent.withdrawn_at is None}
    # Who is not looked after is missed by nobody, so there is nothing to declare.
    if view.may(Action.CARE_AWAY) and ConsentPurpose.ELDER_CARE in agreed:
        away = absences.of_person(here, user, person_id, purpose).items
    beside = _beside(here, found, view)
    return render(
        view,
        "person.html",
        status=outcome.status if outcome else 200,
        outcome=outcome or Outcome(),
        done=request.query_params.get("done", ""),
        purpose=purpose,
        change=looking.change_at(f"/registry/people/{person_id}"),
        person=found,
        phone=found.phone if phone_shown else masked(found.phone),
        phone_shown=phone_shown,
        current=[home for home in found.residences if home.until is None or home.until >= beside["today"]],
        former=[home for home in found.residences if home.until is not None and home.until < beside["today"]],
        keys=keys,
        steps=_STEPS,
        away=away,
        agreed=agreed,
        endings=_endings(found, keys or [], beside, view),
        kinds=list(ResidenceKind),
        issued=ISSUED,
        consents_to=list(ConsentPurpose),
        channels=CHANNELS,
        given_by=list(GivenBy),
        **beside,
    )


def masked(phone: str | None) -> str | None:
    """A phone number of which whoever knows it knows that it is the one: 100****5678."""
    if phone is None:
        return None
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > len("100") + 4 else f"****{phone[-2:]}"


def _beside(here: Rooms, found: PersonView, view: Frame) -> dict[str, Any]:
    """What stands beside the person: addresses, vehicles, passes, work, and the last words agreed to."""
    households = [found.household] if found.household else []
    with here.database.read() as session:
        latest = select(ConsentWording.purpose, ConsentWording.text).order_by(ConsentWording.first_used_at)
        return {
            "today": local_date(session, here.compound, view.now),
            "addresses": addresses_of(session, here.compound, {home.dwelling for home in found.residences}),
            "cars": registry_reads.cars_of(session, here.compound, [found.id], households),
            "passes": registry_reads.passes_to(session, [found.id], households, view.now)
            if view.may(Action.PASSES_READ)
            else [],
            "work": registry_reads.workplaces_of(session, found.id),
            "wordings": {row[0]: row[1] for row in session.execute(latest)}
            if view.may(Action.CONSENTS_RECORD)
            else {},
        }


def _endings(
    found: PersonView, keys: Sequence[CredentialView], beside: dict[str, Any], view: Frame
) -> list[Ending]:
    """What ends within a month or has ended and still opens, the first end first."""
    today: dt.date = beside["today"]
    until = today + SOON
    ends = [
        Ending("residence", home.until, beside["addresses"].get(home.dwelling, ""))
        for home in found.residences
        if home.until is not None and today <= home.until <= until
    ]
    for key in keys:
        last = None if key.ends_at is None else key.ends_at.astimezone(view.zone).date()
        if key.status == CredentialStatus.ACTIVE and last is not None and last <= until:
            ends.append(Ending("credential", last, view.t.code("credential_kind", key.kind)))
    gone = found.residences and all(
        home.until is not None and home.until < today
        for home in found.residences
        if home.kind != ResidenceKind.REGISTERED_ABSENT
    )
    if gone and any(
        key.status == CredentialStatus.ACTIVE and key.kind != CredentialKind.GUARD_CALL for key in keys
    ):
        last_day = max(home.until for home in found.residences if home.until is not None)
        ends.append(Ending("opens_still", last_day, ""))
    return sorted(ends, key=lambda one: one.on)
