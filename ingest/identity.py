"""An identity for what comes without one: from its bytes, its time, and the broker's own word."""

import datetime as dt
import hashlib
from typing import Final, cast

import msgspec
from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from devices.adapters.contract import Reading
from devices.directory import DeviceFacts
from ingest.arrival import Arrival
from storage.events import EventRow

AGAIN_WITHIN: Final = dt.timedelta(hours=1)
"""How long after a message the broker's second delivery of it is looked for."""

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
    if arrival.again and _is_stored(session, device, head, arrival.received_at):
        return None
    # To the microsecond: two messages of one batch differ.
    record_id = f"{head}@{arrival.received_at.isoformat()}"
    return msgspec.structs.replace(reading, record_id=record_id, marks=marks)


def _is_stored(session: Session, device: DeviceFacts, head: str, received_at: dt.datetime) -> bool:
    since = received_at - AGAIN_WITHIN
    asked = {"device": device.device_id, "since": since, "pattern": f"{head}@%"}
    row = session.execute(_LIKE_IT, asked).first()
    return row is not None
