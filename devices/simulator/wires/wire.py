"""What every simulated device has in common: what happens before it, and what it says of that.

A wire is one device's half of its vendor's protocol as functions between happenings and
bytes. It keeps what such a device keeps (counters, its list of people, the last state of a
contact) and knows no socket and no clock: the device's own time comes in as an argument.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from devices.simulator import pictures

MEMORY: Final = 200
"""Records that a device keeps and can be asked for again."""


class Happening(msgspec.Struct, frozen=True):
    """Something before a device, in our words; `kind` is a canonical event type.

    `size` is the picture's in bytes (0: none), `seed` what it looks like. `cut` breaks the
    picture off, as a full buffer does. `device` is whom it is about, behind a gateway.
    """

    kind: str
    device: str | None = None
    person: str | None = None
    card: str | None = None
    plate: str | None = None
    color: str | None = None
    score: float | None = None
    reason: str | None = None
    direction: str | None = None
    size: int = 0
    seed: int = 0
    cut: bool = False

    def jpeg(self) -> bytes:
        """The picture, or nothing."""
        if not self.size:
            return b""
        whole = pictures.jpeg(self.size, self.seed)
        return whole[: len(whole) // 2] if self.cut else whole


class Fact(msgspec.Struct, frozen=True):
    """What a message tells: the event that it must become.

    `number` is the device's own name for the record, `at` the time that the message carries,
    aware and no finer than what is written in it. Both are None where a message has neither.
    """

    kind: str
    number: str | None = None
    at: dt.datetime | None = None
    device: str | None = None
    late: bool = False


class Message(msgspec.Struct, frozen=True):
    """Bytes for the broker, or for the HTTP receiver where `content_type` is set.

    `key` is what an answer will call it by; None where the protocol has no answer of its own.
    `ordered` messages tell of states: they may be lost, but overtake nobody.
    """

    topic: str
    body: bytes
    qos: int = 0
    retain: bool = False
    content_type: str | None = None
    facts: tuple[Fact, ...] = ()
    key: str | None = None
    ordered: bool = False


class Heard(msgspec.Struct, frozen=True):
    """What an incoming message meant to the device."""

    confirmed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    says: tuple[Message, ...] = ()
    command: str | None = None


class Place(msgspec.Struct, frozen=True):
    """Who a device is: its id with us, its name in its vendor's messages, where its topics begin.

    `behind` are the external ids of what hangs on a gateway.
    """

    compound: str
    device_id: str
    name: str
    zone: dt.tzinfo
    root: str | None = None
    behind: tuple[str, ...] = ()


class Wire(ABC):
    """One device of one vendor."""

    adapter: ClassVar[str]
    # Canonical types of what such devices can see.
    can: ClassVar[frozenset[str]]
    # Seconds between signs of life by the vendor's default; 0: it gives none.
    beat_s: ClassVar[float] = 0
    # The QoS at which it subscribes.
    listens_qos: ClassVar[int] = 0
    # Whether it keeps what it could not send, and sends it later.
    keeps: ClassVar[bool] = True
    # Whether it speaks for others.
    gateway: ClassVar[bool] = False
    # Whether it pushes by HTTP rather than publish.
    pushes: ClassVar[bool] = False

    def __init__(self, place: Place) -> None:
        self.place = place
        self.count = 0

    def listens(self) -> tuple[str, ...]:
        """MQTT filters on which it hears answers and commands."""
        return ()

    def will(self) -> Message | None:
        """What the broker says once the connection is lost."""
        return None

    def hello(self, at: dt.datetime) -> list[Message]:
        """What it says when it has connected."""
        return []

    def beat(self, at: dt.datetime) -> list[Message]:
        """A sign of life."""
        return []

    @abstractmethod
    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        """What it says of a happening; nothing where that is no news. `late`: it comes after an outage."""

    def hear(self, topic: str, body: bytes, at: dt.datetime) -> Heard:
        """What an incoming message makes it do."""
        return Heard()

    def again(self, message: Message) -> Message:
        """A record that was not answered, as it is sent once more."""
        return message

    def broken(self, salt: int) -> Message:
        """A message of this vendor's that breaks off in the middle; `salt` makes it one of a kind."""
        # Of a twin of its own, so that no number is used up and no state changes.
        probe = type(self)(self.place).tell(Happening(min(self.can), device=self._somebody()), _LONG_AGO)
        body = probe[-1].body
        cut = body[: max(8, len(body) // 3)] + b"#%d" % salt
        return msgspec.structs.replace(probe[-1], body=cut, facts=(), key=None)

    def reset(self) -> None:
        """Somebody sets it back to how it left the factory: it counts from the start."""
        self.count = 0

    def next(self) -> int:
        """The next record number."""
        self.count += 1
        return self.count

    def local(self, at: dt.datetime) -> dt.datetime:
        """The device's wall clock."""
        return at.astimezone(self.place.zone)

    def _somebody(self) -> str | None:
        return self.place.behind[0] if self.place.behind else None


_LONG_AGO: Final = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def encoded(value: Any) -> bytes:
    """JSON as devices write it."""
    return msgspec.json.encode(value)


def decoded(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty one where it is none."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def to_second(at: dt.datetime) -> dt.datetime:
    return at.replace(microsecond=0)


def to_millisecond(at: dt.datetime) -> dt.datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only what is known: an absent value has no key."""
    return {key: value for key, value in values.items() if value is not None}
