"""Plates that Dahua cameras read: the event of a passage, and the push of their own (ITSAPI)."""

from collections.abc import Mapping
from typing import Any

from bus.messages import PlateReading
from devices.adapters.contract import Decoded, HttpReply, Reading
from devices.adapters.dahua_codes import COLORS, NO_PLATE
from devices.adapters.dahua_told import PRIVATE, numbered, reading, rest
from devices.adapters.dahua_wire import NobodyAskedError, Told
from devices.adapters.fields import integer, moment, percentage, picture, section, text
from devices.adapters.leftovers import leftovers


def passage(told: Told) -> tuple[Reading, tuple[str, ...]]:
    data = told.data
    car, thing, plate = section(data, "TrafficCar"), section(data, "Object"), section(data, "Plate")
    vehicle, bicycle = section(data, "Vehicle"), section(data, "NonMotor")
    known = frozenset(
        ["PlateNumber", "PlateText", "PlateColor", "PlateType", "Confidence", "DrivingDirection", "Direction"]
    )
    extra, dropped = rest(told, known)
    is_plate = (text(thing.get("ObjectType")) or "Plate").lower() == "plate"
    said = _first(
        car.get("PlateNumber"), thing.get("Text") if is_plate else None, plate.get("Text"),
        plate.get("PlateNumber"), data.get("PlateNumber"), data.get("PlateText"),
        section(bicycle, "Plate").get("Text"),
    )  # fmt: skip
    score = (
        thing.get("Confidence")
        if is_plate and thing
        else _first(plate.get("Confidence"), data.get("Confidence"))
    )
    color = _first(car.get("PlateColor"), plate.get("PlateColor"), data.get("PlateColor"))
    number = _plate_text(said)
    kind = "plate.recognised" if number is not None else "plate.none"
    if number is None and bicycle:
        # Nobody expects a plate on a bicycle.
        raise NobodyAskedError
    moving = car.get("DrivingDirection", data.get("DrivingDirection"))
    moving = moving[0] if isinstance(moving, list) and moving else moving
    group = numbered("group", data, "GroupID")
    shot = integer(data.get("IndexInGroup"))
    attributes = {
        "rule": text(data.get("Name")),
        # Towards the camera or away from it; which of them is inwards, the registry knows.
        "moving": text(moving),
        "lane": text(data.get("Lane")),
        "plate_type": _known_word(_first(car.get("PlateType"), data.get("PlateType"))),
        "brand": text(vehicle.get("Text")) or text(car.get("VehicleSign")),
        "vehicle_color": _known_word(car.get("VehicleColor")),
        "vehicle_type": _known_word(vehicle.get("Category")),
    }
    told_plate = None if number is None else PlateReading(number, percentage(score), _color(color))
    return (
        reading(
            kind,
            told,
            group or numbered("event", data, "EventID", "EventSeq"),
            attributes,
            extra=extra,
            plate=told_plate,
            track=text(thing.get("ObjectID")),
            revision=shot if group is not None and shot is not None and 0 <= shot < 1000 else None,
        ),
        dropped,
    )


def _first(*values: Any) -> str | None:
    for value in values:
        found = text(value)
        if found is not None:
            return found
    return None


def _plate_text(said: str | None) -> str | None:
    if said is None or said.lower() in NO_PLATE or len(said) > 32:
        return None
    return said


def _color(said: str | None) -> str | None:
    return None if said is None else COLORS.get(said.lower().replace(" ", "").replace("_", ""))


def _known_word(said: Any) -> str | None:
    found = text(said)
    return None if found is None or found.lower() in {"unknown", "unknow", "other"} else found


def tollgate(data: Mapping[str, Any], reply: HttpReply | None) -> Decoded:
    """`/NotificationInfo/TollgateInfo`: one passage with its pictures in base64."""
    whole = section(data, "Picture")
    plate, snap, vehicle = section(whole, "Plate"), section(whole, "SnapInfo"), section(whole, "Vehicle")
    extra, dropped = leftovers(
        snap,
        ["DeviceID", "AccurateTime", "SnapTime", "TimeZone", "Direction", "LanNo", "DSTTune", "SnapAddress"],
        PRIVATE,
        "Picture.SnapInfo",
    )
    when = moment(snap.get("AccurateTime")) or moment(snap.get("SnapTime"))
    given = text(snap.get("AccurateTime")) or text(snap.get("SnapTime"))
    marks = [] if when is not None else ["time_missing" if given is None else "time_unreadable"]
    pictures: list[tuple[str, bytes]] = []
    for name, role in (("NormalPic", "scene"), ("VehiclePic", "vehicle"), ("CutoutPic", "plate")):
        picture(section(whole, name).get("Content"), role, pictures, marks)
    number = _plate_text(text(plate.get("PlateNumber"))) if plate.get("IsExist") is not False else None
    attributes = extra | {
        name: value
        for name, value in (
            ("lane", text(snap.get("LanNo"))),
            ("facing", text(snap.get("Direction"))),
            ("plate_type", _known_word(plate.get("PlateType"))),
            ("region", text(plate.get("Region"))),
            ("vehicle_color", _known_word(vehicle.get("VehicleColor"))),
            ("vehicle_type", _known_word(vehicle.get("VehicleType"))),
            ("brand", _known_word(vehicle.get("VehicleSign"))),
        )
        if value is not None
    }
    reading = Reading(
        "plate.recognised" if number is not None else "plate.none",
        device_time=when,
        plate=None
        if number is None
        else PlateReading(number, percentage(plate.get("Confidence")), _color(text(plate.get("PlateColor")))),
        pictures=tuple(pictures),
        attributes=attributes,
        marks=(*marks, "unknown_fields") if extra else tuple(marks),
    )
    return Decoded(text(snap.get("DeviceID")), (reading,), reply=reply, dropped=dropped)
