"""Hikvision cameras and terminals by ISAPI: the alert stream and the HTTP push of an alarm host.

Sources: the vendor's ISAPI guides as far as public projects show them, its network SDK for the
codes of `AccessControllerEvent`, messages of real devices.

Quirks, each with a test:
- XML in three namespaces or in none, JSON, and both in parts with JPEGs called octet-streams
- "videoloss inactive" is the stream's keep-alive; older firmware says "other" and calls it a heartbeat
- an event that ends says `inactive`, once, under the UUID of its beginning: the end of what lasts, and
  no event of what happened in a moment
- a plate's confidence is one number for all and one for each character
- `currentEvent` false is a record of the past, sent again
- `remoteCheck` waits for our verdict, and gets a no: a door never opens because a server said so
- much firmware never posts twice: whatever 200 answers must be safe before it is said
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from devices.adapters.contract import (
    MAX_PICTURES,
    Adapter,
    Decoded,
    HttpReply,
    Incoming,
    Reading,
    Refusal,
    RefusedError,
    SignOfLife,
)
from devices.adapters.endings import LASTING, over
from devices.adapters.fields import (
    add_picture,
    dropped,
    integer,
    mark,
    moment,
    number,
    remainder,
    text,
)
from devices.adapters.hikvision_access import read_access
from devices.adapters.hikvision_codes import (
    COMPARISONS,
    EVENTS,
    FACES,
    PLATES,
    panel_meaning,
)
from devices.adapters.hikvision_documents import Attached, documents
from devices.adapters.hikvision_evidence import (
    best_match,
    impersonal,
    one,
    picture_role,
    picture_urls,
    plate_reading,
    without_urls,
)

_OK: Final = HttpReply(b'{"statusCode":1,"statusString":"OK","subStatusCode":"ok"}', "application/json")
# Who speaks and when, and what counts on while an event lasts: no part of what happened.
_ENVELOPE: Final = frozenset(
    [
        "ipAddress", "ipv6Address", "portNo", "protocol", "macAddress", "dateTime", "triggerTime",
        "activePostCount", "eventType", "eventState", "eventDescription", "channelID",
        "dynChannelID", "channelName", "deviceSerial", "serialNumber", "shortSerialNumber",
        "alarmDataType", "UUID", "uuid", "AccessControllerEvent", "QRCodeEvent", "ANPR",
    ]
)  # fmt: skip
_PLATE_KNOWN: Final = frozenset(
    [
        "licensePlate", "originalLicensePlate", "confidenceLevel", "plateCharBelieve", "plateColor",
        "direction",
    ]
)  # fmt: skip
MAX_RECORD_ID: Final = 200
_IN: Final = frozenset(["in", "enter", "entry", "entrance"])
_OUT: Final = frozenset(["out", "leave", "exit"])


class HikvisionAdapter(Adapter):
    """A camera, recorder or terminal that pushes to us; `channelID` is kept as an attribute."""

    name = "hikvision"
    title = "Hikvision ISAPI"
    aliases = ("hikvision-isapi", "isapi")
    pushes = True
    # The alert stream's keep-alive; a device that only pushes events has none.
    heartbeat_s = 30
    fields: ClassVar[Mapping[str, str]] = {
        "EventNotificationAlert.dateTime": "device_time",
        "EventNotificationAlert.triggerTime": "device_time",
        "EventNotificationAlert.eventType": "type",
        "EventNotificationAlert.eventState": "attributes.ended where what lasts is inactive",
        "EventNotificationAlert.channelID": "attributes.channel",
        "EventNotificationAlert.channelName": "attributes.channel_name",
        "EventNotificationAlert.macAddress": "sender",
        "EventNotificationAlert.deviceSerial": "sender",
        "EventNotificationAlert.UUID": "record_id",
        "EventNotificationAlert.alarmDataType": "late",
        "AccessControllerEvent.majorEventType": "type",
        "AccessControllerEvent.subEventType": "type",
        "AccessControllerEvent.serialNo": "record_id",
        "AccessControllerEvent.employeeNoString": "match.person_ref",
        "AccessControllerEvent.cardNo": "credential.ref",
        "AccessControllerEvent.currentEvent": "late",
        "AccessControllerEvent.remoteCheck": "attributes.remote_check",
        "ANPR.licensePlate": "plate.text",
        "ANPR.confidenceLevel": "plate.confidence",
        "ANPR.plateCharBelieve": "attributes.lowest_character",
        "ANPR.plateColor": "plate.color",
        "ANPR.direction": "attributes.travel",
        "ANPR.vehicleInfo.index": "record_id",
        "alarmResult[].faces[].identify[].candidate[].human_id": "match.person_ref",
        "alarmResult[].faces[].identify[].candidate[].similarity": "match.score",
        "faceCapture[].faces[].faceId": "record_id",
    }

    def decode(self, message: Incoming) -> Decoded:
        told = [_decoded(alert, attached) for alert, attached in documents(message)]
        understood = [item for item in told if isinstance(item, Decoded)]
        if not understood:
            raise next(item for item in told if isinstance(item, RefusedError))
        readings = tuple(reading for item in understood for reading in item.readings)
        return Decoded(
            next((item.sender for item in understood if item.sender), None),
            readings,
            tuple(sign for item in understood for sign in item.signs),
            reply=next((item.reply for item in understood if item.reply is not None), _OK),
            dropped=tuple(dict.fromkeys(path for item in understood for path in item.dropped)),
            ignored=None if readings else understood[0].ignored,
        )

    def refused(self, message: Incoming, reason: str) -> Refusal:
        # Firmware that does post again would post what we cannot read for ever.
        _ = message, reason
        return Refusal(reply=_OK)


def _decoded(alert: dict[str, Any], attached: Attached) -> Decoded | RefusedError:
    try:
        return _told(alert, attached)
    except RefusedError as refused:
        return refused


def _told(alert: dict[str, Any], attached: Attached) -> Decoded:
    kind = _kind(alert)
    sender = _sender(alert)
    state = (text(alert.get("eventState")) or "active").lower()
    described = (text(alert.get("eventDescription")) or "").lower()
    rests = state == "inactive" and (kind == "videoloss" or described == "heartbeat")
    if kind == "heartbeat" or rests:
        sign = SignOfLife(online=True, device_time=_time(alert, []), facts=_facts(alert))
        return Decoded(sender, signs=(sign,), ignored="keep_alive")
    if state == "inactive":
        end, taken = _ended(alert, kind)
        return Decoded(sender, end, dropped=taken, ignored=None if end else "no_change")
    personal: list[str] = []
    impersonal(alert, dropped=personal)
    gone = (*dropped(alert), *personal)
    marks: list[str] = []
    reply = None
    if kind in {"accesscontrollerevent", "qrcodeevent"}:
        reading, ignored, reply = read_access(alert, kind, marks)
    elif kind in PLATES:
        reading, ignored = _plate(alert, kind), None
    elif kind in FACES or kind in COMPARISONS:
        reading, ignored = _face(alert, kind), None
    else:
        reading, ignored = _other(alert, kind)
    if reading is None:
        return Decoded(sender, reply=reply, dropped=gone, ignored=ignored)
    return Decoded(sender, (_completed(alert, reading, attached, marks),), reply=reply, dropped=gone)


def _ended(alert: dict[str, Any], kind: str) -> tuple[tuple[Reading, ...], tuple[str, ...]]:
    """The end of a condition, where it is one, and what was taken out unread."""
    meaning = EVENTS.get(kind)
    if meaning is None or meaning.type not in LASTING:
        return (), ()
    personal: list[str] = []
    impersonal(alert, dropped=personal)
    reading, _ = _other(alert, kind)
    end = None if reading is None else over(_completed(alert, reading, [], []))
    return () if end is None else (end,), (*dropped(alert), *personal)


def _completed(alert: Mapping[str, Any], reading: Reading, attached: Attached, marks: list[str]) -> Reading:
    """The reading with what every event has: time, place, pictures, and what else was said."""
    device_time = _time(alert, marks)
    pictures: list[tuple[str, bytes]] = []
    otherwise = "face" if reading.type.startswith(("access.", "face.")) else "scene"
    for name, content in attached[:MAX_PICTURES]:
        add_picture(content, picture_role(name, otherwise), pictures, marks)
    rest = remainder(impersonal(without_urls(alert)), _ENVELOPE)
    attributes = {
        "event": text(alert.get("eventType")),
        "channel": text(alert.get("dynChannelID")) or text(alert.get("channelID")),
        "channel_name": text(alert.get("channelName")),
        "picture_urls": list(picture_urls(alert))[:MAX_PICTURES],
        **reading.attributes,
    }
    extra = {name: value for name, value in rest.items() if name not in attributes}
    if extra:
        mark(marks, "unknown_fields")
    attributes = {name: value for name, value in attributes.items() if value not in (None, [])} | extra
    return msgspec.structs.replace(
        reading,
        device_time=device_time,
        late=reading.late or text(alert.get("alarmDataType")) == "1",
        pictures=tuple(pictures),
        attributes=attributes,
        marks=tuple(marks),
    )


def _kind(alert: Mapping[str, Any]) -> str:
    """The event's type in lower case; firmware that leaves it out names it by the section it sends."""
    found = text(alert.get("eventType"))
    if found is not None:
        return found.lower().replace(" ", "")
    for name in ("AccessControllerEvent", "QRCodeEvent", "ANPR", "alarmResult", "faceCapture", "CIDEvent"):
        if name in alert:
            return name.lower()
    if "captureLibResult" in alert:
        return "facesnap"
    if "licensePlate" in alert:
        return "anpr"
    raise RefusedError("missing_field", "eventType")


