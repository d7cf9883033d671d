"""ChirpStack: LoRaWAN sensors behind its network server, of versions 3 and 4.

Sources: chirpstack.io (event types, MQTT and HTTP integration), `integration.proto` of both versions, and
the field names of the codecs that Milesight, Dragino and others publish for their devices.

What a device means stands in `object`, which the codec of its device profile makes. Without a codec
there are only bytes, and an uplink of such a device is refused: an SOS that nobody decodes
must not pass for nothing. Version 3 names a device by base64 or hexadecimal digits,
depending on its encoding; the topic always has the digits.
"""

import base64
import binascii
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs

import msgspec

from devices.adapters.contract import (
    Adapter,
    Decoded,
    HttpReply,
    Incoming,
    Reading,
    RefusedError,
    Rights,
    SignOfLife,
)
from devices.adapters.fields import dropped, integer, moment, number, read_json, remainder, section, text
from devices.adapters.states import about, meaning, state

ROOT: Final = "application"
EVENTS: Final = frozenset({"up", "join", "status", "ack", "txack", "log", "error", "location", "integration"})

# Codecs' names of their fields, without their punctuation → what it is. Open, raised or low is 1.
_FIELDS: Final[Mapping[str, str]] = {
    name: what
    for what, names in {
        "door": "door doorstate doorstatus dooropen dooropenstatus magnet magnetstatus reed reedstate"
                " reedstatus window windowstate windowstatus open isopen openstatus",
        "lock": "lock lockstate lockstatus",
        "smoke": "smoke smokealarm smokestatus smokedetected fire firealarm",
        "gas": "gas gasalarm gasstatus",
        "tamper": "tamper tamperstatus tamperstate tamperalarm tampered antitamper dismantle",
        "sos": "sos sosalarm sosstatus sosevent sosbutton panic panicbutton panicalarm emergency"
               " emergencybutton",
        "battery": "batterylow lowbattery lowbatteryalarm",
    }.items()
    for name in names.split()
}  # fmt: skip
_PRESSES: Final = frozenset(
    ["button", "buttonevent", "buttonmsg", "buttonpressed", "buttonstatus", "press", "pressed", "pressevent"]
)
_BATTERY: Final = frozenset({"battery", "batterylevel", "batterypercent", "batterypercentage"})
# Milesight calls a housing that is closed "installed".
_ON: Final = frozenset(
    ["1", "true", "on", "open", "opened", "unlocked", "alarm", "alarming", "detected", "triggered", "active",
     "abnormal", "uninstalled", "pressed", "short", "long", "double", "single", "low", "yes"]
)  # fmt: skip
_OFF: Final = frozenset(
    ["0", "false", "off", "close", "closed", "locked", "normal", "ok", "idle", "inactive", "installed",
     "none", "clear", "cleared", "released", "no"]
)  # fmt: skip


class ChirpStackAdapter(Adapter):
    """LoRaWAN devices behind a ChirpStack."""

    name = "chirpstack"
    title = "ChirpStack (LoRaWAN)"
    aliases = ("lorawan",)
    topics = ("application/+/device/+/event/+",)
    pushes = True
    gateway = True
    root = ROOT
    fields: ClassVar[Mapping[str, str]] = {
        "deduplicationId": "record_id",
        "fCnt": "record_id (version 3)",
        "time": "device_time",
        "publishedAt": "device_time (version 3)",
        "rxInfo[].time": "device_time (version 3)",
        "deviceInfo.devEui": "device",
        "devEUI": "device (version 3)",
        "deviceInfo.deviceName": "facts.name; the meaning of a button",
        "deviceInfo.deviceProfileName": "facts.model; the meaning of a button",
        "deviceName": "facts.name (version 3)",
        "object": "type and point: door, lock, smoke, gas, tamper, sos, button …; the rest attributes",
        "objectJSON": "as object (version 3)",
        "data": "refused without an object",
        "batteryLevel": "facts.battery",
        "margin": "facts.margin",
        "level": "type device.fault (ERROR, of a log)",
        "code": "attributes.code (of a log)",
        "description": "attributes.description (of a log)",
        "acknowledged": "ignored: answer",
    }

    def decode(self, message: Incoming) -> Decoded:
        event, eui = _place(message.topic)
        data = read_json(message.body)
        reply = HttpReply() if message.content_type else None
        decoded = _event(event or _guess(data), data, eui or _eui(data), message)
        return msgspec.structs.replace(decoded, reply=reply)

    def rights(self, external_id: str) -> Rights:
        _ = external_id
        return Rights((f"{ROOT}/+/device/+/event/+",), (f"{ROOT}/+/device/+/command/down",))


