"""Events about a device that no message of its own carries: it came, went, floods, its clock is off."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from bus import subjects
from bus.messages import EventStored, encode
from devices.directory import DeviceFacts
from storage import content_id, tracing
from storage.events import EventRow, enqueue_of_events


def notice(
    session: Session,
    device: DeviceFacts,
    event_type: str,
    at: dt.datetime,
    attributes: Mapping[str, Any],
    *,
    late: bool = False,
) -> EventStored:
    """Stores and tells an event that is ours, of the moment `at`: of a device and type there is one.

    No device time is known of it: all three clocks are ours.
    """
    record = f"{event_type}@{at.isoformat()}"
    message = EventStored(
        id=content_id(device.device_id, event_type, at.isoformat()),
        compound=device.compound,
        device_id=device.device_id,
        type=event_type,
        ring=device.ring,
        zone=device.zone,
        device_time=at,
        at=at,
        received_at=at,
        lane=device.lane,
        late=late,
        attributes=dict(attributes),
    )
    session.execute(
        insert(EventRow).values(
            id=message.id,
            compound=message.compound,
            device_id=message.device_id,
            record_id=record,
            type=event_type,
            ring=message.ring,
            zone=message.zone,
            lane=message.lane,
            direction=None,
            device_time=at,
            corrected_time=at,
            received_at=at,
            late=late,
            marks=[],
            body={"attributes": message.attributes},
            content_hash="",
        )
    )
    enqueue_of_events(
        session,
        [(message.id, message.id, subjects.event(device.compound, device.ring, event_type), encode(message))],
    )
    tracing.taken_in(
        message.id,
        at,
        name="notice",
        event_type=event_type,
        compound=device.compound,
        ring=device.ring,
        late=late,
    )
    return message
