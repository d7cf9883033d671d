"""What the operator writes down of a call, and shows to those who go: each button is a form."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from alerts.dispatch import pictures
from alerts.escalation.calls import called
from console.accounts.models import User
from console.context import rooms
from console.pages.incident import act_on
from console.permissions import Action, may
from console.security import as_actor

router = APIRouter(prefix="/console/incidents")
Decider = Annotated[User, may(Action.INCIDENTS_DECIDE)]


@router.post("/{incident_id}/called")
def note_call(
    request: Request,
    user: Decider,
    incident_id: str,
    number: Annotated[str, Form(max_length=8)],
) -> Response:
    """Writes down that the operator called; nothing dials."""
    here = rooms(request)

    def act(session: Session) -> str | None:
        called(session, incident_id, number, as_actor(user), here.clock.now())
        return None

    return act_on(request, incident_id, act)


@router.post("/{incident_id}/show-picture")
def show_picture(
    request: Request,
    user: Decider,
    incident_id: str,
    media: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
    reason: Annotated[str, Form(max_length=500)] = "",
    minutes: Annotated[int, Form(ge=1, le=120)] = 30,
) -> Response:
    """Lets those who go see one picture for a while."""
    here = rooms(request)

    def act(session: Session) -> str | None:
        lasts = dt.timedelta(minutes=minutes)
        pictures.flag(session, incident_id, media, reason, lasts, as_actor(user), here.clock.now())
        return None

    return act_on(request, incident_id, act)


@router.post("/{incident_id}/hide-picture")
def hide_picture(request: Request, user: Decider, incident_id: str) -> Response:
    """Takes it back."""
    here = rooms(request)

    def act(session: Session) -> str | None:
        pictures.take_back(session, incident_id, as_actor(user), here.clock.now())
        return None

    return act_on(request, incident_id, act)
