"""Making an open incident part of another on an operator's own word."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from alerts.incidents import merging
from console.accounts.models import User
from console.context import rooms
from console.pages.incident import act_on
from console.permissions import Action, may
from console.security import as_actor
from registry.errors import RefusedError

router = APIRouter(prefix="/console/incidents")
Decider = Annotated[User, may(Action.INCIDENTS_DECIDE)]


@router.post("/{incident_id}/merge")
def merge(
    request: Request,
    user: Decider,
    incident_id: str,
    version: Annotated[int, Form(ge=0)],
    other: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """Takes `other` into this one, or this one into it where people are further with that."""
    here = rooms(request)

    def act(session: Session) -> None:
        if not other:
            raise RefusedError("merge_other_missing")
        way = merging.preview(session, here.compound, incident_id, other)
        if way.refused is not None:
            turned = merging.preview(session, here.compound, other, incident_id)
            way = turned if turned.refused is None else way
        mine_is_target = way.target == incident_id
        merging.merge(
            session,
            here.compound,
            way.target,
            way.source,
            as_actor(user),
            here.clock.now(),
            target_version=version if mine_is_target else way.target_version,
            source_version=way.source_version if mine_is_target else version,
        )

    return act_on(request, incident_id, act)
