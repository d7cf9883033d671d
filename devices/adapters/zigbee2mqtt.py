"""Zigbee2MQTT: contacts, locks, detectors and buttons behind a Zigbee coordinator.

Source: zigbee2mqtt.io, "MQTT topics and messages", the exposes of its device pages, and the door
lock's event codes of the Zigbee Cluster Library as its converter names them.

A device publishes its whole state each time that any of it changes, so each state is a point;
only `action` is a thing that happens. Friendly names may hold slashes. Many publish no
time at all (`last_seen` is off by default).
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from bus.messages import CredentialUse
from devices.adapters.canonical import is_unwanted
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
from devices.adapters.fields import epoch, flag, moment, number, remainder, text
from devices.adapters.scalars import online_of, value_of
from devices.adapters.states import about, alarm, jammed, opening

ROOT: Final = "zigbee2mqtt"
# Field → what it raises where it is true.
_ALARMS: Final = {
    "smoke": "smoke",
    "gas": "gas",
    "carbon_monoxide": "carbon_monoxide",
    "tamper": "tamper",
    "battery_low": "battery",
    "sos": "sos",
    "emergency": "sos",
    "panic": "sos",
}
_SOS: Final = frozenset({"sos", "emergency", "panic"})
# What a lock tells of somebody at the door: type and, where it did not open, why.
_PASSAGES: Final[Mapping[str, tuple[str, str | None]]] = {
    "unlock": ("access.granted", None),
    "manual_unlock": ("access.granted", None),
    "key_unlock": ("access.granted", None),
    "unlock_failure_invalid_pin_or_id": ("access.denied", "wrong_pin"),
    "unlock_failure_invalid_schedule": ("access.denied", "no_right"),
    "non_access_user_operational_event": ("access.denied", "no_right"),
}
_MEANS: Final = {
    "keypad": "pin",
    "rfid": "card",
    "card": "card",
    "bluetooth": "phone",
    "face": "face",
}
_LOCKED: Final = {"locked": False, "lock": False, "unlocked": True, "unlock": True}
_FACTS: Final = frozenset({"battery", "linkquality", "voltage"})
_KNOWN: Final = (
    _FACTS
    | _ALARMS.keys()
    | {
        "action", "action_source", "action_source_name", "action_user", "contact", "elapsed", "last_seen",
        "lock_state", "state", "update", "update_available",
    }
)  # fmt: skip
# Attributes that `output: attribute` publishes one by one, below the device's name.
_SINGLE: Final = _ALARMS.keys() | {"contact", "lock_state", "action"}
_DISCOVERY: Final = frozenset({"device_joined", "device_interview", "device_announce", "device_leave"})


class Zigbee2MqttAdapter(Adapter):
    """Zigbee devices behind Zigbee2MQTT."""

    name = "zigbee2mqtt"
    title = "Zigbee2MQTT"
    aliases = ("z2m",)
    topics = ("zigbee2mqtt/#",)
    gateway = True
    root = ROOT
    commands = frozenset({"open", "close", "sound"})
    fields: ClassVar[Mapping[str, str]] = {
        "contact": "type door.closed (true) or door.opened (false), point",
        "lock_state": "type door.opened (unlocked) or door.closed (locked), attributes.lock, point",
        "state": "as lock_state where it is LOCK or UNLOCK; of the bridge or availability: signs",
        "action": "type access.granted, access.denied, alarm.sos; attributes.action",
        "action_source_name": "credential.kind, attributes.source",
        "action_user": "credential.ref",
        "smoke": "type alarm.smoke, point",
        "gas": "type alarm.smoke, point",
        "carbon_monoxide": "type alarm.smoke, point",
        "sos": "type alarm.sos",
        "emergency": "type alarm.sos",
        "panic": "type alarm.sos",
        "tamper": "type device.tamper, point",
        "battery_low": "type device.fault, point",
        "battery": "facts.battery",
        "linkquality": "facts.linkquality",
        "voltage": "facts.voltage",
        "last_seen": "device_time",
        "type": "ignored: discovery (of the bridge)",
        "data.friendly_name": "signs.device (device_leave, device_announce)",
        "transaction": "results.command_id",
        "status": "results.ok",
        "error": "results.text",
    }

    def decode(self, message: Incoming) -> Decoded:
        path = _path(message.topic)
        if path[-1:] in {("set",), ("get",)} or path[-2:-1] in {("set",), ("get",)}:
            raise RefusedError("command_not_event", "it is a command to a device")
        value = value_of(message.body)
        if path[:1] == ("bridge",):
            return _bridge(path[1:], value)
        if value is None:
            return Decoded(ROOT, ignored="cleared_state")
        if path[-1:] == ("availability",):
            online = online_of(value)
            if online is None:
                raise RefusedError("invalid_field", "expected online or offline")
            return Decoded(ROOT, signs=(SignOfLife(online, device="/".join(path[:-1]) or None),))
        if isinstance(value, dict):
            told = None if path else _bridge_by_shape(value)
            return told or _device("/".join(path) or None, value, message)
        if len(path) > 1 and path[-1] in _SINGLE:
            return _device("/".join(path[:-1]), {path[-1]: value}, message)
        if len(path) > 1:
            # A number or word of no concern, published for itself alone.
            return Decoded(ROOT, ignored="not_security")
        raise RefusedError("not_an_object", f"the message is {type(value).__name__}")

    def encode(self, order: Order) -> tuple[Outgoing, ...]:
        # Never retained: a lock that comes back would open, or lock, by what was once wanted.
        if order.kind not in self.commands:
            raise UnsupportedError(self.name, order.kind)
        wanted: dict[str, Any] = {"state": "UNLOCK" if order.kind == "open" else "LOCK"}
        if order.kind == "sound":
            # The Zigbee cluster IAS WD, as the bridge's converter `warning` takes it.
            seconds = int(order.arguments["seconds"])
            wanted = {"warning": {"mode": "burglar", "level": "high", "strobe": True, "duration": seconds}}
        return (Outgoing(f"{ROOT}/{order.external_id}/set", msgspec.json.encode(wanted), qos=1),)

    def rights(self, external_id: str) -> Rights:
        _ = external_id
        return Rights((f"{ROOT}/#",), (f"{ROOT}/#",))


def _path(topic: str) -> tuple[str, ...]:
    """The levels below the root; none where the topic is not known."""
    if not topic:
        return ()
    root, *rest = topic.split("/")
    if root != ROOT or not any(rest):
        raise RefusedError("wrong_topic", "expected zigbee2mqtt/…")
    return tuple(rest)


def _bridge(path: tuple[str, ...], value: Any) -> Decoded:
    """What the bridge says of itself and of its network."""
    what = path[0] if path else ""
    if what == "state":
        online = online_of(value)
        if online is None:
            raise RefusedError("invalid_field", "expected online or offline")
        return Decoded(ROOT, signs=(SignOfLife(online),))
    if what == "request":
        raise RefusedError("command_not_event", "it is a request to the bridge")
    if what == "response" and isinstance(value, dict):
        return _answer(value)
    if what == "event" and isinstance(value, dict):
        return _network(value)
    if what == "health":
        return Decoded(ROOT, signs=(SignOfLife(online=True),), ignored="keep_alive")
    if what == "logging":
        return Decoded(ROOT, ignored="not_security")
    return Decoded(ROOT, ignored="discovery" if what == "devices" else "configuration")


def _bridge_by_shape(value: dict[str, Any]) -> Decoded | None:
    """What the bridge says, where no topic tells that it is the bridge."""
    if text(value.get("type")) in _DISCOVERY:
        return _network(value)
    if text(value.get("status")) in {"ok", "error"} and "data" in value:
        return _answer(value)
    if value.keys() - {"namespace"} == {"level", "message"}:
        return Decoded(ROOT, ignored="not_security")
    state = text(value.get("state"))
    if value.keys() == {"state"} and state is not None and state.lower() in {"online", "offline"}:
        return Decoded(ROOT, signs=(SignOfLife(state.lower() == "online"),))
    return None


def _answer(value: dict[str, Any]) -> Decoded:
    """A response of the bridge; `transaction` is what the request carried."""
    ok = value.get("status") == "ok"
    result = CommandResult(
        text(value.get("transaction")), ok, text(value.get("status")) or "", text(value.get("error")) or ""
    )
    return Decoded(ROOT, results=(result,), ignored="answer")


def _network(value: dict[str, Any]) -> Decoded:
    """Who joins and leaves. A new device is nobody until somebody registers it."""
    kind, data = text(value.get("type")), value.get("data")
    device = text(data.get("friendly_name")) if isinstance(data, dict) else None
    if kind not in _DISCOVERY:
        raise RefusedError("unknown_type", str(kind)[:64])
    signs: tuple[SignOfLife, ...] = ()
    if device is not None and kind in {"device_announce", "device_leave"}:
        signs = (SignOfLife(kind == "device_announce", device=device),)
    return Decoded(ROOT, signs=signs, ignored="discovery")


def _device(device: str | None, value: dict[str, Any], message: Incoming) -> Decoded:
    """The state of one device, and what was done with it."""
    at, marks = _last_seen(value.get("last_seen"))
    # A code that was typed, or a list of the codes there are, is a key to the door.
    secret = [name for name in value if _is_code(name)]
    shared = about(device, at, remainder(value, _KNOWN | set(secret)), marks)
    readings: list[Reading | None] = []
    closed = flag(value.get("contact"))
    if closed is not None:
        # `contact: true` is a closed contact, so a closed door.
        readings.append(opening("door", not closed, shared))
    readings += _action(value, shared)
    readings += _lock(value, shared)
    for name, what in _ALARMS.items():
        raised = flag(value.get(name))
        if raised is not None:
            readings.append(alarm(what, raised, shared))
    told = tuple(reading for reading in readings if reading is not None)
    # What the broker remembers of a device does not say that it lives.
    signs = () if message.retained or device is None else (SignOfLife(True, at, device, _facts(value)),)
    out = (*secret, *(name for name in value if is_unwanted(name)))
    return Decoded(ROOT, told, signs, dropped=out, ignored=None if told else "not_security")


def _action(value: dict[str, Any], shared: dict[str, Any]) -> list[Reading]:
    """What somebody did at a lock, a keypad or a button. Other buttons switch lamps."""
    action = (text(value.get("action")) or "").lower()
    if action in _SOS:
        return [Reading("alarm.sos", **shared)]
    if action not in _PASSAGES:
        return []
    kind, reason = _PASSAGES[action]
    source = (text(value.get("action_source_name")) or "").lower()
    means, user = _MEANS.get(source), text(value.get("action_user"))
    told = {"action": action, "source": source, "reason": reason, "user": None if means else user}
    attributes = {name: item for name, item in told.items() if item} | shared["attributes"]
    # The user is a slot of the lock, never the code itself.
    credential = CredentialUse(means, user) if means else None
    return [Reading(kind, credential=credential, **{**shared, "attributes": attributes})]


def _lock(value: dict[str, Any], shared: dict[str, Any]) -> list[Reading | None]:
    """How the bolt stands: `lock_state`, or `state` of what is locked rather than switched on."""
    said = (text(value.get("lock_state")) or "").lower()
    if said == "not_fully_locked":
        return [jammed(shared)]
    state = text(value.get("state"))
    if said not in _LOCKED and state is not None and state.lower() in {"lock", "unlock"}:
        said = state.lower()
    return [opening("lock", _LOCKED[said], shared)] if said in _LOCKED else []


def _last_seen(value: Any) -> tuple[dt.datetime | None, tuple[str, ...]]:
    """`last_seen` as epoch (milliseconds) or ISO 8601, by configuration; absent by default."""
    if value is None:
        return None, ()
    at = epoch(value) if number(value) is not None else moment(value)
    return at, (() if at is not None else ("time_unreadable",))


def _is_code(name: str) -> bool:
    spelled = name.lower().replace("_", "")
    return "pincode" in spelled or spelled in {"pin", "users", "actioncode"}


def _facts(value: dict[str, Any]) -> dict[str, Any]:
    return {name: found for name in sorted(_FACTS) if (found := number(value.get(name))) is not None}
