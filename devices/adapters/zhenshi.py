"""臻识 (vzenith) plate cameras, over MQTT and by HTTP push.

Sources: the vendor's HTTP push and MQTT documents at open.vzicloud.com, and public notes of
integrators who ran C5H cameras with them. A camera wired to a barrier speaks for it too.

The vendor's broker knows no retained message and no last will: a camera that is gone is told
by its missing `keep_alive` alone.

That a vehicle stands no more (triggerType 65, 车滞留恢复) and that a lane's crowd or e-bike is gone
(97, 113) is told once: the end of what 64, 96 and 112 began, with the record's own number. What 73
ends is in no table that we know: it is left.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from devices.adapters.contract import (
    Adapter,
    CommandResult,
    Decoded,
    Incoming,
    Order,
    Outgoing,
    Refusal,
    RefusedError,
    Rights,
    SignOfLife,
    UnsupportedError,
)
from devices.adapters.fields import epoch, section, text
from devices.adapters.forms import is_form, read_form, read_push
from devices.adapters.zhenshi_codes import ALARM, RESULT
from devices.adapters.zhenshi_lane import gate, lane, snapshot
from devices.adapters.zhenshi_plates import passage, reply_to

# An older kind of firmware sends the body of its HTTP push to this one topic.
_PUSH_TOPIC: Final = "/device/push/result"
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
        **{f"AlarmInfoPlate.result.PlateResult.{name}": where for name, where in RESULT.items()},
        **{f"AlarmInfoPlate.{name}": where for name, where in ALARM.items()},
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
        return Refusal(reply=reply_to(known, late=_OFFLINE.search(message.body) is not None))

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
    reply = None if message.topic == _PUSH_TOPIC else reply_to(None, late=False)
    if "AlarmInfoPlate" in data:
        return passage(data, None, replies=reply is not None)
    if "AlarmGioIn" in data:
        return Decoded(text(section(data, "AlarmGioIn").get("serialno")), reply=reply, ignored="not_security")
    if "SerialData" in data:
        return Decoded(text(section(data, "SerialData").get("serialno")), reply=reply, ignored="not_security")
    if "TriggerImage" in data:
        return snapshot(section(data, "TriggerImage"), None, {}, reply)
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
        sn, signs=(SignOfLife(online=True, facts=known),), reply=reply_to(None, late=False), dropped=taken
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
            return passage(payload, sn, encoded=True, late=name == "offline_record")
        case "quick_ivs_result":
            # A preview without pictures: the same passage follows as ivs_result within the second.
            return Decoded(sn, ignored="no_change")
        case "barr_gate_status":
            return gate(section(payload, "body"), sn, when, text(data.get("id")))
        case "lanectrl_result":
            return lane(payload, sn)
        case "snapshot":
            return snapshot(payload, sn, data, None)
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
