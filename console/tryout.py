"""What the test bench is told: a message that was tried, and what would have become of it.

Values only. Trying needs ingest and the rules, which the process hands over (`Rooms.tryout`).
"""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TriedMessage:
    """A message as a device would send it. `signed_in` is the device that pushes it by HTTP."""

    topic: str
    body: bytes
    content_type: str | None = None
    signed_in: str | None = None


@dataclass(frozen=True, slots=True)
class TriedEvent:
    """An event that it would become. `pictures` are roles; `known`: it is stored already."""

    type: str
    device: str
    zone: str
    ring: str
    lane: str | None
    direction: str | None
    at: dt.datetime
    late: bool
    marks: tuple[str, ...]
    pictures: tuple[str, ...]
    known: bool = False


@dataclass(frozen=True, slots=True)
class TriedIncident:
    """An incident that it would raise, in the minutes after it if nothing else came."""

    rule: str
    kind: str
    severity: int
    zone: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What ingest and the rules would have made of a message.

    `refused` is (reason, detail). `strangers` are senders that nobody has registered. `signs` are
    (device, online). `muted`: rules wanted to say something and are muted. `heard`: what the rules
    were told; pictures reach them only after recognition, which is not tried.
    """

    refused: tuple[str, str] | None = None
    strangers: tuple[str, ...] = ()
    events: tuple[TriedEvent, ...] = ()
    signs: tuple[tuple[str, bool], ...] = ()
    results: int = 0
    heard: int = 0
    incidents: tuple[TriedIncident, ...] = ()
    muted: int = 0
    answers: tuple[str, ...] = ()
