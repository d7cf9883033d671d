"""Hikvision's iSecure Center (the Artemis gateway): what it tells whoever subscribed to its events.

Source: the open platform's documents of 2021, appendix D. One message carries several events of
several devices; pictures are addresses on the platform's picture server, kept and not fetched.

Quirks, each with a test:
- one thing is told several times under one `eventId`: start, linkage, picture late, plate corrected
- a stop (status 2) comes once, under the `eventId` of its start: the end of what lasts. Whether its
  `happenTime` is the end's or once more the start's the documents do not say, so it is not believed:
  an end that is taken for too early would hide that something lasted
- `happenTime` may lie after `sendTime`: the device's clock is not the platform's
- blanks behind keys and behind values, blanks within times, days that do not exist
- the source of a recognition is the face library; the camera stands in `resInfo`
- a card number may be the number of the identity card that was read
- `person`, `faceInfoName`, `certificate` and their like name people: dropped
- doors say 1 in, 0 out, and 0 where no reader was set up at all; intercoms say 1 in, 2 out
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from bus.messages import CredentialUse, DeviceMatch, PlateReading
from devices.adapters import artemis_codes as codes
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
    dropped,
    flag,
    integer,
    mark,
    moment,
    read_json,
    remainder,
    section,
    stripped,
    text,
)
from devices.adapters.hikvision_codes import Meaning
from devices.adapters.hikvision_evidence import (
    best_match,
    impersonal,
    many,
    one,
    picture_urls,
    plate_reading,
    reference,
    without_urls,
)

_OK: Final = HttpReply(b'{"code":"0","msg":"success"}', "application/json")
MAX_RECORD_ID: Final = 200
# How much is known after a message of each status: 0 instant, 1 start, 3 pulse, 4 what was linked
# to it, 5 its picture. A stop, 2, adds nothing to what happened; of what lasts it is the end.
_KNOWN_BY: Final = {0: 0, 1: 0, 3: 0, 4: 1, 5: 2}
_STOP: Final = 2
_UNTIMED: Final = ("time_missing",)
# When it was passed on, and what only the platform's operators are told.
_ENVELOPE: Final = frozenset(
    [
        "eventId", "eventType", "eventTypeName", "happenTime", "status", "timeout", "data",
        "srcIndex", "srcType", "srcName", "srcParentIndex", "srcParentIdex", "eventLvl", "ability",
    ]
)  # fmt: skip
_DATA_KNOWN: Final = frozenset(
    [
        "recvTime", "sendTime", "dateTime", "eventTime", "time", "crossTime", "ExtReceiveTime",
        "activePostCount", "ipAddress", "portNo", "protocol", "macAddress", "plateNo", "cardNo",
        "plateBelieve", "plateColor", "inoutType", "alarmCar", "eventCmd", "carNo",
        "visitorId", "ExtEventCode", "ExtEventPersonNo", "ExtEventCardNo",
        "ExtEventInOut", "Seq", "eventType", "eventDescription", "startTime", "endTime",
    ]
)  # fmt: skip


class ArtemisAdapter(Adapter):
    """A platform that speaks for its cameras, doors, lanes and alarm panels."""

    name = "artemis"
    title = "Hikvision iSecure Center (Artemis)"
    aliases = ("hikvision-artemis", "isecure")
    pushes = True
    gateway = True
    fields: ClassVar[Mapping[str, str]] = {
        "params.events[].eventId": "record_id",
        "params.events[].eventType": "type",
        "params.events[].happenTime": "device_time",
        "params.events[].status": "revision; attributes.ended of what lasts",
        "params.events[].srcIndex": "device",
        "params.events[].srcName": "attributes.source",
        "params.events[].srcType": "attributes.source_type",
        "params.events[].eventLvl": "attributes.level",
        "params.events[].data.ExtEventCardNo": "credential.ref",
        "params.events[].data.ExtEventPersonNo": "match.person_ref",
        "params.events[].data.ExtEventInOut": "direction",
        "params.events[].data.plateNo": "plate.text",
        "params.events[].data.plateBelieve": "plate.confidence",
        "params.events[].data.plateColor": "plate.color",
        "params.events[].data.inoutType": "direction",
        "params.events[].data.cardNo": "credential.ref",
        "params.events[].data.alarmCar": "attributes.blocked",
        "params.events[].data.visitorId": "credential.ref",
        "params.events[].data.carNo": "attributes.car",
        "params.events[].data.faceRecognitionResult.faceMatch[].faceInfoCode": "match.person_ref",
        "params.events[].data.faceRecognitionResult.faceMatch[].similarity": "match.score",
        "params.events[].data.alarmResult[].faces[].identify[].candidate[].human_id": "match.person_ref",
        "params.events[].data.picUrl": "attributes.picture_urls",
    }

    def decode(self, message: Incoming) -> Decoded:
        data = stripped(_read(message.body))
        method = text(data.get("method"))
        if method is None or "params" not in data:
            raise RefusedError("missing_field", "method and params")
        if method != "OnEventNotify":
            raise RefusedError("command_not_event", method[:64])
        events = many(one(data["params"]).get("events"))
        if not events:
            raise RefusedError("missing_field", "params.events")
        told = [_decoded(event) for event in events]
        understood = [item for item in told if not isinstance(item, RefusedError)]
        strange = next((item for item in told if isinstance(item, RefusedError)), None)
        if strange is not None and not understood:
            raise strange
        personal: list[str] = []
        impersonal(data, dropped=personal)
        readings = tuple(item for item in understood if isinstance(item, Reading))
        return Decoded(
            None,
            readings,
            tuple(item for item in understood if isinstance(item, SignOfLife)),
            reply=_OK,
            dropped=tuple(dict.fromkeys((*dropped(data), *personal))),
            partial=None if strange is None else (strange.reason, strange.detail),
            ignored=None if readings else next((item for item in understood if isinstance(item, str)), None),
        )

    def refused(self, message: Incoming, reason: str) -> Refusal:
        _ = message, reason
        return Refusal(reply=_OK)


def _read(body: bytes) -> dict[str, Any]:
    """The message; some senders indent with no-break spaces, which JSON does not know."""
    try:
        return read_json(body)
    except RefusedError as refused:
        if refused.reason != "malformed_json" or b"\xc2\xa0" not in body:
            raise
    return read_json(body.replace(b"\xc2\xa0", b" "))


def _decoded(event: dict[str, Any]) -> Reading | SignOfLife | str | RefusedError:
    """One event, its sign of life, the code of why it is none, or its refusal.

    A message is understood by whatever in it is: an alarm does not wait for its neighbour.
    """
    try:
        return _told(event)
    except RefusedError as refused:
        return refused


def _told(event: dict[str, Any]) -> Reading | SignOfLife | str:
    code = integer(event.get("eventType"))
    if code is None:
        raise RefusedError("missing_field", "eventType")
    data = one(event.get("data"))
    marks: list[str] = []
    when = _time(event, data, marks)
    status = integer(event.get("status")) or 0
    if code in codes.GONE or code in codes.BACK:
        back = (code in codes.BACK) != (status == _STOP)
        return SignOfLife(back, when, text(event.get("srcIndex")), _facts(event))
    reading = _reading(code, data)
    if isinstance(reading, str):
        return reading
    if status == _STOP and reading.type not in LASTING:
        return "no_change"
    rest = remainder(_filled(impersonal(without_urls(data))), _DATA_KNOWN)
    beyond = remainder(impersonal(event), _ENVELOPE)
    if rest or beyond:
        mark(marks, "unknown_fields")
    told = {
        "code": code,
        "source": text(event.get("srcName")),
        "source_type": text(event.get("srcType")),
        "parent": text(event.get("srcParentIndex")) or text(event.get("srcParentIdex")),
        "level": integer(event.get("eventLvl")) or None,
        "picture_urls": list(picture_urls(data))[:MAX_PICTURES],
        **reading.attributes,
    }
    record = text(event.get("eventId"))
    found = msgspec.structs.replace(
        reading,
        record_id=None if record is None else record[:MAX_RECORD_ID],
        device_time=when,
        device=_device(event, data),
        attributes={**rest, **beyond} | {n: v for n, v in told.items() if v not in (None, [])},
        marks=tuple(marks),
        revision=_revision(status, data),
    )
    if status != _STOP:
        return found
    end = over(msgspec.structs.replace(found, device_time=None, marks=(*marks, *_UNTIMED)))
    return "no_change" if end is None else end


def _filled(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data without what access records hold for nothing: a 0 in any of the fields named Ext…"""
    return {
        name: value
        for name, value in data.items()
        if not (
            name.startswith("Ext") and (value == 0 or (isinstance(value, dict) and not any(value.values())))
        )
    }


