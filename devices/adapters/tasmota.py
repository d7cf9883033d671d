"""Tasmota: relays, inputs and Zigbee bridges on its firmware.

Source: tasmota.github.io/docs (MQTT, Buttons and Switches, Zigbee, SetOption89). Topics have the default
form `%prefix%/%topic%/…`. `Time` is the device's local time without a zone.

An input (`Switch1`) says no more than that it is on; what it is wired to is told by the name that
the installer gave the device (`b3_door`, `sos_1_2`). On is open, or raised.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from devices.adapters.contract import (
    Adapter,
    Decoded,
    Incoming,
    Order,
    Outgoing,
    Reading,
    RefusedError,
    Rights,
    SignOfLife,
    UnsupportedError,
)
from devices.adapters.fields import flag, integer, moment, number, section, text
from devices.adapters.scalars import online_of, value_of
from devices.adapters.states import about, alarm, meaning, opening, state

PULSE_S: Final = 3.0
"""How long a door is released where an order does not say."""
MAX_PULSE_S: Final = 360.0
"""The longest `Delay`, in the firmware's tenths 3,600."""

# Zigbee2Tasmota's names of what is raised where it is 1.
_ALARMS: Final = {
    "Fire": "smoke",
    "Smoke": "smoke",
    "CO": "carbon_monoxide",
    "Gas": "gas",
    "Panic": "sos",
    "Tamper": "tamper",
    "BatteryLow": "battery",
}
# Bits of the Zigbee Cluster Library's ZoneStatus that mean the same in every zone type.
_ZONE_BITS: Final = ((0x4, "tamper"), (0x8, "battery"))
_FACTS: Final = {"Version": "firmware", "IPAddress": "ip", "Hostname": "host", "Module": "model"}


class TasmotaAdapter(Adapter):
    """Devices on Tasmota firmware, and the Zigbee devices behind such a bridge."""

    name = "tasmota"
    title = "Tasmota"
    topics = ("tele/#", "stat/#", "tasmota/discovery/#")
    # A Zigbee bridge speaks for others; a plain relay speaks for itself.
    gateway = True
    # `TelePeriod`.
    heartbeat_s = 300
    commands = frozenset({"open", "hold", "release"})
    fields: ClassVar[Mapping[str, str]] = {
        "Time": "device_time, naive",
        "Contact": "type door.closed (0) or door.opened (1), point",
        "Switch1": "type and point by the device's name",
        "Switch1.Action": "type and point by the device's name",
        "Button1.Action": "type alarm.sos where the device's name says so",
        "POWER": "ignored: answer",
        "ZbReceived": "for each Zigbee device behind:",
        "ZbReceived.Device": "device",
        "ZbReceived.Name": "device, before Device",
        "ZbReceived.Contact": "type door.closed (0) or door.opened (1), point",
        "ZbReceived.Fire": "type alarm.smoke, point",
        "ZbReceived.CO": "type alarm.smoke, point",
        "ZbReceived.Panic": "type alarm.sos",
        "ZbReceived.ZoneStatus": "types device.tamper and device.fault (bits 2 and 3), point",
        "ZbReceived.BatteryPercentage": "facts.battery",
        "ZbReceived.LinkQuality": "facts.linkquality",
        "RfReceived": "ignored: a code says nothing of what sent it",
        "StatusFWR.Version": "facts.firmware",
        "StatusNET.IPAddress": "facts.ip",
    }

    def decode(self, message: Incoming) -> Decoded:
        prefix, device, leaf = _place(message.topic)
        if prefix == "tasmota":
            return Decoded(device, ignored="discovery")
        value = value_of(message.body)
        if value is None:
            return Decoded(device, ignored="cleared_state")
        if leaf == "LWT" or (not leaf and isinstance(value, str)):
            online = online_of(value)
            if online is None:
                raise RefusedError("invalid_field", "expected Online or Offline")
            return Decoded(device, signs=(SignOfLife(online),))
        if not isinstance(value, dict):
            if leaf.startswith("SWITCH"):
                return _told(device, {leaf.title(): value}, message)
            if prefix == "stat":
                return Decoded(device, ignored="answer")
            raise RefusedError("not_an_object", f"the message is {type(value).__name__}")
        return _told(device, value, message)

    def encode(self, order: Order) -> tuple[Outgoing, ...]:
        relay = max(integer(order.arguments.get("door")) or 1, 1)
        head = f"cmnd/{order.external_id}"
        if order.kind == "open":
            seconds = min(max(number(order.arguments.get("seconds")) or PULSE_S, 0.1), MAX_PULSE_S)
            # One message with its own end: a second one that gets lost would leave the door open.
            pulse = f"Power{relay} ON; Delay {round(seconds * 10)}; Power{relay} OFF"
            return (Outgoing(f"{head}/Backlog", pulse.encode(), qos=1),)
        if order.kind in {"hold", "release"}:
            return (Outgoing(f"{head}/Power{relay}", b"ON" if order.kind == "hold" else b"OFF", qos=1),)
        raise UnsupportedError(self.name, order.kind)

    def rights(self, external_id: str) -> Rights:
        return Rights(
            (f"tele/{external_id}/#", f"stat/{external_id}/#", "tasmota/discovery/#"),
            (f"cmnd/{external_id}/#",),
        )


