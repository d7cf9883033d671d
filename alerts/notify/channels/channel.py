"""What every way to reach somebody has in common: it takes one letter and says what came of it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

from alerts.notify.models import ChannelKind, Purpose

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Result(enum.StrEnum):
    """What came of handing over a letter."""

    HANDED_OVER = "handed_over"  # the next one took it
    RECEIVED = "received"  # it came, and the other side says so
    GONE = "gone"  # the address is no more (404, 410): it is not tried again
    TOO_MANY = "too_many"  # the other side wants a pause (429)
    REFUSED = "refused"  # it will never be taken like this (400, 401, 403, 413)
    FAILED = "failed"  # not now (5xx, no connection): it was not taken
    UNCERTAIN = "uncertain"  # no answer in time: it may have been taken


@dataclass(frozen=True, slots=True)
class Outcome:
    """`error` is a code of ours, never what the other side said."""

    result: Result
    error: str | None = None
    # Not before so many seconds, where the other side said so.
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where to; opened for this one try."""

    contact: str
    address: str
    secret: str | None = None
    settings: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class Letter:
    """What is said, in the receiver's language; no name, no plate, no picture."""

    notification: str
    # This try's id: what a receipt names, and what lets the other side know a letter that it has already.
    attempt: str
    purpose: Purpose
    severity: int
    title: str
    body: str
    language: str = "zh-CN"
    # A path of the console that shows more to whoever signs in.
    path: str | None = None
    # A newer letter of the same tag takes the older one's place on a screen.
    tag: str | None = None
    # An incident's id and compound, for machines (webhooks, sirens).
    incident: str | None = None
    compound: str | None = None
    drill: bool = False
    # Whose answer is asked for, and the words of the answers; empty where none is.
    dispatch: str | None = None
    replies: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    # Seconds for which it is worth something.
    ttl_s: int = 3600
    arguments: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


class Channel(Protocol):
    """One way. `send` never raises for what the other side does; it is bounded in time by itself."""

    kind: ClassVar[ChannelKind]
    # Nothing of it leaves the house: drills may use it.
    stays_inside: ClassVar[bool]

    async def send(self, to: Address, letter: Letter) -> Outcome: ...
