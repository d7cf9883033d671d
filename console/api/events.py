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
from storage.amendments import later, newest, standing
from storage.events import EventAmendment, EventRow

router = APIRouter(tags=["events"])
Reader = Annotated[User, may(Action.EVENTS_READ)]


class EventTold(BaseModel):
    """What was known of an event at one time."""

    received_at: dt.datetime
    type: str
    marks: list[str]
    body: dict[str, Any]


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
    # When more became known of it last; it is shown as it stands since then. None where it was told once.
    amended_at: dt.datetime | None = None


class EventInFull(EventView):
    """`body` is everything decoded that has no field: pictures, plate, credential, attributes.

    `told` says how the event was told, first to last, one entry where it was told once.
    """

    body: dict[str, Any]
    told: list[EventTold]


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
        rows, cursor = newest_first(session, query, order, paging, _as_it_is)
        amended = newest(session, [row.id for row in rows if row.revision is not None])
        items = [_view(row, amended.get(row.id)) for row in standing(session, rows)]
        return Page(items=items, next_cursor=cursor)


@router.get("/events/{event_id}")
def event(here: Here, user: Reader, event_id: str, purpose: Purpose = Purpose.MONITORING) -> EventInFull:
    """One event with all its device said; the look is audited."""
    with here.database.write() as session:
        row = session.get(EventRow, event_id)
        if row is None or row.compound != here.compound:
            raise not_found("event")
        note_look(session, here.clock.now(), user, Look("event.viewed", purpose, f"event:{row.id}", row.type))
        told: list[EventRow | EventAmendment] = [row, *later(session, row)]
        history = [
            EventTold(received_at=one.received_at, type=one.type, marks=one.marks, body=one.body)
            for one in told
        ]
        (stands,) = standing(session, [row])
        view = _view(stands, told[-1] if len(told) > 1 else None)
        return EventInFull(**view.model_dump(), body=stands.body, told=history)


def _as_it_is(row: EventRow) -> EventRow:
    return row


def _view(row: EventRow, amendment: EventRow | EventAmendment | None) -> EventView:
    amended_at = None if amendment is None else amendment.received_at
    return EventView.model_validate(row).model_copy(update={"amended_at": amended_at})
