"""Uniview cameras and recorders: alarms, and what was seen in a picture."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bus.messages import PlateReading
from devices.adapters.contract import MAX_PICTURES, Decoded, HttpReply, Reading, RefusedError
from devices.adapters.endings import LASTING, over
from devices.adapters.fields import integer, percentage, picture, section, text
from devices.adapters.leftovers import leftovers
from devices.adapters.uniview_codes import ALARMS, COLORS, LEAVING, NO_PLATE, NOT_SECURITY, OBJECTS
from devices.adapters.uniview_told import PRIVATE, first_of, numbered, sender_of, time_of

_MOST: Final = 200
_ENDING: Final = re.compile(r"(?:Alarm)?(On|Off)?$", re.IGNORECASE)


def _alarm_type(said: str | None) -> tuple[str | None, str | None, str]:
    """(type, ignored, the bare word) of an `AlarmType`. Raises `RefusedError` for one that nobody knows."""
    word = said or ""
    ending = _ENDING.search(word)
    bare = word[: ending.start()] if ending is not None else word
    bare = re.sub(r"Detection$", "", bare, flags=re.IGNORECASE)
    key = bare.lower()
    if _is_off(said):
        return None, "no_change", key
    if key in ALARMS:
        return ALARMS[key], None, key
    if key in NOT_SECURITY:
        return None, "not_security", key
    raise RefusedError("unknown_type" if word else "missing_field", word[:64] or "AlarmType")


def _is_off(said: str | None) -> bool:
    ending = _ENDING.search(said or "")
    return ending is not None and (ending.group(1) or "").lower() == "off"


def alarm(data: Mapping[str, Any], reply: HttpReply) -> Decoded:
    """An alarm that began or is over, of a camera or of a channel of a recorder. Raises `RefusedError`."""
    info = section(data, "AlarmInfo") or dict(data)
    said = text(info.get("AlarmType"))
    kind, ignored, word = _alarm_type(said)
    sender = sender_of(data)
    off = _is_off(said) and ALARMS.get(word) in LASTING
    if off:
        kind = ALARMS[word]
    if kind is None:
        return Decoded(sender, reply=reply, ignored=ignored)
    known = ["AlarmType", "AlarmLevel", "TimeStamp", "AlarmSeq", "AlarmSrcID", "AlarmSrcType", "AlarmSrcName",
             "RelatedID", "Reference", "Seq", "SourceID", "AlarmPicture", "DeviceID", "DeviceCode",
             "RelatedObjects"]  # fmt: skip
    kept, dropped = leftovers(info, known, PRIVATE, "AlarmInfo")
    when, marks = time_of(info.get("TimeStamp"), info.get("Timestamp"), data.get("TimeStamp"))
    related = text(info.get("RelatedID"))
    objects = section(data, "RelatedObjects").get("ObjectList")
    thing = objects[0] if isinstance(objects, list) and objects and isinstance(objects[0], dict) else {}
    found = {
        "alarm": text(info.get("AlarmType")),
        "channel": text(info.get("AlarmSrcID")) or text(info.get("SourceID")),
        "channel_name": text(info.get("AlarmSrcName")),
        "level": integer(info.get("AlarmLevel")),
        "object": OBJECTS.get(integer(thing.get("ObjectType")) or 0),
        "leaving": True if word in LEAVING else None,
    }
    pictures: list[tuple[str, bytes]] = []
    images = section(data, "AlarmPicture").get("ImageList")
    for image in images[:MAX_PICTURES] if isinstance(images, list) else ():
        if isinstance(image, dict):
            picture(image.get("Data"), "scene", pictures, marks)
    reading = Reading(
        kind,
        f"related:{related}"[:200] if related else numbered("alarm", info.get("AlarmSeq", data.get("Seq"))),
        when,
        track=text(thing.get("ObjectID")),
        pictures=tuple(pictures),
        attributes=kept | {name: value for name, value in found.items() if value is not None},
        marks=(*marks, "unknown_fields") if kept else tuple(marks),
        # `Structure` tells the same with pictures.
        revision=1 if related else None,
    )
    end = over(reading) if off else None
    return Decoded(sender, (end or reading,), reply=reply, dropped=dropped)


def structure(data: Mapping[str, Any], reply: HttpReply) -> Decoded:
    """What a camera saw in one picture: plates, faces, or the pictures to an alarm. Raises `RefusedError`."""
    whole = section(data, "StructureInfo")
    seen = section(whole, "ObjInfo")
    if any(isinstance(listed, list) and len(listed) > _MOST for listed in seen.values()):
        raise RefusedError("too_large", f"more than {_MOST} objects in one picture")
    images = _images(whole)
    _, dropped = leftovers({"StructureInfo": whole}, (), PRIVATE)
    readings: list[Reading] = []
    for number, vehicle in enumerate(_objects(seen, "VehicleInfoList")):
        if section(vehicle, "PlateAttributeInfo") or not text(data.get("AlarmType")):
            readings.append(_plate(data, vehicle, number, images))
    said = text(data.get("AlarmType"))
    kind: str | None = None
    ignored: str | None = None
    if said is not None:
        kind, ignored, _ = _alarm_type(said)
    if kind is not None:
        readings.append(_pictured(data, kind, seen, images))
    elif not readings:
        faces = _objects(seen, "FaceInfoList")
        readings += [_face(data, face, number, images) for number, face in enumerate(faces)]
    return Decoded(
        sender_of(data),
        tuple(readings),
        reply=reply,
        dropped=dropped,
        ignored=None if readings else ignored or "not_security",
    )


def _objects(seen: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    listed = seen.get(name)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _images(whole: Mapping[str, Any]) -> dict[int, Any]:
    """Pictures in base64 by the index under which objects name them."""
    found = {}
    for image in _objects(whole, "ImageInfoList"):
        index = integer(image.get("Index"))
        if index is not None:
            found[index] = image.get("Data")
    return found


def _seen(
    data: Mapping[str, Any],
    kind: str,
    record_id: str | None,
    thing: Mapping[str, Any],
    images: Mapping[int, Any],
    roles: Mapping[str, str],
    attributes: Mapping[str, Any],
    **more: Any,
) -> Reading:
    when, marks = time_of(data.get("TimeStamp"), data.get("Timestamp"))
    pictures: list[tuple[str, bytes]] = []
    for name, role in roles.items():
        index = integer(thing.get(name))
        if index is not None:
            picture(images.get(index), role, pictures, marks)
    found = {"channel": text(data.get("SrcID")), "channel_name": text(data.get("SrcName"))} | dict(attributes)
    return Reading(
        kind,
        record_id,
        when,
        late=integer(data.get("NotificationType")) == 1,
        pictures=tuple(pictures[:MAX_PICTURES]),
        attributes={name: value for name, value in found.items() if value is not None},
        marks=tuple(marks),
        **more,
    )


def _plate(
    data: Mapping[str, Any], vehicle: Mapping[str, Any], number: int, images: Mapping[int, Any]
) -> Reading:
    plate = section(vehicle, "PlateAttributeInfo") or first_of(vehicle, "PlateAttributeInfo")
    said = text(plate.get("PlateNo"))
    if said is not None and (said.lower() in NO_PLATE or len(said) > 32):
        said = None
    seq = numbered("structure", data.get("Seq"))
    look = section(vehicle, "VehicleAttributeInfo")
    track = text(vehicle.get("VehicleID")) or text(vehicle.get("ID"))
    roles = {"LargePicAttachIndex": "scene", "SmallPicAttachIndex": "vehicle", "PlatePicAttachIndex": "plate"}
    color = integer(plate.get("Color"))
    reading = None
    if said is not None:
        confidence = percentage(plate.get("Confidence"))
        reading = PlateReading(said, confidence, None if color is None else COLORS.get(color))
    attributes = {"vehicle_type": text(look.get("Type")), "moving": text(vehicle.get("DirectionType"))}
    return _seen(
        data,
        "plate.none" if said is None else "plate.recognised",
        None if seq is None else f"{seq}.{number}",
        vehicle,
        images,
        roles,
        attributes,
        track=track,
        plate=reading,
    )


def _face(
    data: Mapping[str, Any], face: Mapping[str, Any], number: int, images: Mapping[int, Any]
) -> Reading:
    seq = numbered("structure", data.get("Seq"))
    roles = {"SmallPicAttachIndex": "face", "LargePicAttachIndex": "scene"}
    record_id = None if seq is None else f"{seq}.{number}"
    return _seen(data, "face.captured", record_id, face, images, roles, {}, track=text(face.get("FaceID")))


def _pictured(
    data: Mapping[str, Any], kind: str, seen: Mapping[str, Any], images: Mapping[int, Any]
) -> Reading:
    lists = ("PersonInfoList", "VehicleInfoList", "NonMotorVehicleInfoList", "FaceInfoList")
    words = ("person", "vehicle", "non_motor_vehicle", "face")
    thing, word = next(
        (
            (_objects(seen, name)[0], word)
            for name, word in zip(lists, words, strict=True)
            if _objects(seen, name)
        ),
        ({}, None),
    )
    related = text(data.get("RelatedID"))
    return _seen(
        data,
        kind,
        f"related:{related}"[:200] if related else numbered("structure", data.get("Seq")),
        thing,
        images,
        {"LargePicAttachIndex": "scene", "SmallPicAttachIndex": "body"},
        {"alarm": text(data.get("AlarmType")), "object": word},
        revision=2 if related else None,
    )
