"""Putting an incident aside and taking it back: each button is a form, with or without script."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from alerts.incidents import putting_aside
from alerts.incidents.aside import AsideReason
from console.accounts.models import User
from console.context import rooms
from console.pages.incident import act_on
from console.permissions import Action, may
from console.security import as_actor

router = APIRouter(prefix="/console/incidents")
Decider = Annotated[User, may(Action.INCIDENTS_DECIDE)]
Version = Annotated[int, Form(ge=0)]


@router.post("/{incident_id}/put-aside")
def put(
    request: Request,
    user: Decider,
    incident_id: str,
    version: Version,
    reason: Annotated[str, Form(max_length=32)] = "",
    minutes: Annotated[int, Form(ge=0, le=240)] = 0,
) -> Response:
    """Puts it aside for some minutes; what runs out meanwhile runs out all the same."""
    here = rooms(request)

    def act(session: Session) -> None:
        putting_aside.put_aside(
            session,
            incident_id,
            AsideReason(reason) if reason in list(AsideReason) else None,
            dt.timedelta(minutes=minutes),
            as_actor(user),
            here.clock.now(),
            expected_version=version,
        )

    return act_on(request, incident_id, act)


@router.post("/{incident_id}/take-back")
def take_back(request: Request, user: Decider, incident_id: str, version: Version) -> Response:
    """Puts it in front again."""
    here = rooms(request)

    def act(session: Session) -> None:
        putting_aside.take_back(
            session, incident_id, as_actor(user), here.clock.now(), expected_version=version
        )

    return act_on(request, incident_id, act)
