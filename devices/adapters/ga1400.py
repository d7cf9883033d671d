"""GA/T 1400: what a community's view library pushes, with the local extension for compounds.

Sources: GA/T 1400.3 and .4 as public implementations carry them; messages of a real community.
Content decides what a message is; the path (`/VIID/Faces`) is only told back in the reply.

Quirks, each with a test:
- `yyyyMMddHHmmss` without a zone, Beijing's
- every field present and most of them blank; numbers and flags as text
- an object is itself or a list of itself; notifications wrap lists under other names
- some seventy fields of a face say who somebody is, of what people and what they are suspected of:
  none is read, none is kept
- the driver's face comes with the vehicle's pictures: not kept
- an APE carries its device's password in clear: not kept
- lists of people, cars and doors of the extension are a registry, no events
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

import msgspec

from bus.messages import PlateReading
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
from devices.adapters.fields import (
    dropped,
    flag,
    integer,
    mark,
    moment,
    percentage,
    picture,
    read_json,
    remainder,
    stripped,
    text,
)
from devices.adapters.ga1400_codes import (
    COLORS,
    OCCUPANTS,
    PERSON_KEPT,
    ROLES,
    SORTS,
    VEHICLE_KNOWN,
    VEHICLE_UNKEPT,
)

MAX_RECORD_ID: Final = 200
_LONGEST_URL: Final = 2000
# The object of each kind → the name of its id.
_OBJECTS: Final = {
    "MotorVehicleObject": "MotorVehicleID",
    "NonMotorVehicleObject": "NonMotorVehicleID",
    "FaceObject": "FaceID",
    "PersonObject": "PersonID",
}
_IDS: Final = re.compile(
    rb'"((?:NonMotorVehicle|MotorVehicle|Face|Person|Ape|Notification|Image)ID|DeviceID)"\s*:\s*"([\w-]{1,64})"'
)
_CAPTURED: Final = (b"MotorVehicleID", b"NonMotorVehicleID", b"FaceID", b"PersonID", b"ApeID")
_REGISTRY: Final = re.compile(
    r"(PersonInfo|CarInfo|DoorInfo|DoorDevice|HouseInfo|BuildingInfo|CommunityInfo|UnitInfo|Tollgate|Lane|APS"
    r"|Resident\w*|Household\w*)(List)?(Object)?"
)
_COMMANDS: Final = re.compile(r"(Subscribe|Disposition|AnalysisRule|VideoLabel|Task)(List)?(Object)?")
_HARMLESS: Final = re.compile(r"(Thing|Scene|VideoSlice|File|Case)(Info)?(List)?(Object)?")
_TIMES: Final = (
    "PassTime", "AppearTime", "FaceAppearTime", "PersonAppearTime", "ShotTime", "MarkTime",
    "LocationMarkTime",
    "EventTime",
)  # fmt: skip
_DEVICES: Final = ("DeviceID", "TollgateID")


class Ga1400Adapter(Adapter):
    """A view library that speaks for its capture devices (APE)."""

    name = "ga1400"
    title = "GA/T 1400 view library"
    aliases = ("ga1400-community", "gat1400", "viid")
    pushes = True
    gateway = True
    heartbeat_s = 90
    fields: ClassVar[Mapping[str, str]] = {
        "MotorVehicleListObject.MotorVehicleObject[].MotorVehicleID": "record_id",
        "MotorVehicleListObject.MotorVehicleObject[].PassTime": "device_time",
        "MotorVehicleListObject.MotorVehicleObject[].DeviceID": "device",
        "MotorVehicleListObject.MotorVehicleObject[].TollgateID": "device",
        "MotorVehicleListObject.MotorVehicleObject[].PlateNo": "plate.text",
        "MotorVehicleListObject.MotorVehicleObject[].PlateColor": "plate.color",
        "MotorVehicleListObject.MotorVehicleObject[].PlateReliability": "plate.confidence",
        "MotorVehicleListObject.MotorVehicleObject[].HasPlate": "type",
        "MotorVehicleListObject.MotorVehicleObject[].InOut": "direction",
        "MotorVehicleListObject.MotorVehicleObject[].StorageUrl1": "attributes.picture_urls",
        "MotorVehicleListObject.MotorVehicleObject[].SubImageList.SubImageInfoObject[].Data": "pictures",
        "NonMotorVehicleListObject.NonMotorVehicleObject[].NonMotorVehicleID": "record_id",
        "FaceListObject.FaceObject[].FaceID": "record_id",
        "FaceListObject.FaceObject[].FaceAppearTime": "device_time",
        "FaceListObject.FaceObject[].SubImageList.SubImageInfoObject[].Type": "pictures",
        "PersonListObject.PersonObject[].PersonID": "record_id",
        "ImageListObject.Image[].ImageInfo.EventSort": "type",
        "APEListObject.APEObject[].ApeID": "device",
        "APEListObject.APEObject[].IsOnline": "sign of life",
        "KeepaliveObject.DeviceID": "sender",
        "RegisterObject.DeviceID": "sender",
    }

    def decode(self, message: Incoming) -> Decoded:
        data = stripped(read_json(message.body))
        session = _session(data)
        if session is not None:
            return msgspec.structs.replace(session, reply=_reply(message, single=True))
        readings: list[Reading] = []
        # The name of a device is no person's.
        gone = [path for path in dropped(data) if "APEObject" not in path]
        bicycles = False
        for kind, item in _objects(data, 0):
            reading = _reading(kind, item, gone)
            if reading is None:
                bicycles = True
            else:
                readings.append(reading)
        signs = tuple(_signs(data, 0, gone))
        if bicycles and not readings and not signs:
            return Decoded(ignored="not_security", reply=_reply(message))
        if not readings and not signs:
            return msgspec.structs.replace(_without_news(data), reply=_reply(message))
        return Decoded(
            None, tuple(readings), signs, reply=_reply(message), dropped=tuple(dict.fromkeys(gone))
        )

    def refused(self, message: Incoming, reason: str) -> Refusal:
        # A view library sends again whatever is not answered with 0.
        _ = reason
        return Refusal(reply=_reply(message))


def _reply(message: Incoming, *, single: bool = False) -> HttpReply:
    """`ResponseStatus` for each object, by their ids as far as the bytes show any.

    Without `LocalTime`, which is optional: an adapter knows no clock.
    """
    path = message.topic.partition("?")[0][:200]
    ids = [] if single else list(dict.fromkeys(_own_ids(message.body)))[:64]
    told = [
        {"RequestURL": path, "StatusCode": "0", "StatusString": "OK"} | ({"Id": found} if found else {})
        for found in (ids or [""])
    ]
    body: dict[str, Any] = (
        {"ResponseStatusObject": told[0]}
        if single
        else {"ResponseStatusListObject": {"ResponseStatusObject": told}}
    )
    return HttpReply(msgspec.json.encode(body), "application/VIID+JSON")


def _own_ids(body: bytes) -> Iterator[str]:
    """The ids of what was sent: a notification's, an object's, an image's, a device's."""
    found = [(name, value.decode("ascii", "replace")) for name, value in _IDS.findall(body)]
    for named in (b"NotificationID",), _CAPTURED, (b"ImageID",), (b"DeviceID",):
        own = [value for name, value in found if name in named]
        if own:
            yield from own
            return


def _session(data: Mapping[str, Any]) -> Decoded | None:
    """Register, Keepalive, UnRegister: the library itself, or the platform below it."""
    for name, online in (("KeepaliveObject", True), ("RegisterObject", True), ("UnRegisterObject", False)):
        found = data.get(name)
        if isinstance(found, dict):
            return Decoded(text(found.get("DeviceID")), signs=(SignOfLife(online),), ignored="keep_alive")
    return None


def _many(value: Any) -> list[dict[str, Any]]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def _objects(value: Any, depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What was captured, at whatever depth a list, a notification or an image wraps it."""
    if isinstance(value, list):
        for item in value:
            yield from _objects(item, depth + 1)
    if not isinstance(value, dict) or depth > 12:
        return
    for name, item in value.items():
        if name in _OBJECTS:
            yield from ((name, found) for found in _many(item))
        elif name == "Image":
            for found in _many(item):
                inner = list(_objects({n: v for n, v in found.items() if n != "ImageInfo"}, depth + 1))
                yield from inner or [(name, found)]
        elif not _SKIPPED.fullmatch(name):
            yield from _objects(item, depth + 1)


