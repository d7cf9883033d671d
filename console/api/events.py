"""The event log. The list tells what happened where; who it was is a look of its own, audited."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import select

from console.accounts.models import User
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, may
from console.problems import not_found
from storage.events import EventRow

router = APIRouter(tags=["events"])
Reader = Annotated[User, may(Action.EVENTS_READ)]


class EventView(BaseModel):
    """An event without what its device said of people, plates and credentials."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    device_id: str
    record_id: str
    type: str
    ring: str
    zone: str
    lane: str | None
    direction: str | None
    device_time: dt.datetime
    corrected_time: dt.datetime
    received_at: dt.datetime
    late: bool
    marks: list[str]
    resent: int


class EventInFull(EventView):
    """`body` is everything decoded that has no field: pictures, plate, credential, attributes."""

    body: dict[str, Any]


@router.get("/events")
def events(
    here: Here,
    _: Reader,
    paging: Asked,
    *,
    event_type: Annotated[str | None, Query(alias="type", max_length=64)] = None,
    device: Annotated[str | None, Query(max_length=64)] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> Page[EventView]:
    """Events, newest first by corrected time; `from` is included, `to` is not."""
    query = select(EventRow).where(EventRow.compound == here.compound)
    if event_type is not None:
        query = query.where(EventRow.type == event_type)
    if device is not None:
        query = query.where(EventRow.device_id == device)
    if since is not None:
        query = query.where(EventRow.corrected_time >= since)
    if until is not None:
        query = query.where(EventRow.corrected_time < until)
    with here.database.read() as session:
        order = (EventRow.corrected_time, EventRow.id)
        items, cursor = newest_first(session, query, order, paging, EventView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.get("/events/{event_id}")
def event(here: Here, user: Reader, event_id: str, purpose: Purpose = Purpose.MONITORING) -> EventInFull:
    """One event with all its device said; the look is audited."""
    with here.database.write() as session:
        row = session.get(EventRow, event_id)
        if row is None or row.compound != here.compound:
            raise not_found("event")
        note_look(session, here.clock.now(), user, Look("event.viewed", purpose, f"event:{row.id}", row.type))
        return EventInFull.model_validate(row)
