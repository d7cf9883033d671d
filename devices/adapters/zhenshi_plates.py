"""A vehicle before a 臻识 camera: what was read on it, when, and what the camera is told about the record."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bus.messages import PlateReading
from devices.adapters.contract import Decoded, HttpReply, Reading, RefusedError, SignOfLife
from devices.adapters.endings import over
from devices.adapters.fields import (
    decoded_text,
    epoch,
    flag,
    integer,
    mark,
    moment,
    percentage,
    picture,
    section,
    text,
)
from devices.adapters.leftovers import leftovers
from devices.adapters.zhenshi_codes import (
    ALARM,
    CAR_COLORS,
    CLEARED,
    COLORS,
    MOVING,
    NO_PLATE,
    OPENED_BY,
    PLATE_TYPES,
    RESULT,
    TRIGGERS,
)

# triggerType → (type, what its record id begins with); all others tell of a plate.
_LANE: Final = {
    64: ("vehicle.stranded", "stranded"),
    CLEARED: ("vehicle.stranded", "stranded"),
    66: ("vehicle.turned_back", "back"),
}


def reply_to(plate_id: int | None, *, late: bool) -> HttpReply:
    """What a pushing camera is told: that it may go on. Never `"info": "ok"`, which opens the barrier."""
    told: dict[str, Any] = {}
    if plate_id is not None:
        # Records kept while offline come one at a time, each when the last has been answered.
        told = (
            {"ContinuePushOffline": {"plateid": plate_id, "continue": 1}} if late else {"plateid": plate_id}
        )
    return HttpReply(msgspec.json.encode({"Response_AlarmInfoPlate": told}), "application/json")


def passage(
    data: Mapping[str, Any],
    sn: str | None,
    *,
    encoded: bool = False,
    late: bool = False,
    replies: bool = False,
) -> Decoded:
    """A vehicle before the camera. `encoded` where the plate is base64, as over MQTT."""
    alarm = section(data, "AlarmInfoPlate")
    sn = sn or text(alarm.get("serialno"))
    if flag(alarm.get("heartbeat")):
        facts = {"ip": text(alarm.get("ipaddr")), "name": decoded_text(alarm.get("deviceName"))}
        known = {name: value for name, value in facts.items() if value is not None}
        reply = reply_to(None, late=False) if replies else None
        return Decoded(sn, signs=(SignOfLife(online=True, facts=known),), reply=reply)
    result = section(alarm, "result", "PlateResult")
    if not result:
        raise RefusedError("missing_field", "AlarmInfoPlate.result.PlateResult")
    marks: list[str] = []
    late = late or flag(result.get("isoffline")) is True
    plate_id, trigger = integer(result.get("plateid")), integer(result.get("triggerType"))
    reply = reply_to(plate_id, late=late) if replies else None
    plate = _plate(result, encoded=encoded, marks=marks)
    attributes = _attributes(result, trigger, encoded=encoded, marks=marks)
    if user_data := decoded_text(alarm.get("user_data")):
        attributes["user_data"] = user_data
    rest, taken = leftovers(result, RESULT, path="AlarmInfoPlate.result.PlateResult")
    other, also_taken = leftovers(alarm, ALARM, path="AlarmInfoPlate")
    rest |= other
    if rest:
        mark(marks, "unknown_fields")
    pictures: list[tuple[str, bytes]] = []
    for name, role in (("full_image_content", "scene"), ("imageFile", "scene"),
                       ("small_image_content", "plate"), ("imageFragmentFile", "plate")):  # fmt: skip
        picture(result.get(name), role, pictures, marks)
    when = _frame_time(section(result, "timeStamp", "Timeval"), marks)
    kind, prefix = _LANE.get(
        trigger or 0, ("plate.recognised" if plate is not None and plate.text else "plate.none", "plate")
    )
    unique = text(result.get("unique_id")) if plate_id is None else str(plate_id)
    readings = [
        Reading(
            kind,
            record(prefix, unique),
            when,
            late=late,
            plate=plate,
            pictures=tuple(pictures),
            attributes=rest | attributes,
            marks=tuple(marks),
        )
    ]
    if trigger == CLEARED:
        # The barrier's pulse and the plate were told with the passage.
        ends = tuple(end for end in map(over, readings) if end is not None)
        return Decoded(sn, ends, reply=reply, dropped=taken + also_taken)
    outputs = [output for output in attributes.get("outputs", ()) if output["by"] == "device_list"]
    if outputs:
        # Nobody asked us: the barrier went up on the camera's own list, as it may while we are away.
        opened = {"opened_by": "device_list", "output": outputs[0]["output"]}
        readings.append(
            Reading(
                "barrier.opened", record("opened", unique), when, late=late, plate=plate, attributes=opened
            )
        )
    return Decoded(sn, tuple(readings), reply=reply, dropped=taken + also_taken)


def record(prefix: str, unique: str | None) -> str | None:
    return None if unique is None else f"{prefix}:{unique}"[:200]


def _plate(result: Mapping[str, Any], *, encoded: bool, marks: list[str]) -> PlateReading | None:
    """What was read on the plate; None where there was neither text nor colour."""
    plates = objects(result.get("plates"))
    first = plates[0] if plates else {}
    found = None
    if not flag(result.get("is_encrypted")):
        found = license_of(result.get("license"), encoded=encoded)
        if text(result.get("license")) is None:
            found = license_of(first.get("license"), encoded=encoded)
    code = result.get("colorType", first.get("color"))
    color = COLORS.get(integer(code) or 0)
    if color is None and integer(code):
        mark(marks, "undocumented_code")
    if found is None and color is None:
        return None
    # Documented as 1…100: nought is what stands there where nothing was read.
    confidence = percentage(result.get("confidence")) or None
    return PlateReading(found, confidence if found else None, color)


def license_of(value: Any, *, encoded: bool) -> str | None:
    """A plate's text. Raises `RefusedError` for what is too long to be one."""
    found = text(value)
    inner = decoded_text(value)
    # Over HTTP it is plain, but a plain plate of ASCII may be valid base64 by chance. Only what
    # turns into Chinese was base64.
    if encoded or (inner is not None and any("\u4e00" <= letter <= "\u9fff" for letter in inner)):
        found = inner
    found = "".join((found or "").split())
    if not found or found in NO_PLATE:
        return None
    if len(found) > 32:
        raise RefusedError("invalid_field", "license is longer than 32 characters")
    return found


