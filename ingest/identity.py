"""An identity for what comes without one: from its bytes, its time, and the broker's own word."""

import datetime as dt
import hashlib
from typing import Final, cast

import msgspec
from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from devices.adapters.canonical import CRITICAL
from devices.adapters.contract import Reading
from devices.directory import DeviceFacts
from ingest.arrival import Arrival
from storage.events import EventRow

AGAIN_WITHIN: Final = dt.timedelta(hours=1)
"""How long after a message the broker's second delivery of it is looked for."""

ALARM_AGAIN_WITHIN: Final = dt.timedelta(minutes=2)
"""The same for alarms. What a broker held back for want of room is called a second delivery too, and
a press of a button that is taken for another one would be nobody's; within so short a time the
incident of the one before is still open."""

WRONG_AT_MOST: Final = dt.timedelta(days=2)
"""A device's time is taken for its own within a day of ours; a little more than twice that is searched."""

_events = cast("Table", EventRow.__table__)
_LIKE_IT = (
    select(_events.c.id)
    .where(
        _events.c.device_id == bindparam("device"),
        _events.c.corrected_time >= bindparam("since"),
        _events.c.record_id.like(bindparam("pattern")),
    )
    .limit(1)
)
_BEGUN = (
    select(_events.c.device_time)
    .where(
        _events.c.device_id == bindparam("device"),
        _events.c.record_id == bindparam("record"),
        _events.c.type == bindparam("type"),
        _events.c.device_time >= bindparam("since"),
        _events.c.device_time <= bindparam("until"),
        # For the index of a device's events by time.
        _events.c.corrected_time >= bindparam("lately"),
    )
    .order_by(_events.c.device_time)
    .limit(1)
)


def begun(session: Session, device: DeviceFacts, reading: Reading, told: dt.datetime) -> dt.datetime | None:
    """When the thing that a reading tells more of began, as it is stored; None where this is the first.

    `told` is the reading's own time, aware.
    """
    assert reading.within_s is not None
    asked = {
        "device": device.device_id,
        "record": reading.record_id,
        "type": reading.type,
        "since": told - dt.timedelta(seconds=reading.within_s),
        "until": told + dt.timedelta(seconds=reading.within_s),
        "lately": told - WRONG_AT_MOST,
    }
    return session.execute(_BEGUN, asked).scalar()


def named(session: Session, arrival: Arrival, device: DeviceFacts, reading: Reading) -> Reading | None:
    """The reading with a record id of our making; None where it is stored already.

    With a device time the bytes are identity enough. Without, two presses of one button are
    the same bytes: then the moment of arrival tells them apart, and only what the broker
    itself calls a second delivery is looked up.
    """
    if reading.record_id is not None:
        return reading
    said = hashlib.blake2b(arrival.payload, digest_size=12)
    said.update(f"\x1f{reading.type}\x1f{reading.device}\x1f{reading.point}\x1f{arrival.topic}".encode())
    head = f"~{said.hexdigest()}"
    marks = (*reading.marks, "no_record_id")
    if reading.device_time is not None:
        return msgspec.structs.replace(reading, record_id=head, marks=marks)
    if arrival.again and _is_stored(session, device, head, arrival.received_at, reading.type):
        return None
    # To the microsecond: two messages of one batch differ.
    record_id = f"{head}@{arrival.received_at.isoformat()}"
    return msgspec.structs.replace(reading, record_id=record_id, marks=marks)


def _is_stored(
    session: Session, device: DeviceFacts, head: str, received_at: dt.datetime, event_type: str
) -> bool:
    since = received_at - (ALARM_AGAIN_WITHIN if event_type in CRITICAL else AGAIN_WITHIN)
    asked = {"device": device.device_id, "since": since, "pattern": f"{head}@%"}
    row = session.execute(_LIKE_IT, asked).first()
    return row is not None