def _sender(alert: Mapping[str, Any]) -> str | None:
    for name in ("deviceSerial", "serialNumber", "shortSerialNumber"):
        found = text(alert.get(name))
        if found is not None:
            return found
    mac = (text(alert.get("macAddress")) or "").lower().replace("-", ":")
    return mac if len(mac) == 17 and mac.count(":") == 5 else None


def _facts(alert: Mapping[str, Any]) -> dict[str, Any]:
    told = {"ip": alert.get("ipAddress"), "mac": alert.get("macAddress"), "name": alert.get("channelName")}
    return {name: value for name, value in ((n, text(v)) for n, v in told.items()) if value is not None}


def _time(alert: Mapping[str, Any], marks: list[str]) -> Any:
    target = one(one(alert.get("alarmResult")).get("targetAttrs")) or one(
        one(alert.get("faceCapture")).get("targetAttrs")
    )
    access = one(alert.get("AccessControllerEvent"))
    named = [alert.get("dateTime"), alert.get("triggerTime"), target.get("faceTime"), access.get("dateTime")]
    told = [value for value in map(text, named) if value is not None]
    if not told:
        mark(marks, "time_missing")
        return None
    found = next((when for when in map(moment, told) if when is not None), None)
    if found is None:
        mark(marks, "time_unreadable")
    return found


