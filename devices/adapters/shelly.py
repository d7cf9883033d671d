"""Shelly: Wi-Fi contacts, detectors, buttons and relays, of both generations of their firmware.

Sources: shelly-api-docs.shelly.cloud, Gen1 (MQTT, Door/Window, Smoke, Gas, Button1) and Gen2+
(RPC over MQTT, Notifications, Switch). Gen1 publishes bare values on `shellies/{id}/…`; Gen2 and
later publish JSON-RPC notifications on `{prefix}/events/rpc` and, where it is switched on,
each component's state on `{prefix}/status/{component}`. The prefix is the device's id by default.

An input says no more than that it is on; what it is wired to is told by the name that the
installer gave the device in its prefix (`b3-door`, `sos-1-2`). On is open, or raised.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

import msgspec

from devices.adapters.contract import (
    Adapter,
    CommandResult,
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
from devices.adapters.fields import epoch, flag, integer, number, section, text
from devices.adapters.scalars import online_of, value_of
from devices.adapters.states import OPENINGS, about, alarm, meaning, opening, state

PULSE_S: Final = 3.0
"""How long a door is released where an order does not say."""
ANSWERS: Final = "shelly"
"""Answers to our calls come on `shelly/{device}/rpc`: the caller's name (`src`) is their topic."""

_GAS: Final = {"none": False, "mild": True, "heavy": True}
_PUSHES: Final = frozenset({"single_push", "double_push", "triple_push", "long_push"})
_NOTIFICATIONS: Final = frozenset({"NotifyStatus", "NotifyFullStatus", "NotifyEvent"})
_ANNOUNCED: Final = {"model": "model", "fw_ver": "firmware", "ip": "ip", "mac": "mac"}


class ShellyAdapter(Adapter):
    """Shelly devices."""

    name = "shelly"
    title = "Shelly"
    topics = ("shellies/#", "+/events/rpc", "+/online", "+/status/+", f"{ANSWERS}/+/rpc")
    commands = frozenset({"open", "hold", "release"})
    fields: ClassVar[Mapping[str, str]] = {
        "sensor/state": "type door.opened (open) or door.closed (close), point",
        "sensor/smoke": "type alarm.smoke, point",
        "sensor/gas": "type alarm.smoke (mild, heavy), point",
        "sensor/battery": "facts.battery",
        "input/0": "type and point by the device's name",
        "event": "type alarm.sos where the device's name says so",
        "event_cnt": "point: every press has its number",
        "src": "sender",
        "method": "NotifyStatus, NotifyFullStatus, NotifyEvent",
        "params.ts": "device_time",
        "params.input:0.state": "type and point by the device's name",
        "params.smoke:0.alarm": "type alarm.smoke, point",
        "params.cover:0.state": "type and point by the device's name",
        "params.devicepower:0.battery.percent": "facts.battery",
        "params.wifi.sta_ip": "facts.ip",
        "params.events.event": "type alarm.sos (…_push of an input, where the device's name says so)",
        "params.events.component": "which input",
        "params.events.ts": "device_time",
        "id": "results.command_id",
        "result": "results.ok",
        "error.code": "results.code",
        "error.message": "results.text",
        "model": "facts.model",
        "fw_ver": "facts.firmware",
        "ip": "facts.ip",
        "mac": "facts.mac",
    }

    def decode(self, message: Incoming) -> Decoded:
        path = message.topic.split("/") if message.topic else []
        if path[-1:] == ["command"] or path[-2:-1] == ["command"]:
            raise RefusedError("command_not_event", "it is a command to a device")
        if path[:1] == ["shellies"]:
            return _first(path[1:], message)
        value = value_of(message.body)
        if len(path) >= 3 and path[0] == ANSWERS and path[-1] == "rpc":
            return _answer(_object(value), "/".join(path[1:-1]))
        if len(path) >= 3 and path[-2:] == ["events", "rpc"]:
            return _notified(_object(value), "/".join(path[:-2]), message)
        if path[-1:] == ["rpc"]:
            raise RefusedError("command_not_event", "it is a call to a device")
        if value is None and path:
            return Decoded("/".join(path[:1]), ignored="cleared_state")
        if len(path) >= 2 and path[-1] == "online":
            return _online("/".join(path[:-1]), value)
        if len(path) >= 3 and path[-2] == "status":
            device = "/".join(path[:-2])
            return _components(device, {path[-1]: value}, None, message)
        if path:
            raise RefusedError("wrong_topic", "expected shellies/…, …/events/rpc, …/online or …/status/…")
        told = _object(value)
        return _notified(told, None, message) if "method" in told else _answer(told, text(told.get("src")))

    def encode(self, order: Order) -> tuple[Outgoing, ...]:
        """Gen2 and later only: a Gen1 relay has no way to be told over MQTT when to let go again."""
        if order.kind not in self.commands:
            raise UnsupportedError(self.name, order.kind)
        params: dict[str, Any] = {
            "id": max((integer(order.arguments.get("door")) or 1) - 1, 0),
            "on": order.kind != "release",
        }
        if order.kind == "open":
            # The relay lets go by itself: a second message that gets lost would leave the door open.
            params["toggle_after"] = max(number(order.arguments.get("seconds")) or PULSE_S, 0.1)
        call = {
            "id": order.id,
            "src": f"{ANSWERS}/{order.external_id}",
            "method": "Switch.Set",
            "params": params,
        }
        return (Outgoing(f"{order.external_id}/rpc", msgspec.json.encode(call), qos=1),)

    def rights(self, external_id: str) -> Rights:
        one, two = f"shellies/{external_id}", external_id
        return Rights(
            (f"{one}/#", "shellies/announce", f"{two}/events/rpc", f"{two}/online", f"{two}/status/+",
             f"{ANSWERS}/{two}/rpc"),
            (f"{one}/command", f"{one}/relay/+/command", "shellies/command", f"{two}/rpc", f"{two}/command"),
        )  # fmt: skip


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RefusedError("not_an_object", f"the message is {type(value).__name__}")
    return value