def _attributes(
    result: Mapping[str, Any], trigger: int | None, *, encoded: bool, marks: list[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "plate_type": PLATE_TYPES.get(integer(result.get("type")) or 0),
        "vehicle_color": CAR_COLORS.get(integer(result.get("carColor")) or 0),
        "moving": MOVING.get(integer(result.get("direction")) or 0),
        "trigger": TRIGGERS.get(trigger or 0),
        "fake_plate": flag(result.get("is_fake_plate")) or None,
        "encrypted": flag(result.get("is_encrypted")) or None,
        "picture_path": path_of(result.get("imagePath"), encoded=encoded),
    }
    if trigger is not None and trigger not in TRIGGERS:
        found["trigger"] = trigger
        mark(marks, "undocumented_code")
    brand = section(result, "car_brand")
    if integer(brand.get("brand")) not in {None, 0, 255}:
        found["car_brand"] = {name: integer(brand.get(name)) for name in ("brand", "type", "year")}
    outputs = [
        {"output": integer(output.get("ionum")), "by": OPENED_BY[by]}
        for output in objects(result.get("gioouts"))
        if (by := integer(output.get("ctrltype"))) in OPENED_BY
    ]
    plates = objects(result.get("plates"))
    if len(plates) > 1:
        found["plates"] = [
            {
                "text": license_of(plate.get("license"), encoded=encoded),
                "color": COLORS.get(integer(plate.get("color")) or 0),
            }
            for plate in plates
        ]
    if outputs:
        found["outputs"] = outputs
    return {name: value for name, value in found.items() if value is not None}


def number_or(value: Any, otherwise: int) -> int:
    found = integer(value)
    return otherwise if found is None else found


def objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def path_of(value: Any, *, encoded: bool) -> str | None:
    found = decoded_text(value) if encoded else text(value)
    return None if found is None else found.partition("?")[0] or None


def _frame_time(stamp: Mapping[str, Any], marks: list[str]) -> dt.datetime | None:
    """The frame's time: an epoch, or the camera's wall clock where that is missing.

    The envelope's `timestamp` is no substitute: it is when the message was sent, which for a
    record kept while offline is hours later and differs each time.
    """
    when = epoch(stamp.get("sec"), stamp.get("usec"))
    if when is None and stamp:
        parts = [
            integer(stamp.get(name))
            for name in ("decyear", "decmon", "decday", "dechour", "decmin", "decsec")
        ]
        when = moment("{}-{}-{} {}:{}:{}".format(*parts)) if None not in parts else None
        if when is None:
            mark(marks, "time_unreadable")
    elif when is None:
        mark(marks, "time_missing")
    return when
