"""From a decoded event to the row and the message that are committed together."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from bus.messages import CredentialUse, DeviceMatch, EventStored, Picture, PlateReading
from devices.adapters.contract import Reading
from devices.directory import DeviceFacts
from ingest.timing import Timing
from registry.passes.visiting import TOKEN_PREFIX, token_hash
from storage import content_id
from storage.columns import EncodedJson, to_microseconds

_encoder = msgspec.json.Encoder()
# Stands before the hash of a visitor's QR. No pass is found by it, so that a hash read from the
# event log opens nothing.
_HASHED = "RW1#"


class _Body(msgspec.Struct, frozen=True):
    track: str | None
    credential: CredentialUse | None
    plate: PlateReading | None
    match: DeviceMatch | None
    pictures: tuple[Picture, ...]
    attributes: dict[str, Any]


class Prepared(msgspec.Struct, frozen=True):
    """An event ready for the database: its message, what tells a re-send from a conflict, its body."""

    message: EventStored
    record_id: str
    content_hash: str
    body: EncodedJson

    def as_amendment(self) -> "Prepared":
        """The same, told as something that was known in part."""
        return msgspec.structs.replace(self, message=msgspec.structs.replace(self.message, amends=True))


def event_id(device_id: str, record_id: str, device_time: dt.datetime | None) -> str:
    """An event's identity: device × its record id × device time, as 32 hex digits.

    The first 12 are the device time in milliseconds, so that events of one time lie beside
    each other in the index; zeros where the device gave none, since ours would differ at
    every re-send.
    """
    if device_time is None:
        return "0" * 12 + content_id(device_id, record_id)[:20]
    microseconds = to_microseconds(device_time)
    moment = min(max(microseconds // 1000, 0), 0xFFFF_FFFF_FFFF)
    return f"{moment:012x}{content_id(device_id, record_id, str(microseconds))[:20]}"


def prepare(
    device: DeviceFacts,
    reading: Reading,
    device_time: dt.datetime | None,
    marks: tuple[str, ...],
    timing: Timing,
    received_at: dt.datetime,
    pictures: Sequence[Picture],
) -> Prepared:
    """Joins what the device said with what the registry knows. The reading must have a record id."""
    record_id = reading.record_id
    assert record_id is not None
    message = EventStored(
        id=event_id(device.device_id, record_id, device_time),
        compound=device.compound,
        device_id=device.device_id,
        type=reading.type,
        ring=device.ring,
        zone=device.zone,
        device_time=timing.device_time,
        at=timing.corrected_time,
        received_at=received_at,
        lane=device.lane,
        direction=reading.direction or device.direction,
        late=timing.late,
        track=reading.track,
        credential=_kept(reading.credential),
        plate=reading.plate,
        match=reading.match,
        pictures=tuple(pictures),
        attributes=reading.attributes,
        marks=marks + timing.marks,
        revision=reading.revision,
    )
    body = _encoder.encode(
        _Body(
            message.track,
            message.credential,
            message.plate,
            message.match,
            message.pictures,
            message.attributes,
        )
    )
    # The late flag is left out: a device that sends a record again may well set it then.
    content = hashlib.blake2b(body, digest_size=16)
    content.update(f"{reading.type}\x1f{reading.direction}".encode())
    return Prepared(message, record_id, content.hexdigest(), EncodedJson(body.decode()))


def _kept(shown: CredentialUse | None) -> CredentialUse | None:
    """A visitor's QR opens gates for whoever holds it: of it only the hash is stored and travels."""
    if shown is None or shown.ref is None or not shown.ref.lstrip().startswith(TOKEN_PREFIX):
        return shown
    return CredentialUse(shown.kind, _HASHED + token_hash(shown.ref))


def event_row(prepared: Prepared) -> tuple[Any, ...]:
    """The values of `storage.events.EVENT_COLUMNS`."""
    message = prepared.message
    return (
        message.id,
        message.compound,
        message.device_id,
        prepared.record_id,
        message.type,
        message.ring,
        message.zone,
        message.lane,
        message.direction,
        message.device_time,
        message.at,
        message.received_at,
        int(message.late),
        message.marks,
        prepared.body,
        prepared.content_hash,
        0,
        message.revision,
    )


def amendment_row(prepared: Prepared) -> dict[str, Any]:
    """The columns of `storage.events.EventAmendment`."""
    message = prepared.message
    return {
        "event_id": message.id,
        "revision": message.revision,
        "compound": message.compound,
        "type": message.type,
        "received_at": message.received_at,
        "marks": message.marks,
        "body": prepared.body,
        "content_hash": prepared.content_hash,
    }


def message_id(message: EventStored) -> str:
    """Under which the bus knows it: an amendment is not the message that it amends."""
    return f"{message.id}:{message.revision}" if message.amends else message.id