def _plate(alert: Mapping[str, Any], kind: str) -> Reading:
    data = one(alert.get("ANPR")) or alert
    read = text(data.get("licensePlate")) or text(data.get("originalLicensePlate"))
    plate = plate_reading(read, data.get("confidenceLevel"), data.get("plateColor"))
    believed = [number(part) for part in (text(data.get("plateCharBelieve")) or "").split(",")]
    scores = [value / 100 for value in believed if value is not None and 0 <= value <= 100]
    travel = (text(data.get("direction")) or "").lower()
    # Forward is towards the camera: in at one gate, out at another. The registry knows which.
    direction = "in" if travel in _IN else "out" if travel in _OUT else None
    attributes = {} if data is alert else remainder(impersonal(without_urls(data)), _PLATE_KNOWN)
    attributes |= {
        "lowest_character": min(scores, default=None),
        # One for each character, or none: which one is missing nobody says.
        "character_scores": scores if plate.text and len(scores) == len(plate.text) else None,
        "travel": travel if travel in {"forward", "reverse"} else None,
    }
    unique = _unique(alert) or _unique(data)
    index = text(one(data.get("vehicleInfo")).get("index"))
    if plate.text is None and kind != "anpr":
        # A rule on vehicles that read no plate: a vehicle's picture, in which we look for one.
        return Reading("plate.recognised", _identity(unique, index), attributes=attributes)
    return Reading(
        "plate.none" if plate.text is None else "plate.recognised",
        _identity(unique, index),
        direction=direction,
        plate=plate,
        attributes=attributes,
    )


def _unique(alert: Mapping[str, Any]) -> str:
    return text(alert.get("UUID")) or text(alert.get("uuid")) or ""


def _identity(unique: str, index: str | None) -> str | None:
    """The event's UUID; a counter's number where firmware writes no real one."""
    found = unique if len(unique) >= 8 else index
    return None if found is None else found[:MAX_RECORD_ID]


def _face(alert: Mapping[str, Any], kind: str) -> Reading:
    match = best_match(alert) if kind in COMPARISONS else None
    shown = one(
        alert.get("alarmResult")
        or alert.get("faceCapture")
        or alert.get("captureLibResult")
        or alert.get("faces")
    )
    face = one(shown.get("faces")) or shown
    number_of_face = text(face.get("faceId"))
    if kind in COMPARISONS:
        found = "face.unknown" if match is None else "face.identified"
    else:
        found = "face.captured"
    return Reading(
        found, _identity(_unique(alert), f"face:{number_of_face}" if number_of_face else None), match=match
    )


def _other(alert: Mapping[str, Any], kind: str) -> tuple[Reading | None, str | None]:
    attributes: dict[str, Any] = {}
    if kind in {"cidevent", "cid"}:
        panel = one(alert.get("CIDEvent"))
        code = integer(panel.get("code"))
        meaning = None if code is None else panel_meaning(code)
        attributes = {"code": code}
    else:
        meaning = EVENTS.get(kind)
        region = one(alert.get("DetectionRegionList"))
        target = one(region.get("DetectionRegionEntry")).get("detectionTarget")
        attributes = {"target": text(target or alert.get("detectionTarget"))}
        if kind in {"regionentrance", "regionexiting"}:
            attributes["crossing"] = "enter" if kind == "regionentrance" else "leave"
    if meaning is None:
        raise RefusedError("unknown_type", f"{kind[:64]} {attributes.get('code') or ''}".strip())
    if meaning.ignored is not None:
        return None, meaning.ignored
    return Reading(
        meaning.type, _identity(_unique(alert), None), attributes=attributes | {"via": meaning.via}
    ), None
