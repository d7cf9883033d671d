"""Home Assistant's state stream: bare words, retained at QoS 1, without any time."""

import datetime as dt
from typing import ClassVar, Final

from devices.simulator.wires.wire import Fact, Happening, Message, Place, Wire

_WORDS: Final = {"door.opened": b"on", "door.closed": b"off", "alarm.smoke": b"on"}


class HomeAssistantWire(Wire):
    adapter = "homeassistant"
    can: ClassVar = frozenset(_WORDS)
    keeps = False
    gateway = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._states: dict[str, bytes] = {}
        self._root = place.root or "homeassistant"

    def will(self) -> Message:
        return Message(f"{self._root}/status", b"offline", qos=1, retain=True)

    def hello(self, at: dt.datetime) -> list[Message]:
        return [Message(f"{self._root}/status", b"online", qos=1, retain=True)]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        word, name = _WORDS[what.kind], what.device or ""
        if self._states.get(name) == word:
            return []
        self._states[name] = word
        found = [self._state(name, word, Fact(what.kind, device=what.device))]
        if what.kind == "alarm.smoke":
            self._states[name] = b"off"
            found.append(self._state(name, b"off", None))
        return found

    def broken(self, salt: int) -> Message:
        # A bare word has no middle to break off in: a state of several lines is none.
        name = self.place.behind[0]
        return Message(self._topic(name), b"on\n%d" % salt, qos=1)

    def _state(self, name: str, word: bytes, fact: Fact | None) -> Message:
        facts = () if fact is None else (fact,)
        return Message(self._topic(name), word, qos=1, retain=True, facts=facts, ordered=True)

    def _topic(self, name: str) -> str:
        domain, _, thing = name.partition(".")
        return f"{self._root}/{domain}/{thing}/state"
