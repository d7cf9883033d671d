"""From a decoded event to the row and the message that are committed together."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from bus.messages import CredentialUse, DeviceMatch, EventStored, Picture, PlateReading
from devices.directory import DeviceFacts
from ingest.native import Decoded
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
    decoded: Decoded,
    timing: Timing,
    received_at: dt.datetime,
    pictures: Sequence[Picture],
) -> Prepared:
    """Joins what the device said with what the registry knows."""
    message = EventStored(
        id=event_id(device.device_id, decoded.record_id, decoded.device_time),
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
        credential=_kept(decoded.credential),
        plate=decoded.plate,
        match=decoded.match,
        pictures=tuple(pictures),
        attributes=decoded.attributes,
        marks=decoded.marks + timing.marks,
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
    content.update(f"{decoded.type}\x1f{decoded.direction}".encode())
    return Prepared(message, decoded.record_id, content.hexdigest(), EncodedJson(body.decode()))


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
    )
