"""Zigbee2MQTT: each device says its whole state whenever any of it changes."""

import datetime as dt
from typing import Any, ClassVar, Final

import msgspec

from devices.simulator.wires.wire import (
    Fact,
    Happening,
    Heard,
    Message,
    Place,
    Wire,
    decoded,
    encoded,
    to_millisecond,
)

# Kind → (field, value). A contact that is true is closed.
_STATES: Final[dict[str, tuple[str, Any]]] = {
    "door.opened": ("contact", False),
    "door.closed": ("contact", True),
    "alarm.smoke": ("smoke", True),
    "device.tamper": ("tamper", True),
}
_SENSORS: Final = frozenset(["alarm.smoke", "device.tamper"])


class Zigbee2MqttWire(Wire):
    """With `last_seen: ISO_8601` and QoS 1, as our installer's guide has it. It keeps nothing for later."""

    adapter = "zigbee2mqtt"
    can: ClassVar = frozenset(["access.granted", "alarm.sos", *_STATES])
    beat_s = 600
    keeps = False
    gateway = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._states: dict[str, dict[str, Any]] = {}
        self._root = place.root or "zigbee2mqtt"

    def listens(self) -> tuple[str, ...]:
        return (f"{self._root}/+/set",)

    def will(self) -> Message:
        return Message(f"{self._root}/bridge/state", b'{"state":"offline"}', qos=1, retain=True)

    def hello(self, at: dt.datetime) -> list[Message]:
        return [Message(f"{self._root}/bridge/state", b'{"state":"online"}', qos=1, retain=True)]

    def beat(self, at: dt.datetime) -> list[Message]:
        return [self._state(name, {}, at, (), ordered=False) for name in self.place.behind]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        name = what.device or ""
        said = to_millisecond(at)
        fact = Fact(what.kind, None, said, what.device)
        if what.kind == "alarm.sos":
            return [self._state(name, {"action": "emergency"}, at, (fact,))]
        if what.kind == "access.granted":
            action = {"action": "unlock", "action_source_name": "keypad", "action_user": 3}
            return [self._state(name, action, at, (fact,))]
        field, value = _STATES[what.kind]
        state = self._states.setdefault(name, {})
        if state.get(field) == value:
            return []
        state[field] = value
        if what.kind not in _SENSORS:
            return [self._state(name, {}, at, (fact,))]
        raised = self._state(name, {}, at, (fact,))
        # A detector is at rest again after a while: the end of what it told, and an event as well.
        state[field] = False
        over = at + dt.timedelta(milliseconds=1)
        ended = msgspec.structs.replace(fact, at=to_millisecond(over))
        return [
            raised,
            self._state(name, {}, over, (ended,)),
        ]

    def hear(self, topic: str, body: bytes, at: dt.datetime) -> Heard:
        name = topic.removeprefix(f"{self._root}/").removesuffix("/set")
        wanted = str(decoded(body).get("state") or "").upper()
        if wanted not in {"LOCK", "UNLOCK"}:
            return Heard()
        self._states.setdefault(name, {})["lock_state"] = f"{wanted.lower()}ed"
        kind = "door.opened" if wanted == "UNLOCK" else "door.closed"
        fact = Fact(kind, None, to_millisecond(at), name)
        return Heard(says=(self._state(name, {}, at, (fact,)),), command=wanted)

    def _state(
        self,
        name: str,
        now: dict[str, Any],
        at: dt.datetime,
        facts: tuple[Fact, ...],
        *,
        ordered: bool = True,
    ) -> Message:
        told = {"battery": 87, "linkquality": 120, **self._states.get(name, {}), **now}
        told["last_seen"] = to_millisecond(self.local(at)).isoformat(timespec="milliseconds")
        return Message(f"{self._root}/{name}", encoded(told), qos=1, facts=facts, ordered=ordered)