def _online(device: str, value: Any) -> Decoded:
    online = online_of(value)
    if online is None:
        raise RefusedError("invalid_field", "expected true or false")
    return Decoded(device, signs=(SignOfLife(online),))


def _first(path: list[str], message: Incoming) -> Decoded:
    """A message of the first generation: `shellies/{id}/…`."""
    value = value_of(message.body)
    if path == ["announce"] or path[1:] in (["announce"], ["info"], ["status"]):
        return _announced(_object(value), path[0] if len(path) > 1 else None)
    if len(path) < 2:
        raise RefusedError("wrong_topic", "expected shellies/{device}/…")
    device, what, *rest = path
    if value is None:
        return Decoded(device, ignored="cleared_state")
    if what == "online":
        return _online(device, value)
    shared = about(None, None)
    leaf = rest[0] if rest else ""
    if what == "sensor":
        return _sensor(device, leaf, value, shared, message)
    named = meaning(device)
    reading: Reading | None = None
    if what == "input" and named is not None:
        is_on = flag(value)
        reading = (
            None if is_on is None else state(named, is_on, shared, "" if leaf == "0" else f"input:{leaf}")
        )
    elif what == "input_event" and named == "sos" and isinstance(value, dict):
        event, times = text(value.get("event")), integer(value.get("event_cnt"))
        if event:
            # It is told again with each report; only the number of the press tells a new one.
            reading = Reading(
                "alarm.sos", point=(f"input_event:{leaf}"[:64], f"{event}:{times}"[:64]), **shared
            )
    return _said(device, [reading], {}, None, message, "no_change" if what == "relay" else "not_security")


def _sensor(device: str, leaf: str, value: Any, shared: dict[str, Any], message: Incoming) -> Decoded:
    said = (text(value) or "").lower()
    if leaf == "battery":
        battery = number(value)
        return _said(device, [], {} if battery is None else {"battery": battery}, None, message, "keep_alive")
    reading: Reading | None = None
    if leaf == "state" and said in {"open", "close"}:
        reading = opening("door", said == "open", shared)
    elif leaf == "smoke" and flag(value) is not None:
        reading = alarm("smoke", flag(value) is True, shared)
    elif leaf == "gas" and said in _GAS:
        reading = alarm("gas", _GAS[said], shared)
    return _said(device, [reading], {}, None, message, "not_security")


