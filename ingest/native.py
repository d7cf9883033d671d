"""The native event format: what a device may say, and how it is read.

| field | meaning |
|---|---|
| v | version, 1 |
| id | the device's own record id, 1…200 characters |
| type | canonical event type |
| at | device time, ISO 8601; without a zone the compound's zone is assumed |
| late | true when the device re-sends after an outage |
| direction | in, out |
| track, credential, plate, match | see `bus.messages` |
| images | [{"role": …, "jpeg": base64}] |
| attributes | anything else; unknown top-level fields land there too |
"""

import base64
import binascii
import datetime as dt
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal, TypeVar

import msgspec

from bus.messages import CredentialUse, DeviceMatch, PlateReading

_T = TypeVar("_T")

MAX_BYTES = 8 * 1024 * 1024
MAX_PICTURES = 8

# The canonical list of event types; a device that says another is not understood.
EVENT_TYPES = frozenset(
    [
        "access.granted",
        "access.denied",
        "access.duress",
        "door.opened",
        "door.closed",
        "door.forced",
        "door.held_open",
        "face.captured",
        "face.identified",
        "face.unknown",
        "face.uncertain",
        "plate.recognised",
        "plate.none",
        "barrier.opened",
        "barrier.closed",
        "vehicle.stranded",
        "vehicle.turned_back",
        "parking.overstay",
        "video.line_crossing",
        "video.intrusion",
        "video.loitering",
        "video.crowd",
        "video.tailgating",
        "video.fast_move",
        "video.fall",
        "video.climb",
        "video.object_left",
        "video.object_removed",
        "video.fight",
        "video.absence_from_post",
        "video.parabolic",
        "video.ebike_in_lift",
        "video.fire_lane_blocked",
        "video.fire_smoke",
        "video.person_count",
        "video.occlusion",
        "video.lost",
        "alarm.sos",
        "alarm.smoke",
        "alarm.intrusion",
        "device.online",
        "device.offline",
        "device.tamper",
        "device.fault",
        "device.time_skew",
        "visitor.registered",
        "visitor.checked_in",
        "visitor.checked_out",
        "visitor.expired",
        "patrol.checkin",
        "care.activity",
        "report.created",
    ]
)

# What a device may infer about a person and we do not want to know (L-13): dropped unread.
SENSITIVE = frozenset(
    [
        "age",
        "ageGroup",
        "age_group",
        "gender",
        "sex",
        "glasses",
        "mask",
        "isNoMask",
        "ethnicity",
        "ethnic",
        "EthicCode",
        "race",
        "emotion",
        "beard",
        "hair",
        "skin",
        "religion",
    ]
)
_SENSITIVE_SPELLINGS = frozenset(name.lower().replace("_", "") for name in SENSITIVE)

# Deeper than any vendor nests; every reader of the message must still be able to follow.
MAX_DEPTH = 32


class NativeImage(msgspec.Struct, frozen=True):
    role: Literal["face", "plate", "body", "scene", "vehicle"]
    jpeg: str


class NativeEvent(msgspec.Struct, frozen=True):
    """The wire form, before anything is believed."""

    id: str
    type: str
    v: Literal[1] = 1
    at: str | None = None
    late: bool = False
    direction: Literal["in", "out"] | None = None
    track: str | None = None
    credential: CredentialUse | None = None
    plate: PlateReading | None = None
    match: DeviceMatch | None = None
    images: list[NativeImage] = []
    attributes: dict[str, Any] = {}


class NativeState(msgspec.Struct, frozen=True):
    """A device's sign of life, retained; the last will says offline and cannot know the time."""

    status: Literal["online", "offline"]
    v: Literal[1] = 1
    at: str | None = None


class Decoded(msgspec.Struct, frozen=True):
    """A native event that was understood. `pictures` are (role, bytes) not yet stored."""

    record_id: str
    type: str
    device_time: dt.datetime | None
    late: bool
    direction: str | None
    track: str | None
    credential: CredentialUse | None
    plate: PlateReading | None
    match: DeviceMatch | None
    pictures: tuple[tuple[str, bytes], ...]
    attributes: dict[str, Any]
    marks: tuple[str, ...]