def _place(topic: str) -> tuple[str, str | None, str]:
    """(prefix, device, last level); all empty where the topic is not known."""
    if not topic:
        return "", None, ""
    prefix, *rest = topic.split("/")
    if prefix == "cmnd":
        raise RefusedError("command_not_event", "it is a command to a device")
    if prefix == "tasmota":
        return prefix, None, ""
    if prefix not in {"tele", "stat"} or len(rest) < 2:
        raise RefusedError("wrong_topic", "expected tele/{device}/… or stat/{device}/…")
    return prefix, rest[0], rest[-1].upper()


def _told(device: str | None, value: dict[str, Any], message: Incoming) -> Decoded:
    """A message of readings, of a state, or an answer."""
    at, marks = _time(value.get("Time"))
    shared = about(None, at, marks=marks)
    readings = [*_inputs(meaning(device or ""), value, shared), *_contact(value, shared)]
    signs = [] if message.retained else [SignOfLife(online=True, device_time=at, facts=_facts(value))]
    behind = section(value, "ZbReceived")
    for address, told in behind.items():
        if isinstance(told, dict):
            own = text(told.get("Name")) or text(told.get("Device")) or address.replace("\0", "")
            readings += _zigbee(told, shared | {"device": own[:128]})
            signs.append(SignOfLife(True, at, own[:128], _zigbee_facts(told)))
    ignored = None if readings else _reason(value)
    return Decoded(device, tuple(readings), tuple(signs), ignored=ignored)


def _inputs(what: str | None, value: dict[str, Any], shared: dict[str, Any]) -> list[Reading]:
    """Switches and buttons of the device itself, meaning what its name says."""
    if what is None:
        return []
    found: list[Reading] = []
    for name, said in value.items():
        action = text(said.get("Action")) if isinstance(said, dict) else text(said)
        if action is None:
            continue
        if name.startswith("Switch"):
            is_on = flag(action)
            reading = (
                None if is_on is None else state(what, is_on, shared, "" if name == "Switch1" else name[:20])
            )
            found += [reading] if reading is not None else []
        elif name.startswith("Button") and what == "sos" and action != "CLEAR":
            found.append(Reading("alarm.sos", **shared))
    return found


def _contact(value: dict[str, Any], shared: dict[str, Any]) -> list[Reading]:
    """`Contact` is the raw bit of a magnet's alarm: 0 is closed, 1 is open."""
    is_open = flag(value.get("Contact"))
    return [] if is_open is None else [opening("door", is_open, shared)]


def _zigbee(told: dict[str, Any], shared: dict[str, Any]) -> list[Reading]:
    readings: list[Reading | None] = [*_contact(told, shared)]
    for name, what in _ALARMS.items():
        raised = flag(told.get(name))
        if raised is not None:
            readings.append(alarm(what, raised, shared))
    status = integer(told.get("ZoneStatus", told.get("ZoneStatusChange")))
    if status is not None:
        readings += [alarm(what, bool(status & bit), shared) for bit, what in _ZONE_BITS]
    if meaning(text(told.get("Name")) or "") == "sos" and text(told.get("Click")) is not None:
        readings.append(Reading("alarm.sos", **shared))
    return [reading for reading in readings if reading is not None]


def _time(value: Any) -> tuple[dt.datetime | None, tuple[str, ...]]:
    if text(value) is None:
        return None, ()
    at = moment(value)
    # A device that has not yet heard of the time says 1970.
    if at is not None and at.year < 2000:
        return None, ()
    return at, (() if at is not None else ("time_unreadable",))


def _facts(value: dict[str, Any]) -> dict[str, Any]:
    """What STATUS, INFO and STATE say of the device, wherever in them it stands."""
    parts = [value, *(part for part in value.values() if isinstance(part, dict))]
    return {
        ours: found for part in parts for theirs, ours in _FACTS.items() if (found := text(part.get(theirs)))
    }


def _zigbee_facts(told: dict[str, Any]) -> dict[str, Any]:
    facts = {"battery": number(told.get("BatteryPercentage")), "linkquality": number(told.get("LinkQuality"))}
    return {name: value for name, value in facts.items() if value is not None}


def _reason(value: dict[str, Any]) -> str:
    if any(name.startswith("POWER") for name in value) and "Uptime" not in value:
        return "answer"
    if "Uptime" in value:
        return "keep_alive"
    if any(name.startswith(("Status", "Info")) for name in value):
        return "configuration"
    return "not_security"
