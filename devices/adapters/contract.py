"""What an adapter is: pure functions between a vendor's messages and our words.

An adapter knows no registry, no clock and no connection. It is given the bytes and where
they came from, and says what they mean, what the device waits to be told, and what a
command looks like on the wire.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from bus.messages import CredentialUse, DeviceMatch, PlateReading

MAX_BYTES: Final = 8 * 1024 * 1024
"""The largest message that is read."""
MAX_PICTURES: Final = 8


class RefusedError(Exception):
    """A message that cannot be an event. `reason` is a code, `detail` the fact behind it."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class UnsupportedError(Exception):
    """A command that this vendor's devices do not know."""

    def __init__(self, adapter: str, command: str) -> None:
        super().__init__(f"{adapter} has no command {command}")
        self.adapter = adapter
        self.command = command


class Incoming(msgspec.Struct, frozen=True):
    """A message as it came. `content_type` is None for MQTT.

    `topic` is the MQTT topic with the vendor's default root (`zigbee2mqtt/…` whatever the
    gateway's root is); for HTTP it is the path below the receiver's address, with its query.
    """

    topic: str
    body: bytes
    content_type: str | None = None
    # The broker's memory, not news.
    retained: bool = False


class Outgoing(msgspec.Struct, frozen=True):
    """A message to a device over MQTT; never retained. Topics carry the vendor's default root."""

    topic: str
    payload: bytes
    qos: int = 0


class HttpReply(msgspec.Struct, frozen=True):
    """What a pushing device is answered once its message is safe."""

    body: bytes = b""
    content_type: str = "text/plain"
    status: int = 200


class Reading(msgspec.Struct, frozen=True):
    """One thing that a device reports, in our words.

    `device_time` is naive where the message names no zone; it is then taken in the zone of
    the device's compound. `record_id` is the device's own; None where it gives none.
    A measurement that is absent is None. Scores lie in 0…1.
    """

    type: str
    record_id: str | None = None
    device_time: dt.datetime | None = None
    # Whom it is about, by its external id, where that is not the sender: what hangs on a gateway.
    device: str | None = None
    # The device says itself that this is no news: kept back, or sent again on demand.
    late: bool = False
    direction: str | None = None
    track: str | None = None
    credential: CredentialUse | None = None
    plate: PlateReading | None = None
    match: DeviceMatch | None = None
    # (role, bytes): face, plate, body, scene, vehicle.
    pictures: tuple[tuple[str, bytes], ...] = ()
    attributes: dict[str, Any] = {}
    marks: tuple[str, ...] = ()
    # Set where one real thing is told of more than once under one record id and device time:
    # grows with what is known. A higher one amends the stored event, a lower one changes nothing.
    revision: int | None = None
    # When the device knew this of a thing that began at `device_time`: what is told later than a
    # thing begins is no older for that. None where it is told at once.
    as_of: dt.datetime | None = None
    # Seconds within which what is told under one record id is one thing, although each telling
    # has a time of its own: the first one is the thing's, the later ones amend it by `revision`.
    within_s: float | None = None
    # Set where the device repeats a state rather than telling of its change, as (what, value):
    # an event only when the value differs from the last one of that device.
    point: tuple[str, str] | None = None
    # The value is how things stand when nothing is wrong: it is noted, so that the next alarm is
    # seen to be one, and makes no event. With `attributes["ended"]` it is the end of what the value
    # before told of, and an event where there was one.
    rests: bool = False


class SignOfLife(msgspec.Struct, frozen=True):
    """The device (or one behind the gateway) says that it is there, or its last will that it is not."""

    online: bool
    device_time: dt.datetime | None = None
    device: str | None = None
    # Facts about the device itself, for its page: address, firmware, model, name, battery.
    facts: dict[str, Any] = {}
    # It says that it has just connected: the last will of the connection before may still come.
    birth: bool = False


class CommandResult(msgspec.Struct, frozen=True):
    """A device's answer to a command. `command_id` is what `Order.id` was, as far as it says so.

    `code` is the vendor's own, always shown beside `text`. `people` says it one by one for
    person lists: (reference, ok, code, text).
    """

    command_id: str | None
    ok: bool
    code: str = ""
    text: str = ""
    device: str | None = None
    command: str | None = None
    people: tuple[tuple[str, bool, str, str], ...] = ()


