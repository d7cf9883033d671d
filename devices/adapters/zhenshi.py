"""臻识 (vzenith) plate cameras, over MQTT and by HTTP push.

Sources: the vendor's HTTP push and MQTT documents at open.vzicloud.com, and public notes of
integrators who ran C5H cameras with them. A camera wired to a barrier speaks for it too.

The vendor's broker knows no retained message and no last will: a camera that is gone is told
by its missing `keep_alive` alone.
"""

import base64
import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from bus.messages import PlateReading
from devices.adapters.contract import (
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
    UnsupportedError,
)
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
from devices.adapters.forms import is_form, read_form, read_push
from devices.adapters.leftovers import leftovers

# An older kind of firmware sends the body of its HTTP push to this one topic.
_PUSH_TOPIC: Final = "/device/push/result"

_NO_PLATE: Final = frozenset(["_无_", "无", "无牌", "无牌车"])
_COLORS: Final = {1: "blue", 2: "yellow", 3: "white", 4: "black", 5: "green", 6: "yellow_green"}
_COLOR_NAMES: Final = {
    "蓝": "blue", "黄": "yellow", "白": "white", "黑": "black", "绿": "green", "黄绿": "yellow_green",
}  # fmt: skip
_PLATE_TYPES: Final = {
    1: "small", 2: "black", 3: "yellow", 4: "yellow_double", 5: "police", 6: "armed_police",
    7: "personal", 8: "military", 9: "military_double", 10: "embassy", 11: "hong_kong", 12: "farm",
    13: "learner", 14: "macau", 15: "armed_police_double", 16: "armed_police_corps",
    17: "armed_police_corps_double", 18: "aviation", 19: "new_energy", 20: "new_energy_large",
    21: "emergency", 22: "consulate", 23: "new_standard_fuel", 24: "new_standard_new_energy",
    25: "airport", 26: "overseas", 29: "fake", 30: "logo", 31: "none",
}  # fmt: skip
# 0 is white, and what stands there where no car was looked at: not believed.
_CAR_COLORS: Final = {
    1: "silver", 2: "yellow", 3: "pink", 4: "red", 5: "green", 6: "blue", 7: "brown", 8: "black",
}  # fmt: skip
# Across the picture: which of them leads in is a matter of how the camera hangs.
_MOVING: Final = {1: "left", 2: "right", 3: "up", 4: "down"}
_TRIGGERS: Final = {
    1: "automatic",
    2: "input",
    4: "software",
    8: "virtual_loop",
    64: "stranded",
    66: "turned_back",
}
_CLEARED: Final = 65
# Who made an output pulse: nobody (0), our command (1), the camera's own list (2).
_OPENED_BY: Final = {1: "server", 2: "device_list"}
# Lane events: (type, what). Source: an integrator's table; the vendor's page names none.
_LANE_EVENTS: Final = {
    81: ("video.loitering", "person_stranded"), 82: ("vehicle.stranded", "vehicle_stranded"),
    83: (None, "vehicle_passed"), 84: ("vehicle.turned_back", "vehicle_turned_back"),
    85: ("video.tailgating", "tailgating"), 96: ("video.crowd", "crowd"),
    112: ("vehicle.stranded", "non_motor_stranded"),
}  # fmt: skip
_LANE_CLEARED: Final = frozenset([73, 97, 113])

_COMMAND_NAMES: Final = frozenset(
    [
        "gate_direct_open",
        "gpio_out",
        "ivs_trigger",
        "reboot_dev",
        "set_time",
        "tts_voice",
        "white_list_operator",
    ]
)