def _revision(status: int, data: Mapping[str, Any]) -> int:
    """Grows with what is known: by status, then by the lane's steps (2 picture, 5 plate corrected)."""
    step = integer(data.get("eventCmd")) or 0
    return _KNOWN_BY.get(status, 0) * 16 + (step if 0 <= step < 16 else 0)


def _time(event: Mapping[str, Any], data: Mapping[str, Any], marks: list[str]) -> dt.datetime | None:
    """`happenTime`: the device's time, the same each time that one event is told."""
    names = ("dateTime", "time", "crossTime", "eventTime")
    told = [text(event.get("happenTime")), *(text(data.get(name)) for name in names)]
    found = next((when for when in map(_moment, told) if when is not None), None)
    if found is None:
        mark(marks, "time_unreadable" if any(told) else "time_missing")
    return found


def _moment(told: str | None) -> dt.datetime | None:
    # The documents themselves show "2018-08-14T07: 20: 51.531+08: 00".
    return moment(re.sub(r":\s+", ":", told)) if told else None


def _device(event: Mapping[str, Any], data: Mapping[str, Any]) -> str | None:
    """What the event is about. A recognition names the face library; its camera stands in `resInfo`."""
    cameras = (one(section(data, "faceRecognitionResult").get("resInfo")), one(data.get("resInfo")))
    camera = next((found for found in (text(item.get("indexCode")) for item in cameras) if found), None)
    own = text(event.get("srcIndex"))
    return camera if camera and (own is None or text(event.get("srcType")) == "faceGroup") else own


