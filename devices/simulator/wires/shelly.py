"""Shelly of the second generation: JSON-RPC notifications; what an input is wired to, the prefix says."""

import datetime as dt
from typing import Any, ClassVar

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


class ShellyWire(Wire):
    adapter = "shelly"
    can: ClassVar = frozenset(["door.opened", "door.closed", "alarm.sos"])
    beat_s = 60
    keeps = False

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._state: bool | None = None

    def listens(self) -> tuple[str, ...]:
        return (f"{self.place.name}/rpc",)

    def will(self) -> Message:
        return Message(f"{self.place.name}/online", b"false", qos=1, retain=True)

    def hello(self, at: dt.datetime) -> list[Message]:
        return [Message(f"{self.place.name}/online", b"true", qos=1, retain=True)]

    def beat(self, at: dt.datetime) -> list[Message]:
        return [self._notify("NotifyStatus", {"wifi": {"sta_ip": "192.168.7.80", "rssi": -61}}, at, None)]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        said = to_millisecond(at)
        fact = Fact(what.kind, None, said)
        if what.kind == "alarm.sos":
            event = {"component": "input:0", "id": 0, "event": "single_push", "ts": said.timestamp()}
            return [self._notify("NotifyEvent", {"events": [event]}, at, fact)]
        is_open = what.kind == "door.opened"
        if is_open == self._state:
            return []
        self._state = is_open
        return [self._notify("NotifyStatus", {"input:0": {"id": 0, "state": is_open}}, at, fact)]

    def hear(self, topic: str, body: bytes, at: dt.datetime) -> Heard:
        told = decoded(body)
        source = str(told.get("src") or "")
        if not source:
            return Heard()
        answer = {"id": told.get("id"), "src": self._id, "dst": source, "result": {"was_on": False}}
        return Heard(
            says=(Message(f"{source}/rpc", encoded(answer), qos=1),), command=str(told.get("method"))
        )

    @property
    def _id(self) -> str:
        return f"shellyplusuni-{self.place.name}"

    def _notify(self, method: str, params: dict[str, Any], at: dt.datetime, fact: Fact | None) -> Message:
        body = {
            "src": self._id,
            "dst": f"{self.place.name}/events",
            "method": method,
            "params": {"ts": to_millisecond(at).timestamp(), **params},
        }
        topic = f"{self.place.name}/events/rpc"
        return Message(topic, encoded(body), qos=1, facts=() if fact is None else (fact,), ordered=True)
