"""Reading stored events and sightings back as the messages they once were."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from bus.messages import CredentialUse, DeviceMatch, EventStored, Message, Picture, PlateReading
from ingest import matches
from recognition.models import DecisionRow
from recognition.work.telling import sighting_of, was_told
from storage import Database
from storage.amendments import standing
from storage.events import EventRow


class _Body(msgspec.Struct):
    track: str | None = None
    credential: CredentialUse | None = None
    plate: PlateReading | None = None
    match: DeviceMatch | None = None
    pictures: tuple[Picture, ...] = ()
    attributes: dict[str, Any] = {}


def event_message(row: EventRow) -> EventStored:
    """The message that was committed with this row; of an event as it stands, what would be told now.

    Whom a terminal's match means is not among it: see `ingest.matches`.
    """
    body = msgspec.convert(row.body, _Body)
    return EventStored(
        id=row.id,
        compound=row.compound,
        device_id=row.device_id,
        type=row.type,
        ring=row.ring,
        zone=row.zone,
        device_time=row.device_time,
        at=row.corrected_time,
        received_at=row.received_at,
        lane=row.lane,
        direction=row.direction,
        late=bool(row.late),
        track=body.track,
        credential=body.credential,
        plate=body.plate,
        match=body.match,
        pictures=body.pictures,
        attributes=body.attributes,
        marks=tuple(row.marks),
        revision=row.revision,
    )


def replay(database: Database, compound: str, since: dt.datetime) -> Sequence[Message]:
    """Events, as they stand now, and sightings of a compound since a moment, in order of corrected time."""
    with database.read() as session:
        rows = session.scalars(
            select(EventRow).where(EventRow.compound == compound, EventRow.corrected_time >= since)
        ).all()
        messages = [event_message(row) for row in standing(session, rows)]
        events = {message.id: message for message in matches.resolved(session, messages)}
        decisions = session.scalars(
            select(DecisionRow).where(DecisionRow.compound == compound, DecisionRow.at >= since, was_told())
        )
        # Nothing is opened by a replay, however soon after.
        sightings = [
            msgspec.structs.replace(sighting_of(events[row.event_id], row), valid_until=None)
            for row in decisions
            if row.event_id in events
        ]
    told: list[EventStored] | list[Any] = [*events.values(), *sightings]
    return sorted(told, key=lambda message: (message.at, message.id))
