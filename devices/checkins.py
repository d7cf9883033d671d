"""A visitor whom a guard let in or saw leave, as an event of the guard's lane.

No device saw it; without it the rules would take whoever walks in on a pass for somebody who
slipped in (R-E01), and the car a guard has just written down for an unknown one (R-E04).
"""

import datetime as dt

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bus import subjects
from bus.messages import EventStored, encode
from devices.models import Device
from registry.errors import MissingError
from registry.models import PassDirection, VisitorPass, Zone
from storage import content_id, tracing
from storage.columns import to_microseconds
from storage.events import EventRow, enqueue_of_events

_TYPES = {PassDirection.IN: "visitor.checked_in", PassDirection.OUT: "visitor.checked_out"}


def note(
    session: Session,
    visitor_pass: VisitorPass,
    zone: str,
    lane: str,
    at: dt.datetime,
    *,
    use_id: str,
    direction: PassDirection,
    received_at: dt.datetime | None = None,
    late: bool = False,
) -> str:
    """Stores and tells the event; returns its id. Raises `MissingError("lane")`.

    It hangs on the first of the lane's devices, as everything that happens in a lane does,
    and names the pass, never the visitor. `late`: noted without a network and told afterwards, at
    `received_at`; it completes the history, and no rule hears it as news.
    """
    received_at = received_at or at
    place = session.execute(
        select(Device.id, Zone.ring)
        .join(Zone, Zone.id == Device.zone)
        .where(Device.compound == visitor_pass.compound, Device.zone == zone, Device.lane == lane)
        .order_by(Device.id)
        .limit(1)
    ).first()
    if place is None:
        raise MissingError("lane")
    moment = to_microseconds(at) // 1000
    message = EventStored(
        # By time first, as all events, so that those of one time lie beside each other.
        id=f"{moment:012x}{content_id(visitor_pass.id, use_id)[:20]}",
        compound=visitor_pass.compound,
        device_id=place.id,
        type=_TYPES[direction],
        ring=place.ring,
        zone=zone,
        device_time=at,
        at=at,
        received_at=received_at,
        late=late,
        lane=lane,
        direction=str(direction),
        attributes={"visitor_pass": visitor_pass.id},
    )
    session.execute(
        insert(EventRow).values(
            id=message.id,
            compound=message.compound,
            device_id=message.device_id,
            record_id=f"pass:{use_id}",
            type=message.type,
            ring=message.ring,
            zone=message.zone,
            lane=message.lane,
            direction=message.direction,
            device_time=at,
            corrected_time=at,
            received_at=received_at,
            late=late,
            marks=[],
            body={"attributes": message.attributes},
            content_hash="",
        )
    )
    subject = subjects.event(message.compound, message.ring, message.type)
    enqueue_of_events(session, [(message.id, message.id, subject, encode(message))])
    tracing.taken_in(
        message.id,
        received_at,
        name="notice",
        event_type=message.type,
        compound=message.compound,
        ring=message.ring,
        late=late,
    )
    return message.id
