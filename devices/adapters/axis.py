"""Axis cameras, intercoms and door controllers: the device's own MQTT event bridge, and the pushes of
AXIS License Plate Verifier and its kin.

Quirks, each with a test:
- the serial number is the MAC, with or without colons, in the topic, in the payload, or in both;
- a topic carries its source's values behind `$source`, and namespaces as levels of their own;
- every value is text: "1" and "0" for booleans, "112.000000" for numbers;
- an empty payload is legal;
- one passage is told as new, update and lost under one car id, and its plate may change on the way;
- how things stand is told whenever the camera connects, as a change is: a state that holds no more is
  an end only where the message says since when (`resetTime` of AXIS Object Analytics);
- a crossing counter tells totals: who crossed is in `reason`.

Sources: developer.axis.com (MQTT, AXIS Object Analytics, License plate verifier API), the vendor's
application manuals, and integrators' captures.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from bus.messages import CredentialUse
from devices.adapters.axis_plates import PRIVATE, decoded_plate, is_plate, time_of
from devices.adapters.contract import (
    Adapter,
    Decoded,
    HttpReply,
    Incoming,
    Reading,
    Refusal,
    RefusedError,
    Rights,
    SignOfLife,
)
from devices.adapters.endings import over
from devices.adapters.fields import (
    flag,
    integer,
    section,
    text,
)
from devices.adapters.leftovers import leftovers
from devices.adapters.lenient import read_push
from devices.adapters.onvif_topics import Meaning, at_rest, levelled, meaning

_APPLICATIONS: Final = "cameraapplicationplatform"
# Applications of the camera, and what their alarm means.
_ANALYTICS: Final[Mapping[str, str]] = {
    "fenceguard": "video.line_crossing",
    "loiteringguard": "video.loitering",
    "perimeterdefender": "video.intrusion",
    "tailgatingdetector": "video.tailgating",
    "objectremoval": "video.object_removed",
    "leftobject": "video.object_left",
    "falldetector": "video.fall",
    "queuemonitor": "video.crowd",
}
_UNWATCHED: Final = frozenset(
    ["vmd", "vmd3", "motionguard", "objectdwelltimer", "parking", "radar", "soundintelligence", "ppe"]
)
# Scenarios of AXIS Object Analytics, by the word that the event or its configuration has for them.
_SCENARIOS: Final[Mapping[str, str]] = {
    "crossline": "video.line_crossing",
    "crosslinecounting": "video.person_count",
    "passagecounts": "video.person_count",
    "fence": "video.line_crossing",
    "line": "video.line_crossing",
    "motion": "video.intrusion",
    "objectinarea": "video.intrusion",
    "timeinarea": "video.loitering",
    "loitering": "video.loitering",
    "occupancyinarea": "video.crowd",
    "occupancy": "video.crowd",
    "tailgating": "video.tailgating",
}
_READ: Final = frozenset(
    [
        "scenario", "scenarioType", "reason", "active", "objectId", "classTypes", "triggerTime", "startTime",
        "resetTime", "state", "State", "Reason", "Card", "AccessPointToken", "DoorToken", "CredentialToken",
    ]
)  # fmt: skip
_MAC: Final = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}")


class AxisAdapter(Adapter):
    """`axis/{serial}/event/…` and the HTTP push of plate readers."""

    name = "axis"
    title = "Axis"
    topics = ("axis/#",)
    pushes = True
    # `customTopicPrefix` of the device's MQTT publication.
    root = "axis"
    fields: ClassVar[Mapping[str, str]] = {
        "topic": "type, attributes.topic",
        "timestamp": "device_time",
        "serial": "sender",
        "message.source": "attributes",
        "message.key": "attributes",
        "message.data.active": "the event where it is 1",
        "message.data.state": "the event where it is 1; door.opened, door.closed",
        "message.data.scenario": "type",
        "message.data.reason": "attributes.object; attributes.reason of a refusal",
        "message.data.classTypes": "attributes.object",
        "message.data.objectId": "track, record_id",
        "message.data.triggerTime": "device_time",
        "message.data.resetTime": "device_time of an end, attributes.ended",
        "message.data.total": "attributes.counts",
        "message.data.text": "plate.text",
        "message.data.lpConfidence": "plate.confidence",
        "message.data.carID": "record_id",
        "message.data.carState": "revision",
        "message.data.carMoveDirection": "direction",
        "message.data.capture_timestamp": "device_time",
        "plateText": "plate.text",
        "plateUTF8": "plate.text",
        "plateASCII": "plate.text",
        "plateConfidence": "plate.confidence",
        "plateCountry": "attributes.country",
        "carID": "record_id",
        "carState": "revision",
        "carMoveDirection": "direction",
        "capture_timestamp": "device_time",
        "camera_info.SerialNumber": "sender",
        "vehicle_info.brand": "attributes.brand",
        "listName": "attributes.list",
        "imageArray": "pictures",
        "description": "sign of life where it is Connected or Connection lost",
    }

    def decode(self, message: Incoming) -> Decoded:
        levels = message.topic.split("/")
        over_mqtt = levels[0] == self.root
        if not over_mqtt and message.content_type is None and message.topic[:1] not in {"", "/"}:
            raise RefusedError("wrong_topic", f"expected {self.root}/…")
        named = _serial_in(levels) if over_mqtt else None
        if not message.body.strip():
            if over_mqtt:
                return Decoded(named, ignored="cleared_state")
            raise RefusedError("malformed_json", "nothing was sent")
        data, contents = read_push(message.body, message.content_type)
        reply = None if over_mqtt else _reply(message)
        sender = _serial(data) or named
        if is_plate(data):
            return decoded_plate(data, data, contents, sender, reply)
        told = section(data, "message")
        if not told:
            return _connection(data, sender, reply)
        return _event(data, told, levels, sender, reply)

    def refused(self, message: Incoming, reason: str) -> Refusal:
        _ = reason
        return Refusal() if message.topic.startswith(f"{self.root}/") else Refusal(reply=_reply(message))

    def rights(self, external_id: str) -> Rights:
        return Rights(publish=(f"{self.root}/{external_id}/#",))


def _reply(message: Incoming) -> HttpReply | None:
    if message.content_type is None and not message.topic.startswith("/"):
        return None
    # FF-Events look for a JSON status; others for the 200 alone.
    return HttpReply(b'{"status":"ok"}', "application/json")


def _serial_in(levels: list[str]) -> str | None:
    """`axis/{serial}/event/…`, also where the installer put levels before the serial number."""
    for level in levels[1:]:
        if level == "event":
            return None
        if _MAC.fullmatch(level):
            return _plain_serial(level)
    return _plain_serial(levels[1]) if len(levels) > 2 and levels[2] == "event" else None


def _serial(data: Mapping[str, Any]) -> str | None:
    camera = section(data, "camera_info")
    for found in (
        data.get("serial"),
        camera.get("SerialNumber"),
        camera.get("MACAddress"),
        data.get("cameraId"),
    ):
        said = text(found)
        if said is not None:
            return _plain_serial(said)
    return None


def _plain_serial(said: str) -> str:
    """A serial number that is a MAC, without its colons, as the label on the housing has it."""
    return said.replace(":", "").replace("-", "").upper() if _MAC.fullmatch(said) else said


def _connection(data: Mapping[str, Any], sender: str | None, reply: HttpReply | None) -> Decoded:
    """The device's connect message or its last will. Raises `RefusedError`."""
    said = (text(data.get("description")) or "").lower()
    connected = flag(data.get("connected"))
    if connected is None and said:
        connected = said in {"connected", "online"}
    if connected is None:
        if "message" in data:
            return Decoded(sender, reply=reply, ignored="no_change")
        raise RefusedError("missing_field", "no message")
    facts = {
        name: value
        for name, value in (("model", text(data.get("model"))), ("ip", text(data.get("address"))))
        if value is not None
    }
    return Decoded(sender, signs=(SignOfLife(connected, facts=facts),), reply=reply, ignored="keep_alive")


