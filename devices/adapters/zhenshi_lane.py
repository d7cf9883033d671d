"""What a 臻识 camera says of the lane beside the plates: its barrier, its own watch, pictures on demand."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from bus.messages import PlateReading
from devices.adapters.contract import Decoded, HttpReply, Reading
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
from devices.adapters.zhenshi_codes import COLOR_NAMES, LANE_CLEARED, LANE_EVENTS, LANE_OVER
from devices.adapters.zhenshi_plates import license_of, number_or, objects, path_of, record


def gate(
    body: Mapping[str, Any], sn: str | None, when: dt.datetime | None, message_id: str | None
) -> Decoded:
    """The barrier's state, told again and again: an event only where it changes."""
    what = f"barrier:{text(body.get('gate_ctrl_id')) or '1'}"
    if flag(body.get("enable")) is False:
        return Decoded(sn, ignored="configuration")
    marks = () if when is not None else ("time_missing",)
    told_as = record("gate", message_id)
    if flag(body.get("connect_status")) is False:
        lost = Reading(
            "device.fault", told_as, when, attributes={"fault": "barrier_unreachable"}, marks=marks,
            point=(what, "unreachable"),
        )  # fmt: skip
        return Decoded(sn, (lost,))
    state = {0: "closed", 1: "opened"}.get(number_or(body.get("gate_status"), -1))
    if state is None:
        # On its way up or down.
        return Decoded(sn, ignored="no_change")
    return Decoded(sn, (Reading(f"barrier.{state}", told_as, when, marks=marks, point=(what, state)),))


def lane(payload: Mapping[str, Any], sn: str | None) -> Decoded:
    """What the lane's own watch saw: somebody or something that stays, turns back, follows too close."""
    event = integer(payload.get("event_type"))
    if event == LANE_CLEARED:
        return Decoded(sn, ignored="cleared_state")
    began = LANE_OVER.get(number_or(event, -1))
    kind, what = LANE_EVENTS.get(number_or(event, -1) if began is None else began, (None, None))
    when = moment(payload.get("time"))
    missing = "time_missing" if text(payload.get("time")) is None else "time_unreadable"
    readings: list[Reading] = []
    found = objects(payload.get("result")) or [{}]
    for position, item in enumerate(found):
        marks: list[str] = []
        if when is None:
            mark(marks, missing)
        if what is None:
            mark(marks, "undocumented_code")
        told = section(item, "plate_result")
        plate = _lane_plate(told)
        number = text(payload.get("result_id"))
        unique = number if number is None or len(found) == 1 else f"{number}.{position}"
        pictures: list[tuple[str, bytes]] = []
        for name, role in (("full_image", "scene"), ("small_image", "plate")):
            image = section(item, name)
            picture(image.get(f"{name}_content") or image.get("image_content"), role, pictures, marks)
        attributes = {
            "event": what or event,
            "group": text(payload.get("group_id_str")) or text(payload.get("group_id")),
            "plate_type": decoded_text(told.get("type")),
            "picture_path": path_of(section(item, "full_image").get("full_image_path"), encoded=True),
        }
        shared: dict[str, Any] = {
            "device_time": when,
            "late": flag(payload.get("isoffline")) is True,
            "plate": plate,
            "pictures": tuple(pictures)[:2],
            "attributes": {name: value for name, value in attributes.items() if value is not None},
            "marks": tuple(marks),
        }
        read = plate is not None and plate.text is not None
        if kind is not None:
            told_of = Reading(kind, record("lane", unique), **shared)
            if began is not None:
                # One end, however many pictures of it: what was there is gone.
                return Decoded(sn, tuple(end for end in (over(told_of),) if end is not None))
            readings.append(told_of)
        # An event about a person does not swallow the plate that was read with it.
        if kind is None or (read and kind.startswith("video.")):
            seen = "plate.recognised" if read else "plate.none"
            if readings and kind is not None:
                shared["pictures"] = ()
            readings.append(Reading(seen, record("lane-plate", unique), **shared))
    return Decoded(sn, tuple(readings[:20]))


def _lane_plate(told: Mapping[str, Any]) -> PlateReading | None:
    found = license_of(told.get("license"), encoded=True)
    color = COLOR_NAMES.get((decoded_text(told.get("color_type")) or "").removesuffix("色"))
    if found is None and color is None:
        return None
    return PlateReading(found, (percentage(told.get("confidence")) or None) if found else None, color)


def snapshot(
    payload: Mapping[str, Any], sn: str | None, data: Mapping[str, Any], reply: HttpReply | None
) -> Decoded:
    """A picture that was asked for, of whatever stands in the lane."""
    marks: list[str] = []
    pictures: list[tuple[str, bytes]] = []
    content = payload.get("image_content") or payload.get("imageFile")
    picture(content or section(payload, "body").get("image_content"), "scene", pictures, marks)
    if not pictures:
        return Decoded(sn, reply=reply, ignored="answer")
    when = epoch(data.get("timestamp"))
    if when is None:
        mark(marks, "time_missing")
    taken = Reading(
        # Nothing was read in it yet: our own recognition looks.
        "plate.recognised",
        record("snapshot", text(data.get("id"))),
        when,
        pictures=tuple(pictures),
        attributes={"asked": True},
        marks=tuple(marks),
    )
    return Decoded(sn, (taken,), reply=reply)
