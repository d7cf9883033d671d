"""Putting an incident aside until a time, and taking it back (暂放)."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents import putting_aside
from alerts.incidents.aside import AsideReason
from alerts.incidents.models import Incident, IncidentAside
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.api.views import IncidentView
from console.permissions import Action, may
from console.problems import not_found
from console.security import as_actor

router = APIRouter(tags=["incidents"])
Reader = Annotated[User, may(Action.INCIDENTS_READ)]
Decider = Annotated[User, may(Action.INCIDENTS_DECIDE)]


class AsideView(BaseModel):
    """What is aside, by whom, until when and why; nothing that runs out is held up by it."""

    model_config = ConfigDict(from_attributes=True)

    incident: str
    actor: str
    at: dt.datetime
    until: dt.datetime
    reason: AsideReason


class PutAsideAsked(BaseModel):
    """For how many minutes: severity 2 at most 5, 3 at most 30, 4 at most 240; 1 never."""

    reason: AsideReason
    minutes: Annotated[int, Field(ge=1, le=240)]
    expected_version: Annotated[int | None, Field(ge=1)] = None


class TakeBackAsked(BaseModel):
    """`expected_version` guards against acting on what is no longer so."""

    expected_version: Annotated[int | None, Field(ge=1)] = None


@router.get("/incidents/aside")
def aside(here: Here, _: Reader) -> list[AsideView]:
    """Everything that is put aside, the first to come back first."""
    with here.database.read() as session:
        query = select(IncidentAside).where(IncidentAside.compound == here.compound)
        rows = session.scalars(query.order_by(IncidentAside.until, IncidentAside.incident))
        return [AsideView.model_validate(row) for row in rows]


@router.post("/incidents/{incident_id}/put-aside", response_model=AsideView, status_code=201)
def put_aside(
    here: Here, request: Request, user: Decider, incident_id: str, asked: PutAsideAsked
) -> Response:
    """Puts it aside; 409 `aside_never`, `aside_too_long`, `aside_not_open`, `stale_version`."""

    def work(session: Session, at: dt.datetime) -> Answer:
        _known(session, here.compound, incident_id)
        row = putting_aside.put_aside(
            session,
            incident_id,
            asked.reason,
            dt.timedelta(minutes=asked.minutes),
            as_actor(user),
            at,
            expected_version=asked.expected_version,
        )
        return 201, AsideView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/incidents/{incident_id}/take-back", response_model=IncidentView, status_code=201)
def take_back(
    here: Here, request: Request, user: Decider, incident_id: str, asked: TakeBackAsked
) -> Response:
    """Puts it in front again; 409 `aside_not_aside` where it is there."""

    def work(session: Session, at: dt.datetime) -> Answer:
        _known(session, here.compound, incident_id)
        row = putting_aside.take_back(
            session, incident_id, as_actor(user), at, expected_version=asked.expected_version
        )
        return 201, IncidentView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


def _known(session: Session, compound: str, incident_id: str) -> None:
    row = session.get(Incident, incident_id)
    if row is None or row.compound != compound:
        raise not_found("incident")
