"""宇视 Uniview: terminals, cameras and recorders that push by LightAPI (LAPI) over HTTP.

Quirks, each with a test:
- the person is in `LibMatInfoList[0]`, the face in `FaceInfoList[0]`, the card in `CardInfoList[0]`;
- `MatchPersonID` 0 and `LibType` 2 are a stranger; `LibType` 1 is the block list, matched and not let in;
- a verification that failed for want of a living face, of a helmet or of a right is a `MatchStatus` each;
- what an identity card says (name, number, portrait, ethnicity) comes along and is never kept;
- `NotificationType` 1 is history, sent again after an outage;
- one alarm can be told twice, by `Alarm` and by `Structure` with its pictures, under one `RelatedID`;
- a terminal sends a record again until its `RecordID` is confirmed.

Sources: those of `uniview_codes`.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from devices.adapters.contract import (
    MAX_PICTURES,
    Adapter,
    Decoded,
    HttpReply,
    Incoming,
    Refusal,
    RefusedError,
    SignOfLife,
)
from devices.adapters.fields import add_picture, integer, moment, section, text
from devices.adapters.lenient import read_push
from devices.adapters.uniview_alarms import alarm, structure
from devices.adapters.uniview_records import verified
from devices.adapters.uniview_told import confirmed, reply_to, sender_of

_HEARTBEAT: Final = "/LAPI/V1.0/PACS/Controller/HeartReportInfo"
_LISTS: Final = frozenset(["LibMatInfoList", "FaceInfoList", "CardInfoList", "GateInfoList"])
_SEQ: Final = re.compile(rb'"Seq"\s*:\s*"?(\d{1,18})')


class UniviewAdapter(Adapter):
    """PersonVerification, Structure and Alarm notifications, and the terminals' heartbeat."""

    name = "uniview"
    title = "宇视 Uniview"
    aliases = ("uniview-lapi", "unv", "宇视")
    pushes = True
    fields: ClassVar[Mapping[str, str]] = {
        "Seq": "record_id",
        "DeviceCode": "sender",
        "DeviceID": "sender",
        "Timestamp": "device_time where the record has none",
        "TimeStamp": "device_time",
        "NotificationType": "late where it is 1",
        "FaceInfoList[].Timestamp": "device_time",
        "FaceInfoList[].CapSrc": "credential.kind",
        "FaceInfoList[].FaceImage.Data": "pictures (face)",
        "FaceInfoList[].PanoImage.Data": "pictures (scene)",
        "CardInfoList[].CardID": "credential.ref of an access card",
        "CardInfoList[].CardType": "0 is an identity card: nothing of it is kept",
        "CardInfoList[].CardStatus": "type where nobody was compared",
        "GateInfoList[].InPersonCnt": "attributes.entered",
        "GateInfoList[].OutPersonCnt": "attributes.left",
        "LibMatInfoList[].MatchStatus": "type, attributes.reason",
        "LibMatInfoList[].MatchPersonID": "match.person_ref",
        "LibMatInfoList[].MatchFaceConfidence": "match.score",
        "LibMatInfoList[].LibType": "attributes.list",
        "LibMatInfoList[].LibID": "attributes.library",
        "AlarmInfo.AlarmType": "type",
        "AlarmInfo.AlarmSeq": "record_id",
        "AlarmInfo.RelatedID": "record_id, revision",
        "AlarmInfo.AlarmSrcID": "attributes.channel",
        "AlarmInfo.TimeStamp": "device_time",
        "RelatedObjects.ObjectList[].ObjectType": "attributes.object",
        "AlarmType": "type",
        "RelatedID": "record_id, revision",
        "SrcID": "attributes.channel",
        "StructureInfo.ObjInfo.VehicleInfoList[].PlateAttributeInfo.PlateNo": "plate.text",
        "StructureInfo.ObjInfo.VehicleInfoList[].PlateAttributeInfo.Color": "plate.color",
        "StructureInfo.ObjInfo.VehicleInfoList[].PlateAttributeInfo.Confidence": "plate.confidence",
        "StructureInfo.ObjInfo.FaceInfoList[].FaceID": "track",
        "StructureInfo.ImageInfoList[].Data": "pictures",
        "Time": "device_time of a heartbeat",
        "RefId": "not kept",
    }

    def decode(self, message: Incoming) -> Decoded:
        data, contents = read_push(message.body, message.content_type)
        path = message.topic.partition("?")[0].rstrip("/")
        kind = path.rpartition("/")[2].lower()
        if kind == "heartreportinfo" or ("NextTime" in data and "DeviceCode" in data):
            return _heartbeat(data)
        if "keepalive" in kind or "keeplive" in kind:
            return Decoded(
                sender_of(data), signs=(SignOfLife(True),), reply=reply_to(path), ignored="keep_alive"
            )
        if kind == "personverification" or _LISTS & data.keys():
            return verified(data)
        if section(data, "StructureInfo"):
            return _with_pictures(structure(data, reply_to(path)), contents)
        if section(data, "AlarmInfo") or "AlarmType" in data:
            return _with_pictures(alarm(data, reply_to(path)), contents)
        if "Response" in data:
            return Decoded(ignored="answer")
        raise RefusedError("missing_field", "no AlarmInfo, no StructureInfo, no LibMatInfoList")

    def refused(self, message: Incoming, reason: str) -> Refusal:
        _ = reason
        path = message.topic.partition("?")[0].rstrip("/")
        found = _SEQ.search(message.body)
        if found is not None and path.lower().endswith(("personverification", "notifications")):
            return Refusal(reply=confirmed(int(found.group(1))))
        return Refusal(reply=reply_to(path))


def _with_pictures(decoded: Decoded, contents: tuple[bytes, ...]) -> Decoded:
    """V1.1 sends the pictures of its one event in parts of their own."""
    if not decoded.readings or not contents:
        return decoded
    first, *others = decoded.readings
    pictures, marks = list(first.pictures), list(first.marks)
    for content in contents[: MAX_PICTURES - len(pictures)]:
        add_picture(content, "scene", pictures, marks)
    first = msgspec.structs.replace(first, pictures=tuple(pictures), marks=tuple(marks))
    return msgspec.structs.replace(decoded, readings=(first, *others))


def _heartbeat(data: Mapping[str, Any]) -> Decoded:
    said = text(data.get("Time"))
    # The answer sets the terminal's clock: it is told its own time, which changes nothing.
    answer = {"ResponseURL": _HEARTBEAT, "Code": 0, "Data": {"Time": said or ""}}
    kind = integer(data.get("DeviceType"))
    facts = {} if kind is None else {"device_type": kind}
    return Decoded(
        sender_of(data),
        signs=(SignOfLife(True, moment(said), facts=facts),),
        reply=HttpReply(msgspec.json.encode(answer), "application/json"),
        ignored="keep_alive",
    )
