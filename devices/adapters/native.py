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
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, ClassVar, Literal, TypeVar

import msgspec

from bus import subjects
from bus.messages import CredentialUse, DeviceMatch, PlateReading
from devices.adapters.canonical import EVENT_TYPES, without_sensitive
from devices.adapters.contract import (
    COMMANDS,
    MAX_BYTES,
    MAX_PICTURES,
    Adapter,
    CommandResult,
    Decoded,
    HttpReply,
    Incoming,
    Order,
    Outgoing,
    Reading,
    Refusal,
    RefusedError,
    Rights,
    SignOfLife,
)
from devices.adapters.fields import add_picture, as_utc, mark

_T = TypeVar("_T")


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


_LEAVES = frozenset(["event", "state", "result"])
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


def decode_event(payload: bytes) -> Reading:
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
        attributes = without_sensitive(attributes)
    device_time = None
    if event.at is None:
        marks.append("time_missing")
    else:
        device_time = parse_time(event.at)
    pictures = _pictures(event.images, marks) if event.images else ()
    return Reading(
        event.type,
        event.id,
        device_time,
        None,
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


def decode_state(payload: bytes) -> tuple[bool, dt.datetime | None]:
    """Reads a sign of life as (online, device time). Raises `RefusedError`."""
    state = _decode(payload, _states)
    return state.status == "online", None if state.at is None else parse_time(state.at)


def record_id_of(payload: bytes) -> str | None:
    """The record id of a message that was refused, where there is one to be found."""
    if len(payload) > MAX_BYTES:
        return None
    try:
        found = _ids.decode(payload).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if found is not None and len(found) <= 200 else None


def parse_time(text: str) -> dt.datetime:
    """An ISO 8601 time: aware UTC, or naive where it names no zone. Raises `RefusedError`."""
    try:
        return as_utc(dt.datetime.fromisoformat(text))
    except ValueError:
        raise RefusedError("invalid_field", "at must be an ISO 8601 time") from None
    except OverflowError:
        raise RefusedError("invalid_field", "at is out of range") from None


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
    pictures: list[tuple[str, bytes]] = []
    for image in images:
        rest = image.jpeg.partition(",")[2] if image.jpeg.startswith("data:") else image.jpeg
        try:
            content = base64.b64decode(rest, validate=True)
        except (binascii.Error, ValueError):
            mark(marks, "bad_base64")
            continue
        add_picture(content, image.role, pictures, marks)
    return tuple(pictures)


class NativePersonResult(msgspec.Struct, frozen=True):
    ref: str
    ok: bool = True
    code: str = ""
    text: str = ""


class NativeResult(msgspec.Struct, frozen=True):
    """A device's answer to a command, on `up/result`; `people` for person lists, one by one."""

    id: str
    ok: bool
    v: Literal[1] = 1
    code: str = ""
    text: str = ""
    people: list[NativePersonResult] = []


_results = msgspec.json.Decoder(NativeResult, strict=False)


def decode_result(payload: bytes) -> CommandResult:
    """Reads an answer to a command. Raises `RefusedError`."""
    said = _decode(payload, _results)
    people = tuple((one.ref, one.ok, one.code, one.text) for one in said.people)
    return CommandResult(said.id[:64], said.ok, said.code, said.text, people=people)


class _Reply(msgspec.Struct, omit_defaults=True):
    # The device's record id; None where the message was too broken to hold one.
    id: str | None
    ok: bool
    reason: str | None = None


class NativeAdapter(Adapter):
    """Devices without an adapter of their own, the simulator, integrators."""

    name = "native"
    title = "Ringward native"
    aliases = ("ringward", "rw")
    topics = (subjects.MQTT_UPLINK,)
    pushes = True
    heartbeat_s = 30
    commands = COMMANDS
    enrol_limit = 100
    delete_limit = 200
    fields: ClassVar[Mapping[str, str]] = {
        "id": "record_id",
        "type": "type",
        "at": "device_time",
        "late": "late",
        "direction": "direction",
        "track": "track",
        "credential": "credential",
        "plate": "plate",
        "match": "match",
        "images": "pictures",
        "attributes": "attributes",
    }

    def decode(self, message: Incoming) -> Decoded:
        leaf, sender, down = _place(message.topic)
        if leaf == "state":
            # A device that clears its retained state sends an empty payload; it says nothing.
            if not message.body:
                return Decoded(sender, ignored="cleared_state")
            online, device_time = decode_state(message.body)
            return Decoded(sender, signs=(SignOfLife(online, device_time),))
        if leaf == "result":
            return Decoded(sender, results=(decode_result(message.body),))
        reading = decode_event(message.body)
        told = msgspec.json.encode(_Reply(reading.record_id, ok=True))
        return Decoded(
            sender,
            (reading,),
            answers=(Outgoing(f"{down}/ack", told),) if down else (),
            reply=HttpReply(told, "application/json"),
        )

    def refused(self, message: Incoming, reason: str) -> Refusal:
        try:
            leaf, _, down = _place(message.topic)
        except RefusedError:
            return Refusal()
        if leaf != "event":
            return Refusal()
        told = msgspec.json.encode(_Reply(record_id_of(message.body), ok=False, reason=reason))
        return Refusal(
            (Outgoing(f"{down}/ack", told),) if down else (), HttpReply(told, "application/json", 422)
        )

    def encode(self, order: Order) -> tuple[Outgoing, ...]:
        body: dict[str, Any] = {
            "v": 1,
            "id": order.id,
            "kind": order.kind,
            "at": order.at,
            "expires_at": order.expires_at,
            "arguments": dict(order.arguments),
        }
        if order.people:
            body["people"] = order.people
        if order.refs:
            body["refs"] = order.refs
        topic = subjects.downlink(order.compound, order.external_id, "command")
        return (Outgoing(topic, msgspec.json.encode(body), qos=1),)

    def rights(self, external_id: str) -> Rights:
        branch = f"{subjects.MQTT_ROOT}/+/{external_id}"
        return Rights((f"{branch}/up/#",), (f"{branch}/down/#",))


@lru_cache(4096)
def _place(topic: str) -> tuple[str, str | None, str | None]:
    """(leaf, device, topic of its down branch): the last two None where it was pushed by HTTP."""
    # Pushed by HTTP it is a path.
    if topic.removeprefix("/") in _LEAVES:
        return topic.removeprefix("/"), None, None
    parts = topic.split("/")
    if len(parts) != 6 or parts[4] != "up" or parts[5] not in _LEAVES:
        raise RefusedError("wrong_topic", "expected rw/v1/{compound}/{device}/up/event, …/state or …/result")
    return parts[5], parts[3], f"{topic.rpartition('/up/')[0]}/down"