# A registry's or a rule's objects may have names like those of what was captured.
_SKIPPED: Final = re.compile(rf"({_REGISTRY.pattern})|({_COMMANDS.pattern})|SubImageList")


def _signs(value: Any, depth: int, gone: list[str]) -> Iterator[SignOfLife]:
    if isinstance(value, list):
        for item in value:
            yield from _signs(item, depth + 1, gone)
    if not isinstance(value, dict) or depth > 6:
        return
    for name, item in value.items():
        if name in {"APEObject", "APEStatusObject"}:
            for found in _many(item):
                device, state = text(found.get("ApeID")), text(found.get("IsOnline"))
                # 1 there, 2 gone; 9 is "other" and says nothing.
                gone += [f"{name}.{secret}" for secret in ("UserId", "Password") if text(found.get(secret))]
                if device is not None and state in {"1", "2"}:
                    yield SignOfLife(state == "1", moment(found.get("CurrentTime")), device, _facts(found))
        else:
            yield from _signs(item, depth + 1, gone)


def _facts(ape: Mapping[str, Any]) -> dict[str, Any]:
    """What the device's page shows. The object also holds the device's user and password."""
    told = {"name": "Name", "ip": "IPAddr", "model": "Model", "place": "Place"}
    found = {name: text(ape.get(field)) for name, field in told.items()}
    return {name: value for name, value in found.items() if value is not None}