def _place(topic: str) -> tuple[str | None, str | None]:
    """(event, device) from `application/{id}/device/{eui}/event/{event}` or from `?event=up`."""
    if "/command/" in topic:
        raise RefusedError("command_not_event", "it is a downlink to a device")
    parts = topic.split("/")
    if len(parts) == 6 and parts[0] == ROOT and parts[2] == "device" and parts[4] == "event":
        return parts[5], parts[3].lower()
    if parts[0] == ROOT:
        raise RefusedError("wrong_topic", "expected application/{id}/device/{eui}/event/{event}")
    return next(iter(parse_qs(topic.partition("?")[2]).get("event", ())), None), None


def _guess(data: Mapping[str, Any]) -> str:
    """Which event it is where no topic says: each has a field that the others lack."""
    for event, telling in (
        ("up", ("object", "objectJSON", "data", "rxInfo")),
        ("status", ("batteryLevel", "margin", "batteryLevelUnavailable")),
        ("ack", ("acknowledged",)),
        ("log", ("level", "description")),
        ("error", ("error",)),
        ("location", ("location",)),
        ("txack", ("txInfo", "gatewayId", "gatewayID", "downlinkId")),
        ("join", ("devAddr",)),
    ):
        if any(name in data for name in telling):
            return event
    raise RefusedError("unknown_type", "no event of ChirpStack's")


def _event(event: str, data: dict[str, Any], eui: str | None, message: Incoming) -> Decoded:
    if event not in EVENTS:
        raise RefusedError("unknown_type", event[:64])
    if event in {"ack", "txack"}:
        return Decoded(ROOT, ignored="answer")
    if event in {"location", "integration"}:
        return Decoded(ROOT, ignored="not_security")
    if eui is None:
        raise RefusedError("missing_field", "deviceInfo.devEui")
    at = _time(data)
    if event in {"log", "error"}:
        return _log(data, eui, at)
    info = section(data, "deviceInfo") or data
    facts: dict[str, Any] = {
        "name": text(info.get("deviceName")),
        "model": text(info.get("deviceProfileName")),
    }
    if event == "status":
        battery = number(data.get("batteryLevel"))
        # 0 stands for a device on mains or for one that cannot tell: proto3 leaves out neither.
        unknown = data.get("batteryLevelUnavailable") is True or data.get("externalPowerSource") is True
        facts |= {"battery": None if unknown else battery, "margin": number(data.get("margin"))}
    if event != "up":
        return Decoded(ROOT, signs=_signs(eui, at, facts, message), ignored="keep_alive")
    return _uplink(data, eui, at, facts, message)


def _uplink(
    data: dict[str, Any], eui: str, at: dt.datetime | None, facts: dict[str, Any], message: Incoming
) -> Decoded:
    told = _told(data)
    if told is None:
        if text(data.get("data")) is None:
            # Nothing but the network's own housekeeping.
            return Decoded(ROOT, signs=_signs(eui, at, facts, message), ignored="keep_alive")
        raise RefusedError("missing_field", "object: the device profile has no codec")
    spelled = {re.sub(r"[^a-z0-9]", "", name.lower()): (name, value) for name, value in told.items()}
    meant = {key: pair for key, pair in spelled.items() if key in _FIELDS or key in _PRESSES | _BATTERY}
    shared = about(eui, at, remainder(told, (name for name, _ in meant.values())))
    button = "sos" in {meaning(facts[name] or "") for name in ("name", "model")}
    readings: list[Reading | None] = []
    for key, (_, value) in meant.items():
        is_on = _is_on(value)
        if key in _BATTERY:
            facts["battery"] = number(value)
        elif key in _PRESSES:
            readings.append(state("sos", is_on=True, at=shared) if button and is_on else None)
        elif is_on is not None:
            readings.append(state(_FIELDS[key], is_on, shared))
    known = [reading for reading in readings if reading is not None]
    ignored = None if known else "not_security"
    return Decoded(
        ROOT,
        tuple(_named(known, data)),
        _signs(eui, at, facts, message),
        dropped=dropped(told),
        ignored=ignored,
    )