_RESULT: Final[Mapping[str, str]] = {
    "license": "plate.text",
    "confidence": "plate.confidence",
    "colorType": "plate.color",
    "plateid": "record_id",
    "timeStamp": "device_time",
    "isoffline": "late",
    "triggerType": "type, attributes.trigger",
    "type": "attributes.plate_type",
    "direction": "attributes.moving",
    "carColor": "attributes.vehicle_color",
    "is_fake_plate": "attributes.fake_plate",
    "is_encrypted": "plate.text is left out, attributes.encrypted",
    "gioouts": "attributes.outputs; a second event barrier.opened where the camera's own list opened",
    "plates": "attributes.plates where there are several",
    "car_brand": "attributes.car_brand",
    "full_image_content": "pictures (scene)",
    "imageFile": "pictures (scene)",
    "small_image_content": "pictures (plate)",
    "imageFragmentFile": "pictures (plate)",
    "imagePath": "attributes.picture_path, without its query: it may be a signature",
} | dict.fromkeys(
    [
        "bright", "carBright", "colorValue", "clean_time", "timeUsed", "feature_code", "location",
        "car_location", "carlocation", "plate_distance", "plate_true_width", "license_ext_type",
        "imageFileLen", "imageFragmentFileLen", "imageFragmentPath", "imageFragmentAbsolutePath",
        "imageFragmentRelativePath", "imageAbsolutePath", "imageRelativePath", "bucket", "oss_type",
        "pos", "color",
    ],
    "not kept",
)  # fmt: skip
_ALARM: Final[Mapping[str, str]] = {
    "serialno": "sender over HTTP",
    "user_data": "attributes.user_data",
    "heartbeat": "sign of life",
    "ipaddr": "facts.ip",
    "deviceName": "facts.name",
    "result": "the event",
    "channel": "not kept",
    "rule_id": "not kept",
}

_PLATE_ID: Final = re.compile(rb'"plateid"\s*:\s*"?(\d{1,18})')
_OFFLINE: Final = re.compile(rb'"isoffline"\s*:\s*"?1')


class ZhenshiAdapter(Adapter):
    """Both topic layouts, plate base64 over MQTT and plain over HTTP, records kept while offline."""

    name = "zhenshi"
    title = "臻识 Vzenith plate cameras"
    aliases = ("vzenith", "zhenshi-vzenith", "臻识")
    topics = (
        "device/+/message/up/+",
        "+/device/message/up/+",
        "device/+/message/down/+/reply",
        "+/device/message/down/+/reply",
        _PUSH_TOPIC,
    )
    pushes = True
    heartbeat_s = 10
    # A plate on the camera's own list opens without us, and a card is no plate: lists stay here.
    commands = frozenset(["open", "close", "hold", "release", "speak", "snapshot", "sync_time"])
    fields: ClassVar[Mapping[str, str]] = {
        **{f"AlarmInfoPlate.result.PlateResult.{name}": where for name, where in _RESULT.items()},
        **{f"AlarmInfoPlate.{name}": where for name, where in _ALARM.items()},
        "sn": "sender",
        "id": "record_id where the record has none of its own; command_id of an answer",
        "timestamp": "device_time of states and inputs",
        "code": "code of an answer, 200 for done",
        "payload.body.gate_status": "barrier.opened, barrier.closed",
        "payload.body.connect_status": "device.fault where the barrier's controller is lost",
        "payload.result[].plate_result.license": "plate.text",
        "payload.event_type": "type, attributes.event",
        "payload.result_id": "record_id",
        "payload.image_content": "pictures (scene)",
    }

    def decode(self, message: Incoming) -> Decoded:
        place = _place(message.topic)
        if place is not None:
            sn, branch, leaf = place
            if branch == "down":
                raise RefusedError("command_not_event", leaf)
            data = read_push(message.body, "application/json")
            return _answer(data, sn, leaf) if branch == "reply" else _uplink(data, sn, leaf)
        if message.content_type is None and message.topic and not message.topic.startswith("/"):
            raise RefusedError("wrong_topic", "expected device/{sn}/message/… or {sn}/device/message/…")
        return _pushed(message)

    def refused(self, message: Incoming, reason: str) -> Refusal:
        _ = reason
        if _place(message.topic) is not None or message.topic == _PUSH_TOPIC:
            return Refusal()
        plate_id = _PLATE_ID.search(message.body)
        known = None if plate_id is None else int(plate_id.group(1))
        return Refusal(reply=_reply(known, late=_OFFLINE.search(message.body) is not None))

    def encode(self, order: Order) -> tuple[Outgoing, ...]:
        name, kind, body = _command(self.name, order)
        payload = msgspec.json.encode(
            {
                "id": order.id,
                "sn": order.external_id,
                "name": name,
                "version": "1.0",
                "timestamp": int(order.at.timestamp()),
                "payload": {"type": kind, "body": body},
            }
        )
        # A camera listens to one layout, and nothing that it says at rest tells which.
        return (
            Outgoing(f"device/{order.external_id}/message/down/{name}", payload, 1),
            Outgoing(f"{order.external_id}/device/message/down/{name}", payload, 1),
        )

    def rights(self, external_id: str) -> Rights:
        branches = (f"device/{external_id}/message", f"{external_id}/device/message")
        return Rights(
            tuple(f"{branch}/{leaf}" for branch in branches for leaf in ("up/+", "down/+/reply")),
            tuple(f"{branch}/down/+" for branch in branches),
        )