def _without_news(data: Mapping[str, Any]) -> Decoded:
    """Why a message without anything captured holds no event. Raises `RefusedError`."""
    name = next(iter(data), "")
    if name.startswith("ResponseStatus"):
        return Decoded(ignored="answer")
    if name in {"APEListObject", "APEStatusListObject"} or _REGISTRY.fullmatch(name):
        raise RefusedError("registry_data", name[:64])
    if _COMMANDS.fullmatch(name):
        raise RefusedError("command_not_event", name[:64])
    if _HARMLESS.fullmatch(name) or name in {"SubscribeNotificationListObject", "ImageListObject"}:
        return Decoded(ignored="not_security")
    if not name:
        raise RefusedError("missing_field", "an empty object")
    raise RefusedError("unknown_type", name[:64])


def _reading(kind: str, item: dict[str, Any], gone: list[str]) -> Reading | None:
    """What one object says; None for a bicycle, which bears no plate that could be missing."""
    marks: list[str] = []
    if kind == "Image":
        return _image(item, marks)
    pictures, urls = _pictures(item, marks, gone)
    if kind in {"FaceObject", "PersonObject"}:
        gone += [
            name for name, value in item.items() if name not in PERSON_KEPT and value not in (None, "", [])
        ]
        reading = Reading("face.captured", attributes=_kept(item, {"CommunityID", "DataSourceID"}))
    else:
        seen = _vehicle(item, marks)
        if seen is None:
            return None
        reading = seen
    record = text(item.get(_OBJECTS[kind]))
    return msgspec.structs.replace(
        reading,
        record_id=None if record is None else record[:MAX_RECORD_ID],
        device_time=_time(item, marks),
        device=_device(item, record),
        pictures=tuple(pictures[:MAX_PICTURES]),
        attributes=reading.attributes | ({"picture_urls": urls[:MAX_PICTURES]} if urls else {}),
        marks=tuple(marks),
    )


def _kept(item: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: found for name in sorted(names) if (found := text(item.get(name))) is not None}