def _announced(value: dict[str, Any], device: str | None) -> Decoded:
    facts = {ours: found for theirs, ours in _ANNOUNCED.items() if (found := text(value.get(theirs)))}
    return Decoded(
        device or text(value.get("id")), signs=(SignOfLife(online=True, facts=facts),), ignored="keep_alive"
    )


def _notified(value: dict[str, Any], device: str | None, message: Incoming) -> Decoded:
    """A notification of the second generation."""
    method, params = text(value.get("method")), section(value, "params")
    device = device or text(value.get("src"))
    if method not in _NOTIFICATIONS:
        if method is not None and "dst" not in value:
            raise RefusedError("command_not_event", "it is a call to a device")
        raise RefusedError("unknown_type", str(method)[:64])
    if method != "NotifyEvent":
        return _components(device, params, params.get("ts"), message)
    events = params.get("events")
    readings = []
    for event in events if isinstance(events, list) else []:
        push = text(event.get("event")) if isinstance(event, dict) else None
        if push in _PUSHES and meaning(device or "") == "sos":
            at = epoch(event.get("ts")) or epoch(params.get("ts"))
            told = {"input": text(event.get("component")), "event": push}
            readings.append(Reading("alarm.sos", **(about(None, at) | {"attributes": told})))
    return _said(device, readings, {}, epoch(params.get("ts")), message, "not_security")


def _components(device: str | None, told: dict[str, Any], ts: Any, message: Incoming) -> Decoded:
    """Components as they stand: all of them, or those of which something changed."""
    at = epoch(ts)
    shared = about(None, at)
    facts: dict[str, Any] = {}
    readings: list[Reading | None] = []
    for name, component in told.items():
        if not isinstance(component, dict):
            continue
        readings += _component(name, component, meaning(device or ""), shared)
        battery = number(section(component, "battery").get("percent"))
        if battery is not None:
            facts["battery"] = battery
        if text(component.get("sta_ip")):
            facts["ip"] = text(component["sta_ip"])
    return _said(device, readings, facts, at, message, "not_security")


def _component(
    name: str, component: dict[str, Any], named: str | None, shared: dict[str, Any]
) -> Iterator[Reading | None]:
    kind, _, number_ = name.partition(":")
    channel = "" if number_ == "0" else name
    raised = flag(component.get("alarm"))
    if kind == "smoke" and raised is not None:
        yield alarm("smoke", raised, shared, channel)
    if named is None:
        return
    is_on, stands = flag(component.get("state")), text(component.get("state"))
    if kind == "input" and is_on is not None:
        yield state(named, is_on, shared, channel)
    if kind == "cover" and named in OPENINGS and stands in {"open", "closed"}:
        yield opening(named, stands == "open", shared, channel)


def _answer(value: dict[str, Any], device: str | None) -> Decoded:
    """The answer to a call of ours. Raises `RefusedError` where it is none."""
    if "result" not in value and "error" not in value:
        raise RefusedError("unknown_type", "neither a notification nor an answer")
    error = section(value, "error")
    result = CommandResult(
        text(value.get("id")),
        ok=not error and "error" not in value,
        code=text(error.get("code")) or "",
        text=text(error.get("message")) or "",
    )
    return Decoded(device, results=(result,), ignored="answer")


def _said(
    device: str | None,
    readings: list[Reading | None] | list[Reading],
    facts: dict[str, Any],
    at: dt.datetime | None,
    message: Incoming,
    otherwise: str,
) -> Decoded:
    told = tuple(reading for reading in readings if reading is not None)
    # What the broker remembers of a device does not say that it lives.
    signs = () if message.retained else (SignOfLife(online=True, device_time=at, facts=facts),)
    return Decoded(device, told, signs, ignored=None if told else otherwise)