class RefusedError(Exception):
    """A message that cannot be an event. `reason` is a code, `detail` the fact behind it."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


_KNOWN = frozenset(NativeEvent.__struct_fields__)
# Vendors send numbers as text now and then: "0.93" is read as 0.93.
_events = msgspec.json.Decoder(NativeEvent, strict=False)
_states = msgspec.json.Decoder(NativeState, strict=False)


class _OnlyId(msgspec.Struct):
    id: str | None = None


_ids = msgspec.json.Decoder(_OnlyId, strict=False)


class _KnownOnly(NativeEvent, frozen=True, forbid_unknown_fields=True):
    """Most devices send what is known and nothing else: then one reading is enough."""


_known_events = msgspec.json.Decoder(_KnownOnly, strict=False)
# The fields' names without their values.
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_anything = msgspec.json.Decoder(dict[str, Any])


def decode_event(payload: bytes, zone: dt.tzinfo) -> Decoded:
    """Reads an event. Raises `RefusedError`; a bad picture only marks the event."""
    event, unknown = _read(payload)
    marks: list[str] = []
    if not 1 <= len(event.id) <= 200:
        raise RefusedError("invalid_field", "id must have 1…200 characters")
    if "\0" in event.id:
        # PostgreSQL has no text with a zero character in it.
        raise RefusedError("invalid_field", "id must not hold a zero character")
    if event.type not in EVENT_TYPES:
        raise RefusedError("unknown_type", event.type[:64])
    _check_ranges(event)
    attributes = event.attributes
    if unknown:
        marks.append("unknown_fields")
        everything = _decode(payload, _anything)
        attributes = attributes | {name: everything[name] for name in unknown}
    if attributes:
        attributes = _without_sensitive(attributes)
    device_time = None
    if event.at is None:
        marks.append("time_missing")
    else:
        device_time, assumed = parse_time(event.at, zone)
        if assumed:
            marks.append("zone_assumed")
    pictures = _pictures(event.images, marks) if event.images else ()
    return Decoded(
        event.id,
        event.type,
        device_time,
        event.late,
        event.direction,
        event.track,
        event.credential,
        event.plate,
        event.match,
        pictures,
        attributes,
        tuple(marks),
    )


def _read(payload: bytes) -> tuple[NativeEvent, frozenset[str]]:
    """The event, and the names of its fields that are not of the format."""
    if len(payload) <= MAX_BYTES:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _known_events.decode(payload), frozenset()
    event = _decode(payload, _events)
    return event, frozenset(_decode(payload, _fields).keys() - _KNOWN)


def decode_state(payload: bytes, zone: dt.tzinfo) -> tuple[bool, dt.datetime | None]:
    """Reads a sign of life as (online, device time). Raises `RefusedError`."""
    state = _decode(payload, _states)
    return state.status == "online", None if state.at is None else parse_time(state.at, zone)[0]


def record_id_of(payload: bytes) -> str | None:
    """The record id of a message that was refused, where there is one to be found."""
    if len(payload) > MAX_BYTES:
        return None
    try:
        found = _ids.decode(payload).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if found is not None and len(found) <= 200 else None


def parse_time(text: str, zone: dt.tzinfo) -> tuple[dt.datetime, bool]:
    """An ISO 8601 time as aware UTC, and whether its zone had to be assumed."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError("invalid_field", "at must be an ISO 8601 time") from None
    try:
        if moment.tzinfo is None:
            return moment.replace(tzinfo=zone).astimezone(dt.UTC), True
        return moment.astimezone(dt.UTC), False
    except OverflowError:
        raise RefusedError("invalid_field", "at is out of range") from None


def _without_sensitive(value: Any, depth: int = 0) -> Any:
    """The value without sensitive keys, at whatever depth and in whatever case a vendor hid them."""
    if depth > MAX_DEPTH:
        raise RefusedError("invalid_field", f"attributes are nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        return {
            name: _without_sensitive(item, depth + 1)
            for name, item in value.items()
            if not _is_sensitive(name)
        }
    if isinstance(value, list):
        return [_without_sensitive(item, depth + 1) for item in value]
    return value


@lru_cache(4096)
def _is_sensitive(name: str) -> bool:
    return name.lower().replace("_", "").replace("-", "") in _SENSITIVE_SPELLINGS


def _decode(payload: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
    if len(payload) > MAX_BYTES:
        raise RefusedError("too_large", f"{len(payload)} bytes, at most {MAX_BYTES}")
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError as error:
        kind = _kind_of(payload)
        if kind != "dict":
            raise RefusedError("not_an_object", f"the message is {kind}") from None
        raise RefusedError("invalid_field", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError("malformed_json", str(error)[:200]) from None
    except RecursionError:
        raise RefusedError("malformed_json", "nested too deeply") from None


def _kind_of(payload: bytes) -> str:
    # A wrong type stops the reader early: what follows may not be JSON at all.
    try:
        return type(msgspec.json.decode(payload)).__name__
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError("malformed_json", str(error)[:200]) from None
    except RecursionError:
        raise RefusedError("malformed_json", "nested too deeply") from None


def _check_ranges(event: NativeEvent) -> None:
    for name, score in (
        ("plate.confidence", event.plate.confidence if event.plate else None),
        ("match.score", event.match.score if event.match else None),
    ):
        if score is not None and not 0.0 <= score <= 1.0:
            raise RefusedError("invalid_field", f"{name} must lie in 0…1")
    if event.plate and event.plate.text and len(event.plate.text) > 32:
        raise RefusedError("invalid_field", "plate.text is longer than 32 characters")
    if len(event.images) > MAX_PICTURES:
        raise RefusedError("invalid_field", f"more than {MAX_PICTURES} images")


def _pictures(images: list[NativeImage], marks: list[str]) -> tuple[tuple[str, bytes], ...]:
    pictures = []
    for image in images:
        text = image.jpeg
        if text.startswith("data:"):
            text = text.partition(",")[2]
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            _mark(marks, "bad_base64")
            continue
        if not content:
            _mark(marks, "picture_unreadable")
            continue
        if content[:8] == b"\x89PNG\r\n\x1a\n":
            _mark(marks, "png_named_jpeg")
        elif content[:3] != b"\xff\xd8\xff":
            _mark(marks, "picture_unreadable")
        elif b"\xff\xd9" not in content[-64:]:
            # Kept all the same: what there is of it may be all the evidence there is.
            _mark(marks, "picture_truncated")
        pictures.append((image.role, content))
    return tuple(pictures)


def _mark(marks: list[str], code: str) -> None:
    if code not in marks:
        marks.append(code)