def _command(adapter: str, order: Order) -> tuple[str, str, dict[str, Any]]:
    """(command, payload type, body). Output 0 is wired to OPEN, output 1 to CLOSE."""
    match order.kind:
        case "open":
            return "gpio_out", "gpio_out", {"io": 0, "value": 2, "delay": _pulse(order, 1500)}
        case "close":
            return "gpio_out", "gpio_out", {"io": 1, "value": 2, "delay": _pulse(order, 3000)}
        case "hold":
            # The relay stays drawn until it is released. Status 2 would hold the way shut: never sent.
            return "set_io_lock_status", "set_io_lock_status", {"ioout": 0, "status": 1}
        case "release":
            return "set_io_lock_status", "set_io_lock_status", {"ioout": 0, "status": 0}
        case "speak":
            said = base64.b64encode(str(order.arguments.get("text", "")).encode()).decode()
            return "tts_voice", "play_voice", {"voice_male": 1, "voice_volume": 100, "voice_data": said}
        case "snapshot":
            return "snapshot", "snapshot", {}
        case "sync_time":
            names = ("year", "month", "day", "hour", "min", "sec")
            return (
                "set_time",
                "set_time",
                dict(zip(names, f"{order.at:%Y %m %d %H %M %S}".split(), strict=True)),
            )
    raise UnsupportedError(adapter, order.kind)


def _pulse(order: Order, usual: int) -> int:
    """Milliseconds of the relay's pulse; the camera takes 500…5000."""
    seconds = order.arguments.get("seconds")
    return usual if seconds is None else int(min(5000, max(500, float(seconds) * 1000)))


def _place(topic: str) -> tuple[str, str, str] | None:
    """(serial number, up, down or reply, name), for either layout."""
    match topic.split("/"):
        case ["device", sn, "message", *rest] | [sn, "device", "message", *rest]:
            match rest:
                case ["up", leaf]:
                    return sn, "up", leaf
                case ["down", leaf, "reply"]:
                    return sn, "reply", leaf
                case ["down", leaf]:
                    return sn, "down", leaf
    return None


def _pushed(message: Incoming) -> Decoded:
    """An HTTP push, or a message whose topic is not known, told by its shape."""
    if is_form(message.body, message.content_type) and not message.body.lstrip().startswith(b"{"):
        return _registration(read_form(message.body, message.content_type))
    data = read_push(message.body, message.content_type)
    if "Response_AlarmInfoPlate" in data:
        raise RefusedError("command_not_event", "what a server answers a camera")
    name, payload = text(data.get("name")), section(data, "payload")
    if name is not None and "payload" in data:
        if "code" in data:
            return _answer(data, text(data.get("sn")), name)
        if "type" in payload:
            raise RefusedError("command_not_event", name)
        return _uplink(data, text(data.get("sn")), name)
    reply = None if message.topic == _PUSH_TOPIC else _reply(None, late=False)
    if "AlarmInfoPlate" in data:
        return _passage(data, None, replies=reply is not None)
    if "AlarmGioIn" in data:
        return Decoded(text(section(data, "AlarmGioIn").get("serialno")), reply=reply, ignored="not_security")
    if "SerialData" in data:
        return Decoded(text(section(data, "SerialData").get("serialno")), reply=reply, ignored="not_security")
    if "TriggerImage" in data:
        return _snapshot(section(data, "TriggerImage"), None, {}, reply)
    raise RefusedError("unknown_type", ", ".join(data)[:64])