def _facts(event: Mapping[str, Any]) -> dict[str, Any]:
    told = {"name": event.get("srcName"), "kind": event.get("srcType")}
    return {name: found for name, found in ((n, text(v)) for n, v in told.items()) if found is not None}


def _reading(code: int, data: Mapping[str, Any]) -> Reading | str:
    """What the code and the data say; the code of why nothing happened; unknown codes are refused."""
    if code in codes.FACES:
        return _face(code, data)
    if code in codes.PARKING or code in codes.CHECKPOINTS:
        return _plate(code, data)
    if code == codes.SPACE_TAKEN:
        return Reading("parking.overstay", plate=_plate_of(data))
    meaning = codes.MEANINGS.get(code)
    if meaning is None:
        raise RefusedError("unknown_type", str(code))
    if meaning.ignored is not None:
        return meaning.ignored
    if code in codes.VISITORS:
        return _visitor(meaning, data)
    if code in codes.ACCESS or code in codes.INTERCOM:
        return _access(code, meaning, data)
    attributes: dict[str, Any] = {"via": meaning.via}
    if code in {131586, 131587}:
        attributes["crossing"] = "enter" if code == 131586 else "leave"
    return Reading(meaning.type, attributes=attributes)


def _face(code: int, data: Mapping[str, Any]) -> Reading:
    kind = codes.FACES[code]
    if kind != "face.identified":
        return Reading(kind)
    match = best_match(data)
    return Reading("face.unknown" if match is None else kind, match=match)


def _plate_of(data: Mapping[str, Any]) -> PlateReading:
    return plate_reading(data.get("plateNo"), data.get("plateBelieve"), data.get("plateColor"))


def _plate(code: int, data: Mapping[str, Any]) -> Reading:
    plate = _plate_of(data)
    way = integer(data.get("inoutType"))
    inbound, outbound = code in codes.INBOUND or way == 0, code in codes.OUTBOUND or way == 1
    attributes = {
        "released": True if code in codes.RELEASED else None,
        "blocked": True if code in codes.BLOCKED_CAR or flag(data.get("alarmCar")) else None,
        "violation": codes.CHECKPOINTS.get(code),
        "space": codes.SPACES.get(code),
    }
    card = reference(data.get("cardNo"))
    return Reading(
        "plate.none" if plate.text is None else "plate.recognised",
        credential=None if card is None else CredentialUse("card", card),
        # The lane's own word goes before the code's: blocked cars have one code for both ways.
        direction="in" if inbound and way != 1 else "out" if outbound else None,
        plate=plate,
        attributes=attributes,
    )


def _visitor(meaning: Meaning, data: Mapping[str, Any]) -> Reading:
    """A visitor at the desk. The visit's reference stays; who it was and its code do not."""
    attributes = {
        "car": text(data.get("carNo")),
        "from": text(data.get("startTime")),
        "until": text(data.get("endTime")),
    }
    return Reading(
        meaning.type,
        credential=CredentialUse("pass", reference(data.get("visitorId"))),
        attributes=attributes,
    )


def _access(code: int, meaning: Meaning, data: Mapping[str, Any]) -> Reading:
    person, card = reference(data.get("ExtEventPersonNo")), reference(data.get("ExtEventCardNo"))
    credential = None
    if meaning.type.startswith("access."):
        if meaning.credential in {None, "card"} and card is not None:
            credential = CredentialUse("card", card)
        elif meaning.credential is not None:
            credential = CredentialUse(meaning.credential)
    return Reading(
        meaning.type,
        direction=_direction(code, data),
        credential=credential,
        match=None if person is None else DeviceMatch(person),
        attributes={"reason": meaning.reason, "via": meaning.via, "ended": meaning.ended or None},
    )


def _direction(code: int, data: Mapping[str, Any]) -> str | None:
    way = integer(data.get("ExtEventInOut"))
    if way == 1:
        return "in"
    if code in codes.INTERCOM:
        return "out" if way == 2 else None
    # A controller whose readers nobody numbered leaves everything at 0, the way too.
    return "out" if way == 0 and (integer(data.get("ExtEventReaderID")) or 0) > 0 else None