class Decoded(msgspec.Struct, frozen=True):
    """What a message said. All empty with `ignored` set where it is understood and holds no news."""

    # The external id of the device or gateway that speaks, as far as topic or body names it.
    sender: str | None = None
    readings: tuple[Reading, ...] = ()
    signs: tuple[SignOfLife, ...] = ()
    results: tuple[CommandResult, ...] = ()
    # What the sender waits for, sent after the commit and not before.
    answers: tuple[Outgoing, ...] = ()
    reply: HttpReply | None = None
    # Paths of sensitive or identifying fields that were taken out.
    dropped: tuple[str, ...] = ()
    # (reason, detail) of what could not be understood beside what was: kept with the dead letters.
    partial: tuple[str, str] | None = None
    # A code for why there is no event: keep_alive, below_threshold, no_change, configuration …
    ignored: str | None = None


class Refusal(msgspec.Struct, frozen=True):
    """What a device is told when its message lies with the dead letters: that it need not send it again."""

    answers: tuple[Outgoing, ...] = ()
    reply: HttpReply | None = None


class Rights(msgspec.Struct, frozen=True):
    """MQTT topic filters that a device needs; nothing else is open to it."""

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()


class Person(msgspec.Struct, frozen=True):
    """Somebody on a terminal's list. `ref` says nothing; `label` is what its screen shows.

    `picture_url` is signed, short-lived and on the LAN; None where the list carries cards only.
    `valid_from`, `valid_until` are local to the device's zone and aware; `uses` counts a visitor's.
    """

    ref: str
    label: str
    picture_url: str | None = None
    card: str | None = None
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    uses: int | None = None


class Order(msgspec.Struct, frozen=True):
    """A command to one device.

    `kind` is one of `COMMANDS`. `external_id` is the device's name in its vendor's topics.
    `at` is now, aware, in the device's zone. `arguments`: open {"door": int, "seconds": float},
    speak {"text": str}, hold {"seconds": float}, sound {"seconds": float}; see the adapter for what it takes.
    """

    id: str
    kind: str
    external_id: str
    at: dt.datetime
    arguments: Mapping[str, Any] = {}
    people: tuple[Person, ...] = ()
    refs: tuple[str, ...] = ()
    # The compound's id, for topics that name it, and when the command is worth nothing any more.
    compound: str = ""
    expires_at: dt.datetime | None = None


COMMANDS: Final = frozenset(
    {
        *("open", "close", "hold", "release", "speak", "sound"),
        *("snapshot", "sync_time", "enrol", "delete", "resend"),
    }
)
"""`sound` is a siren or a lamp for a time, `hold` keeps a way open, `release` ends that, `resend` asks
for a period's records again (arguments `from`, `until`, aware). None locks an exit (L-23)."""


class Adapter(ABC):
    """One vendor's format. Instances hold nothing: everything is a function of its arguments."""

    name: ClassVar[str]
    # What people call it.
    title: ClassVar[str]
    # Other names under which it is looked for: directories of samples, brands.
    aliases: ClassVar[tuple[str, ...]] = ()
    # MQTT topic filters with the vendor's default root; empty where it only pushes by HTTP.
    topics: ClassVar[tuple[str, ...]] = ()
    # Whether it pushes by HTTP.
    pushes: ClassVar[bool] = False
    # Whether it speaks for others: a bridge, a recorder, a platform.
    gateway: ClassVar[bool] = False
    # The root level of a gateway's topics that its configuration can change; None where it cannot.
    root: ClassVar[str | None] = None
    # Seconds between signs of life by the vendor's default; None where there are none.
    heartbeat_s: ClassVar[int | None] = None
    # Commands that `encode` knows.
    commands: ClassVar[frozenset[str]] = frozenset()
    # People a message: the most that `enrol` and `delete` may carry at once.
    enrol_limit: ClassVar[int] = 1
    delete_limit: ClassVar[int] = 1
    # Path in the vendor's message → where it goes in ours. What is not named here is kept
    # in `attributes` under its own name, unless it is sensitive or names a person.
    fields: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def decode(self, message: Incoming) -> Decoded:
        """What the message says. Raises `RefusedError` and nothing else, whatever the bytes."""

    def refused(self, message: Incoming, reason: str) -> Refusal:
        """What to tell a sender whose message was refused for good, found even in broken bytes."""
        _ = message, reason
        return Refusal()

    def encode(self, order: Order) -> tuple[Outgoing, ...]:
        """A command on the wire. Raises `UnsupportedError`."""
        raise UnsupportedError(self.name, order.kind)

    def rights(self, external_id: str) -> Rights:
        """What a device of this vendor may do at the broker."""
        _ = external_id
        return Rights()