def _registration(form: Mapping[str, str]) -> Decoded:
    """The heartbeat by HTTP: a form which carries the camera's own login. That is not looked at."""
    sn = text(form.get("serialno"))
    if sn is None:
        raise RefusedError("missing_field", "serialno")
    facts = {"ip": text(form.get("ipaddr")), "name": text(form.get("device_name"))}
    known = {name: value for name, value in facts.items() if value is not None}
    taken = tuple(name for name in ("user_name", "pass_wd") if name in form)
    return Decoded(
        sn, signs=(SignOfLife(online=True, facts=known),), reply=_reply(None, late=False), dropped=taken
    )


def _uplink(data: Mapping[str, Any], sn: str | None, name: str) -> Decoded:
    payload = section(data, "payload")
    when = epoch(data.get("timestamp"))
    match name:
        case "keep_alive":
            told = epoch(section(payload, "body").get("timestamp")) or when
            firmware = text(data.get("bv"))
            facts = {} if firmware is None else {"firmware": firmware}
            return Decoded(sn, signs=(SignOfLife(True, told, facts=facts),))
        case "ivs_result" | "offline_record":
            return _passage(payload, sn, encoded=True, late=name == "offline_record")
        case "quick_ivs_result":
            # A preview without pictures: the same passage follows as ivs_result within the second.
            return Decoded(sn, ignored="no_change")
        case "barr_gate_status":
            return _gate(section(payload, "body"), sn, when, _record("gate", text(data.get("id"))))
        case "lanectrl_result":
            return _lane(payload, sn)
        case "snapshot":
            return _snapshot(payload, sn, data, None)
        case "gpio_in" | "serial_data":
            # What hangs on an input or on the serial line is not known here.
            return Decoded(sn, ignored="not_security")
    # Commands without a payload do not show by it what they are.
    raise RefusedError("command_not_event" if name in _COMMAND_NAMES else "unknown_type", name[:64])


def _answer(data: Mapping[str, Any], sn: str | None, name: str) -> Decoded:
    code = text(data.get("code"))
    if code is None:
        raise RefusedError("missing_field", "code")
    said = text(data.get("msg")) or text(data.get("err_msg")) or ""
    command = {"tts_voice": "speak", "snapshot": "snapshot", "set_time": "sync_time"}.get(name)
    return Decoded(
        sn,
        results=(CommandResult(text(data.get("id")), code == "200", code, said, command=command),),
    )


def _reply(plate_id: int | None, *, late: bool) -> HttpReply:
    """What a pushing camera is told: that it may go on. Never `"info": "ok"`, which opens the barrier."""
    told: dict[str, Any] = {}
    if plate_id is not None:
        # Records kept while offline come one at a time, each when the last has been answered.
        told = (
            {"ContinuePushOffline": {"plateid": plate_id, "continue": 1}} if late else {"plateid": plate_id}
        )
    return HttpReply(msgspec.json.encode({"Response_AlarmInfoPlate": told}), "application/json")


