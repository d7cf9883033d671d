"""Tasmota: QoS 0 and nothing else, local time without a zone, a retained LWT."""

import datetime as dt
from typing import Any, ClassVar

from devices.simulator.wires.wire import Fact, Happening, Heard, Message, Place, Wire, encoded, to_second


class TasmotaWire(Wire):
    adapter = "tasmota"
    can: ClassVar = frozenset(["door.opened", "door.closed"])
    beat_s = 300
    keeps = False

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._state: str | None = None

    def listens(self) -> tuple[str, ...]:
        return (f"cmnd/{self.place.name}/#",)

    def will(self) -> Message:
        return Message(f"tele/{self.place.name}/LWT", b"Offline", retain=True)

    def hello(self, at: dt.datetime) -> list[Message]:
        return [Message(f"tele/{self.place.name}/LWT", b"Online", retain=True)]

    def beat(self, at: dt.datetime) -> list[Message]:
        return [self._said("STATE", {"Uptime": "1T02:03:04", "POWER": "OFF"}, at, None)]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        # What it could not say it forgets: its next state is what counts.
        if what.kind == self._state:
            return []
        self._state = what.kind
        value = "ON" if what.kind == "door.opened" else "OFF"
        fact = Fact(what.kind, None, to_second(self.local(at)))
        return [self._said("SENSOR", {"Switch1": value}, at, fact)]

    def hear(self, topic: str, body: bytes, at: dt.datetime) -> Heard:
        command = topic.rpartition("/")[2]
        says = Message(f"stat/{self.place.name}/RESULT", encoded({"POWER1": "ON"}))
        return Heard(says=(says,), command=command)

    def _said(self, leaf: str, told: dict[str, Any], at: dt.datetime, fact: Fact | None) -> Message:
        body = {"Time": self.local(at).strftime("%Y-%m-%dT%H:%M:%S"), **told}
        facts = () if fact is None else (fact,)
        return Message(f"tele/{self.place.name}/{leaf}", encoded(body), facts=facts, ordered=True)
