"""Whose hands are on which incident: what an open page says of itself, and hears of the others."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from alerts.incidents.models import Incident
from alerts.notify import calls
from console.accounts.models import User
from console.context import rooms
from console.desk import hands
from console.desk.hands import Doing, Hand
from console.permissions import Action, allowed, may

router = APIRouter()
Reader = Annotated[User, may(Action.INCIDENTS_READ)]

_ID: Final = r"^[0-9a-zA-Z_-]{1,32}$"


class Said(BaseModel):
    """What a page has open. `page` is its own random id; `incident` None where nothing is open."""

    page: Annotated[str, Field(pattern=r"^[0-9a-f]{8,32}$")]
    incident: Annotated[str | None, Field(pattern=_ID)] = None
    doing: Doing = Doing.LOOKING


class Other(BaseModel):
    """Somebody else who has an incident open."""

    name: str
    doing: Doing


class Around(BaseModel):
    """By incident who else has it open; and how many calls wait to be made by hand."""

    hands: dict[str, list[Other]]
    calls: int


@router.post("/console/hands")
def said(request: Request, user: Reader, what: Said) -> Around:
    """Notes what a page has open, and answers with what the others have. Costs a write only now and then."""
    here = rooms(request)
    now = here.clock.now()
    with here.database.read() as session:
        row = session.get(Hand, what.page)
        known = what.incident is not None and _is_here(session.get(Incident, what.incident), here.compound)
        write = (
            hands.due(row, user.id, what.incident, what.doing, now)
            if known and what.incident is not None
            else row is not None
        )
        others = hands.others(session, here.compound, user.id, now)
        waiting = (
            len(calls.open_calls(session, here.compound)) if allowed(user, Action.INCIDENTS_DECIDE) else 0
        )
    if write:
        with here.database.write() as session:
            if known and what.incident is not None:
                hands.put(session, here.compound, what.page, user.id, what.incident, what.doing, now)
            else:
                hands.let_go(session, what.page, user.id)
    return Around(
        hands={
            incident: [Other(name=one.name, doing=one.doing) for one in seen]
            for incident, seen in others.items()
        },
        calls=waiting,
    )


def _is_here(incident: Incident | None, compound: str) -> bool:
    return incident is not None and incident.compound == compound