def _passage(
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
        reply = _reply(None, late=False) if replies else None
        return Decoded(sn, signs=(SignOfLife(online=True, facts=known),), reply=reply)
    result = section(alarm, "result", "PlateResult")
    if not result:
        raise RefusedError("missing_field", "AlarmInfoPlate.result.PlateResult")
    marks: list[str] = []
    late = late or flag(result.get("isoffline")) is True
    plate_id, trigger = integer(result.get("plateid")), integer(result.get("triggerType"))
    reply = _reply(plate_id, late=late) if replies else None
    if trigger == _CLEARED:
        return Decoded(sn, reply=reply, ignored="cleared_state")
    plate = _plate(result, encoded=encoded, marks=marks)
    attributes = _attributes(result, trigger, encoded=encoded, marks=marks)
    if user_data := decoded_text(alarm.get("user_data")):
        attributes["user_data"] = user_data
    rest, taken = leftovers(result, _RESULT, path="AlarmInfoPlate.result.PlateResult")
    other, also_taken = leftovers(alarm, _ALARM, path="AlarmInfoPlate")
    rest |= other
    if rest:
        mark(marks, "unknown_fields")
    pictures: list[tuple[str, bytes]] = []
    for name, role in (("full_image_content", "scene"), ("imageFile", "scene"),
                       ("small_image_content", "plate"), ("imageFragmentFile", "plate")):  # fmt: skip
        picture(result.get(name), role, pictures, marks)
    when = _frame_time(section(result, "timeStamp", "Timeval"), marks)
    kind, prefix = {64: ("vehicle.stranded", "stranded"), 66: ("vehicle.turned_back", "back")}.get(
        trigger or 0, ("plate.recognised" if plate is not None and plate.text else "plate.none", "plate")
    )
    unique = text(result.get("unique_id")) if plate_id is None else str(plate_id)
    readings = [
        Reading(
            kind,
            _record(prefix, unique),
            when,
            late=late,
            plate=plate,
            pictures=tuple(pictures),
            attributes=rest | attributes,
            marks=tuple(marks),
        )
    ]
    outputs = [output for output in attributes.get("outputs", ()) if output["by"] == "device_list"]
    if outputs:
        # Nobody asked us: the barrier went up on the camera's own list, as it may while we are away.
        opened = {"opened_by": "device_list", "output": outputs[0]["output"]}
        readings.append(
            Reading(
                "barrier.opened", _record("opened", unique), when, late=late, plate=plate, attributes=opened
            )
        )
    return Decoded(sn, tuple(readings), reply=reply, dropped=taken + also_taken)


def _record(prefix: str, unique: str | None) -> str | None:
    return None if unique is None else f"{prefix}:{unique}"[:200]


def _plate(result: Mapping[str, Any], *, encoded: bool, marks: list[str]) -> PlateReading | None:
    """What was read on the plate; None where there was neither text nor colour."""
    plates = _objects(result.get("plates"))
    first = plates[0] if plates else {}
    found = None
    if not flag(result.get("is_encrypted")):
        found = _license(result.get("license"), encoded=encoded)
        if text(result.get("license")) is None:
            found = _license(first.get("license"), encoded=encoded)
    code = result.get("colorType", first.get("color"))
    color = _COLORS.get(integer(code) or 0)
    if color is None and integer(code):
        mark(marks, "undocumented_code")
    if found is None and color is None:
        return None
    # Documented as 1…100: nought is what stands there where nothing was read.
    confidence = percentage(result.get("confidence")) or None
    return PlateReading(found, confidence if found else None, color)


def _license(value: Any, *, encoded: bool) -> str | None:
    """A plate's text. Raises `RefusedError` for what is too long to be one."""
    found = text(value)
    inner = decoded_text(value)
    # Over HTTP it is plain, but a plain plate of ASCII may be valid base64 by chance. Only what
    # turns into Chinese was base64.
    if encoded or (inner is not None and any("\u4e00" <= letter <= "\u9fff" for letter in inner)):
        found = inner
    found = "".join((found or "").split())
    if not found or found in _NO_PLATE:
        return None
    if len(found) > 32:
        raise RefusedError("invalid_field", "license is longer than 32 characters")
    return found


def _attributes(
    result: Mapping[str, Any], trigger: int | None, *, encoded: bool, marks: list[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "plate_type": _PLATE_TYPES.get(integer(result.get("type")) or 0),
        "vehicle_color": _CAR_COLORS.get(integer(result.get("carColor")) or 0),
        "moving": _MOVING.get(integer(result.get("direction")) or 0),
        "trigger": _TRIGGERS.get(trigger or 0),
        "fake_plate": flag(result.get("is_fake_plate")) or None,
        "encrypted": flag(result.get("is_encrypted")) or None,
        "picture_path": _path(result.get("imagePath"), encoded=encoded),
    }
    if trigger is not None and trigger not in _TRIGGERS:
        found["trigger"] = trigger
        mark(marks, "undocumented_code")
    brand = section(result, "car_brand")
    if integer(brand.get("brand")) not in {None, 0, 255}:
        found["car_brand"] = {name: integer(brand.get(name)) for name in ("brand", "type", "year")}
    outputs = [
        {"output": integer(output.get("ionum")), "by": _OPENED_BY[by]}
        for output in _objects(result.get("gioouts"))
        if (by := integer(output.get("ctrltype"))) in _OPENED_BY
    ]
    plates = _objects(result.get("plates"))
    if len(plates) > 1:
        found["plates"] = [
            {
                "text": _license(plate.get("license"), encoded=encoded),
                "color": _COLORS.get(integer(plate.get("color")) or 0),
            }
            for plate in plates
        ]
    if outputs:
        found["outputs"] = outputs
    return {name: value for name, value in found.items() if value is not None}


def _number(value: Any, otherwise: int) -> int:
    found = integer(value)
    return otherwise if found is None else found


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _path(value: Any, *, encoded: bool) -> str | None:
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


def _gate(body: Mapping[str, Any], sn: str | None, when: dt.datetime | None, record: str | None) -> Decoded:
    """The barrier's state, told again and again: an event only where it changes."""
    what = f"barrier:{text(body.get('gate_ctrl_id')) or '1'}"
    if flag(body.get("enable")) is False:
        return Decoded(sn, ignored="configuration")
    marks = () if when is not None else ("time_missing",)
    if flag(body.get("connect_status")) is False:
        lost = Reading(
            "device.fault", record, when, attributes={"fault": "barrier_unreachable"}, marks=marks,
            point=(what, "unreachable"),
        )  # fmt: skip
        return Decoded(sn, (lost,))
    state = {0: "closed", 1: "opened"}.get(_number(body.get("gate_status"), -1))
    if state is None:
        # On its way up or down.
        return Decoded(sn, ignored="no_change")
    return Decoded(sn, (Reading(f"barrier.{state}", record, when, marks=marks, point=(what, state)),))


def _lane(payload: Mapping[str, Any], sn: str | None) -> Decoded:
    """What the lane's own watch saw: somebody or something that stays, turns back, follows too close."""
    event = integer(payload.get("event_type"))
    if event in _LANE_CLEARED:
        return Decoded(sn, ignored="cleared_state")
    kind, what = _LANE_EVENTS.get(_number(event, -1), (None, None))
    when = moment(payload.get("time"))
    missing = "time_missing" if text(payload.get("time")) is None else "time_unreadable"
    readings: list[Reading] = []
    found = _objects(payload.get("result")) or [{}]
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
            "picture_path": _path(section(item, "full_image").get("full_image_path"), encoded=True),
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
            readings.append(Reading(kind, _record("lane", unique), **shared))
        # An event about a person does not swallow the plate that was read with it.
        if kind is None or (read and kind.startswith("video.")):
            seen = "plate.recognised" if read else "plate.none"
            if readings and kind is not None:
                shared["pictures"] = ()
            readings.append(Reading(seen, _record("lane-plate", unique), **shared))
    return Decoded(sn, tuple(readings[:20]))


def _lane_plate(told: Mapping[str, Any]) -> PlateReading | None:
    found = _license(told.get("license"), encoded=True)
    color = _COLOR_NAMES.get((decoded_text(told.get("color_type")) or "").removesuffix("色"))
    if found is None and color is None:
        return None
    return PlateReading(found, (percentage(told.get("confidence")) or None) if found else None, color)


def _snapshot(
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
        "vehicle.captured",
        _record("snapshot", text(data.get("id"))),
        when,
        pictures=tuple(pictures),
        attributes={"asked": True},
        marks=tuple(marks),
    )
    return Decoded(sn, (taken,), reply=reply)
