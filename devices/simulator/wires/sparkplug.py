"""Sparkplug B: an edge node's metrics by name, in protobuf, as it changes them."""

import datetime as dt
from typing import ClassVar, Final

import msgspec

from devices.simulator.wires.wire import Fact, Happening, Message, Place, Wire, to_millisecond

_BOOLEAN: Final = 11
_METRICS: Final = {"door.opened": ("door", True), "door.closed": ("door", False), "alarm.sos": ("sos", True)}


class SparkplugWire(Wire):
    """The node sends names rather than aliases, as our installer's guide asks for."""

    adapter = "sparkplug"
    can: ClassVar = frozenset(_METRICS)
    keeps = False
    gateway = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._states: dict[str, str] = {}
        group, _, self._node = place.name.rpartition("/")
        self._root = f"{place.root or 'spBv1.0'}/{group or 'yard'}"

    def will(self) -> Message:
        return Message(f"{self._root}/NDEATH/{self._node}", b"", qos=1)

    def hello(self, at: dt.datetime) -> list[Message]:
        body = _payload(to_millisecond(at), [("bdSeq", None)], self.next() % 256)
        return [Message(f"{self._root}/NBIRTH/{self._node}", body)]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        name, value = _METRICS[what.kind]
        device = what.device or ""
        if name == "door" and self._states.get(device) == what.kind:
            return []
        self._states[device] = what.kind
        said = to_millisecond(at)
        found = [self._data(device, name, value, said, Fact(what.kind, None, said, device))]
        if name == "sos":
            # The button comes up again.
            found.append(self._data(device, name, False, said + dt.timedelta(milliseconds=1), None))
        return found

    def broken(self, salt: int) -> Message:
        whole = self.hello(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))[0]
        # A field that claims more bytes than follow.
        return msgspec.structs.replace(whole, body=b"\x12\xff\x7f" + b"%d" % salt)

    def _data(self, device: str, name: str, value: bool, said: dt.datetime, fact: Fact | None) -> Message:
        body = _payload(said, [(name, value)], self.next() % 256)
        facts = () if fact is None else (fact,)
        return Message(f"{self._root}/DDATA/{self._node}/{device}", body, qos=1, facts=facts, ordered=True)


def _payload(at: dt.datetime, metrics: list[tuple[str, bool | None]], seq: int) -> bytes:
    """Payload of sparkplug_b.proto: 1 timestamp, 2 metrics, 3 seq."""
    stamp = round(at.timestamp() * 1000)
    told = b"".join(_piece(2, _metric(name, value, stamp)) for name, value in metrics)
    return _number(1, stamp) + told + _number(3, seq)


def _metric(name: str, value: bool | None, stamp: int) -> bytes:
    """1 name, 3 timestamp, 4 datatype, 7 is_null, 14 boolean_value."""
    held = _number(7, 1) if value is None else _number(14, int(value))
    return _piece(1, name.encode()) + _number(3, stamp) + _number(4, _BOOLEAN) + held


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _piece(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