def _vehicle(item: Mapping[str, Any], marks: list[str]) -> Reading | None:
    read = (text(item.get("PlateNo")) or "").replace(" ", "")[:32]
    shown = flag(item.get("HasPlate"))
    absent = (
        not read.strip("_-") or read in {"无车牌", "车牌", "_无_", "未识别", "未知", "无牌"} or shown is False
    )
    rest = {
        name: value
        for name, value in remainder(item, VEHICLE_KNOWN | VEHICLE_UNKEPT).items()
        if value not in (None, "", [], {})
    }
    if rest:
        mark(marks, "unknown_fields")
    if absent and "NonMotorVehicleID" in item:
        return None
    color = COLORS.get(integer(item.get("PlateColor")) or 0)
    believed = None if absent else percentage(item.get("PlateReliability"))
    return Reading(
        "plate.none" if absent else "plate.recognised",
        direction=_direction(item),
        plate=PlateReading(None if absent else read, believed, color),
        attributes=_kept(item, {"CommunityID"}) | rest,
    )


def _direction(item: Mapping[str, Any]) -> str | None:
    """The extension's `InOut`; the standard's own `Direction` is a point of the compass."""
    return {"in": "in", "out": "out"}.get((text(item.get("InOut")) or "").lower())


def _image(item: Mapping[str, Any], marks: list[str]) -> Reading:
    raw = item.get("ImageInfo")
    info: dict[str, Any] = raw if isinstance(raw, dict) else {}
    sort = integer(info.get("EventSort"))
    kind = SORTS.get(sort) if sort is not None else None
    if kind is None:
        raise RefusedError("unknown_type", f"Image with EventSort {sort}")
    pictures: list[tuple[str, bytes]] = []
    picture(item.get("Data"), "face" if kind == "face.captured" else "scene", pictures, marks)
    record = text(info.get("ImageID"))
    return Reading(
        kind,
        None if record is None else record[:MAX_RECORD_ID],
        _time(info, marks),
        _device(info, record),
        pictures=tuple(pictures),
        attributes={"event_sort": sort},
        marks=tuple(marks),
    )


def _pictures(
    item: Mapping[str, Any], marks: list[str], gone: list[str]
) -> tuple[list[tuple[str, bytes]], list[dict[str, str]]]:
    """The pictures that came along, and the addresses of those that did not."""
    pictures: list[tuple[str, bytes]] = []
    urls: list[dict[str, str]] = []
    for position in range(1, 6):
        _add_url(item.get(f"StorageUrl{position}"), "scene", urls)
    listed = item.get("SubImageList")
    for image in _many(listed.get("SubImageInfoObject") if isinstance(listed, dict) else listed):
        shows = text(image.get("Type")) or ""
        shows = shows.zfill(2)
        if shows in OCCUPANTS:
            gone.append(f"SubImageList.SubImageInfoObject[Type={shows}]")
            continue
        role = ROLES.get(shows, "scene")
        picture(image.get("Data"), role, pictures, marks)
        _add_url(image.get("StoragePath"), role, urls)
    return pictures, urls


def _add_url(value: Any, role: str, urls: list[dict[str, str]]) -> None:
    if isinstance(value, str) and value.strip("\0 "):
        urls.append({"role": role, "url": value.replace("\0", "").strip()[:_LONGEST_URL]})


def _time(item: Mapping[str, Any], marks: list[str]) -> dt.datetime | None:
    listed = item.get("SubImageList")
    images = _many(listed.get("SubImageInfoObject") if isinstance(listed, dict) else listed)
    told = [text(item.get(name)) for name in _TIMES] + [text(image.get("ShotTime")) for image in images]
    found = next((when for when in map(moment, told) if when is not None), None)
    if found is None:
        mark(marks, "time_unreadable" if any(told) else "time_missing")
    return found


def _device(item: Mapping[str, Any], record: str | None) -> str | None:
    """The capture device; ids in the standard's length begin with its twenty digits."""
    named = next((found for found in (text(item.get(name)) for name in _DEVICES) if found), None)
    if named is not None:
        return named
    for identity in (record, text(item.get("SourceID"))):
        if identity is not None and len(identity) in {41, 48} and identity[:20].isdigit():
            return identity[:20]
    return None
