"""From a decoded event to the row and the message that are committed together."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from bus.messages import EventStored, Picture
from devices.directory import DeviceFacts
from ingest.native import Decoded
from ingest.timing import Timing
from storage import content_id

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Prepared:
    """An event ready for the database: its message, what tells a re-send from a conflict, its body."""

    message: EventStored
    record_id: str
    content_hash: str
    body: dict[str, Any]


def prepare(
    device: DeviceFacts,
    decoded: Decoded,
    timing: Timing,
    received_at: dt.datetime,
    pictures: Sequence[Picture],
) -> Prepared:
    """Joins what the device said with what the registry knows."""
    message = EventStored(
        id=content_id(device.device_id, decoded.record_id, timing.device_time.isoformat()),
        compound=device.compound,
        device_id=device.device_id,
        type=decoded.type,
        ring=device.ring,
        zone=device.zone,
        device_time=timing.device_time,
        at=timing.corrected_time,
        received_at=received_at,
        lane=device.lane,
        direction=decoded.direction or device.direction,
        late=timing.late,
        track=decoded.track,
        credential=decoded.credential,
        plate=decoded.plate,
        match=decoded.match,
        pictures=tuple(pictures),
        attributes=decoded.attributes,
        marks=decoded.marks + timing.marks,
    )
    body = {
        "track": message.track,
        "credential": message.credential,
        "plate": message.plate,
        "match": message.match,
        "pictures": message.pictures,
        "attributes": message.attributes,
    }
    # The late flag is left out: a device that sends a record again may well set it then.
    content = _encoder.encode((decoded.type, decoded.direction, body))
    return Prepared(message, decoded.record_id, hashlib.blake2b(content, digest_size=16).hexdigest(), body)


def event_row(prepared: Prepared) -> dict[str, Any]:
    """The columns of `storage.events.EventRow`."""
    message = prepared.message
    return {
        "id": message.id,
        "compound": message.compound,
        "device_id": message.device_id,
        "record_id": prepared.record_id,
        "type": message.type,
        "ring": message.ring,
        "zone": message.zone,
        "lane": message.lane,
        "direction": message.direction,
        "device_time": message.device_time,
        "corrected_time": message.at,
        "received_at": message.received_at,
        "late": message.late,
        "marks": message.marks,
        "body": prepared.body,
        "content_hash": prepared.content_hash,
    }