def _event(
    data: Mapping[str, Any],
    told: Mapping[str, Any],
    levels: list[str],
    sender: str | None,
    reply: HttpReply | None,
) -> Decoded:
    """A message of the event bridge. Raises `RefusedError`."""
    path = _path(data, levels)
    source, key, values = section(told, "source"), section(told, "key"), section(told, "data")
    if is_plate(values):
        return decoded_plate(values, data, (), sender, reply)
    simple = {str(name).lower(): value for name, value in (source | key | values).items()}
    what = _analytics(path, values) if path[:1] == (_APPLICATIONS,) else meaning(path, simple)
    if what is None:
        raise RefusedError("unknown_type", "/".join(path)[:200] or "no topic")
    reset = None if text(values.get("resetTime")) is None else time_of(values.get("resetTime"), None)[0]
    if what.kind is None or (what.rests and reset is None):
        signs = (SignOfLife(True),) if what.ignored == "keep_alive" else ()
        return Decoded(sender, signs=signs, reply=reply, ignored=what.ignored)
    when, marks = time_of(values.get("triggerTime"), data.get("timestamp"))
    kept, dropped = leftovers(source | key | values, _READ, PRIVATE, "message")
    counts = {name: integer(value) for name, value in values.items() if name.startswith("total")}
    kept = {name: value for name, value in kept.items() if name not in counts}
    track = text(values.get("objectId"))
    card = text(values.get("Card"))
    is_access = what.kind.startswith("access.")
    found = {
        "topic": "/".join(path),
        "object": text(values.get("classTypes")) or (None if is_access else text(values.get("reason"))),
        "counts": {name: value for name, value in counts.items() if value is not None} or None,
        "access_point": text(source.get("AccessPointToken")),
        "door": text(source.get("DoorToken")),
        "credential_token": text(values.get("CredentialToken")),
    } | what.attributes
    reading = Reading(
        what.kind,
        None if track is None else f"object:{track}"[:200],
        when,
        track=track,
        credential=CredentialUse("card", card) if card is not None and is_access else None,
        attributes=kept | {name: value for name, value in found.items() if value is not None},
        marks=(*marks, "unknown_fields") if kept else tuple(marks),
        point=what.point,
    )
    end = over(msgspec.structs.replace(reading, device_time=reset)) if what.rests else None
    return Decoded(sender, (end or reading,), reply=reply, dropped=dropped)