def _told(data: dict[str, Any]) -> dict[str, Any] | None:
    """What the codec made of the bytes, flat; None where there is no codec."""
    found = data.get("object")
    written = data.get("objectJSON")
    if not isinstance(found, dict) and isinstance(written, str) and written.strip():
        try:
            found = msgspec.json.decode(written)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            raise RefusedError("invalid_field", "objectJSON is no JSON") from None
    if not isinstance(found, dict):
        return None
    # Some codecs wrap their result once more, as the codec API of The Things Network does.
    inner = found.get("decoded", found.get("data"))
    return inner if isinstance(inner, dict) else found


def _is_on(value: Any) -> bool | None:
    """Whether a codec's value says open, raised, pressed; None for what is no such value."""
    if isinstance(value, dict):
        # Milesight's buttons: {"status": "short", "type": 1}.
        value = value.get("status", value.get("value"))
    said = str(value).lower() if isinstance(value, bool) else (text(value) or "").lower()
    said = "1" if said == "1.0" else "0" if said == "0.0" else said
    return True if said in _ON else False if said in _OFF else None


def _log(data: dict[str, Any], eui: str, at: dt.datetime | None) -> Decoded:
    """What the network server has to say of a device: errors, in version 3 an event of their own."""
    if text(data.get("level")) in {"INFO", "WARNING"}:
        return Decoded(ROOT, ignored="not_security")
    code = text(data.get("code")) or text(data.get("type"))
    told = {"code": code, "description": text(data.get("description")) or text(data.get("error"))}
    shared = about(eui, at) | {"attributes": {name: value for name, value in told.items() if value}}
    record = text(section(data, "context").get("deduplication_id"))
    return Decoded(ROOT, (Reading("device.fault", record and f"{record[:64]}/log", **shared),))


def _signs(
    eui: str, at: dt.datetime | None, facts: dict[str, Any], message: Incoming
) -> tuple[SignOfLife, ...]:
    if message.retained:
        return ()
    return (SignOfLife(True, at, eui, {name: value for name, value in facts.items() if value is not None}),)


def _eui(data: dict[str, Any]) -> str | None:
    """The device's 16 hexadecimal digits; the protobuf JSON of version 3 has them as base64."""
    found = (
        text(section(data, "deviceInfo").get("devEui"))
        or text(data.get("devEUI"))
        or text(data.get("devEui"))
    )
    if found is None or re.fullmatch(r"[0-9A-Fa-f]{16}", found):
        return found and found.lower()
    try:
        raw = base64.b64decode(found, validate=True)
    except (binascii.Error, ValueError):
        return found[:64]
    return raw.hex() if len(raw) == 8 else found[:64]


def _time(data: dict[str, Any]) -> dt.datetime | None:
    """When the network server received it. Version 3 leaves that to the gateways; some have no clock."""
    at = moment(data.get("time")) or moment(data.get("publishedAt"))
    receptions = data.get("rxInfo")
    if at is None and isinstance(receptions, list):
        known = (moment(one.get("time")) for one in receptions if isinstance(one, dict))
        at = next((found for found in known if found is not None), None)
    return at


def _named(readings: list[Reading], data: dict[str, Any]) -> Iterator[Reading]:
    """The readings with their record ids. One uplink tells several things; each has an identity."""
    record = _record(data)
    for reading in readings:
        part = reading.point[0] if reading.point else reading.type
        yield reading if record is None else msgspec.structs.replace(reading, record_id=f"{record}/{part}")


def _record(data: dict[str, Any]) -> str | None:
    found = text(data.get("deduplicationId"))
    if found is not None:
        return found[:64]
    # Version 3 has only the frame counter, which starts anew when the device joins again; the
    # time stands beside it.
    counter = integer(data.get("fCnt"))
    return None if counter is None else f"f{counter}"