def _path(data: Mapping[str, Any], levels: list[str]) -> tuple[str, ...]:
    """The event's topic of the payload or, where it has none, what follows `event` in the MQTT topic."""
    said = text(data.get("topic"))
    parts = (
        said.split("/")
        if said is not None
        else levels[levels.index("event") + 1 :]
        if "event" in levels
        else []
    )
    if "$source" in parts:
        parts = parts[: parts.index("$source")]
    return levelled(parts)


def _analytics(path: tuple[str, ...], values: Mapping[str, Any]) -> Meaning | None:
    """An application's event: `cameraapplicationplatform/{application}/{scenario}`."""
    application = path[1] if len(path) > 1 else ""
    on = flag(values.get("active", values.get("state")))
    if application in _UNWATCHED:
        return Meaning(ignored="not_security")
    if application in _ANALYTICS:
        return Meaning(ignored="no_change") if on is False else Meaning(_ANALYTICS[application])
    if application.startswith(("alpv", "lpr", "fflpr")):
        # A list's own event is a switch; the passage itself comes beside it.
        return Meaning(ignored="no_change")
    if application != "objectanalytics":
        return None
    if path[-1].endswith("interval"):
        return Meaning(ignored="not_security")
    word = text(values.get("scenarioType")) or text(values.get("scenario")) or ""
    kind = _SCENARIOS.get(re.sub(r"[^a-z]", "", word.lower()))
    if any(name.startswith("total") for name in values):
        # A counter of passages. Vehicles are no persons: for them the line is what counts.
        reason = (text(values.get("reason")) or "human").lower()
        return Meaning("video.person_count" if reason in {"human", "person"} else "video.line_crossing")
    if on is False:
        return at_rest(kind or "video.intrusion")
    return Meaning(kind or "video.intrusion")
