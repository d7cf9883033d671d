"""Where work comes from: one trace from a device's message to a phone.

What a room does it does within a span, and what it writes down for others carries the span's place (a
`traceparent` of W3C Trace Context) in a column or a header. The trace's id is the event's own, so whoever
knows an event finds its trace, and a process that took over without having heard of it goes on with it.
Who collects spans the application says (`install`); without it nothing is done here and nothing written.

What is told of a span is what `Attributes` has, and that is nothing of anybody: no person, plate, device
or place.
"""

import datetime as dt
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal, NamedTuple, Protocol, TypedDict, Unpack

from sqlalchemy import String

from storage.ids import content_id

HEADER: Final = "traceparent"
LENGTH: Final = 55
"""Characters of a `traceparent`, in columns that keep one."""

Kind = Literal["internal", "consumer", "producer", "client"]

_FORM: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01")
_EVENT: Final = re.compile(r"[0-9a-f]{32}")
_REMEMBERED: Final = 10_000


class Attributes(TypedDict, total=False):
    """All that may be told of a span. A new one is a decision: it leaves the house (docs/tracing.md)."""

    event_id: str
    event_type: str
    compound: str
    ring: str
    late: bool
    consumer: str
    attempt: int
    subject_kind: str
    rule: str
    severity: int
    incident: str
    version: int
    purpose: str
    channel: str
    outcome: str
    command: str


class Place(NamedTuple):
    """A span's place: 32 and 16 hexadecimal digits."""

    trace: str
    span: str

    def __str__(self) -> str:
        return f"00-{self.trace}-{self.span}-01"


class Span(Protocol):
    """Something that has begun. `end` once; what is not ended is never told."""

    def note(self, **attributes: Unpack[Attributes]) -> None:
        """Tells more of it."""

    def end(self, *, failed: str | None = None) -> None:
        """It is over; `failed` is the class of what went wrong, never its words."""


class Tracer(Protocol):
    """Takes spans and brings them to whoever collects them. Never waits, and never raises."""

    ratio: float

    def begin(
        self,
        name: str,
        place: Place,
        parent: Place | None,
        kind: Kind,
        at: dt.datetime | None,
        attributes: Attributes,
    ) -> Span:
        """Begins a span, now or `at`."""


class _Remembered:
    """Where the last thing was that was done about an event; the oldest is forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: OrderedDict[str, str] = OrderedDict()

    def put(self, event_id: str, place: str) -> None:
        with self._lock:
            self._places[event_id] = place
            self._places.move_to_end(event_id)
            while len(self._places) > _REMEMBERED:
                self._places.popitem(last=False)

    def get(self, event_id: str) -> str | None:
        with self._lock:
            return self._places.get(event_id)

    def clear(self) -> None:
        with self._lock:
            self._places.clear()


_tracer: Tracer | None = None
_current: ContextVar[str | None] = ContextVar("ringward_trace", default=None)
_remembered: Final = _Remembered()


def install(tracer: Tracer | None) -> None:
    """From now on spans of this process go there; None: nowhere."""
    global _tracer  # noqa: PLW0603 - one a process, as the clock and the logs are
    _tracer = tracer
    _remembered.clear()


def on() -> bool:
    """Whether anybody collects."""
    return _tracer is not None


def current() -> str | None:
    """The `traceparent` of what is being done; None where nothing of it is traced."""
    return _current.get()


def column() -> String:
    """The type of a column that keeps a `traceparent`."""
    return String(LENGTH)


def root_of(event_id: str) -> str | None:
    """The place of the span in which an event was taken in; None where it is not traced.

    A function of the event alone: every process says the same, whether it has heard of the event or not.
    """
    tracer = _tracer
    if tracer is None or not _EVENT.fullmatch(event_id):
        return None
    # The last 56 bits are random in every id of ours, and of Trace Context, level 2.
    if int(event_id[-14:], 16) >= tracer.ratio * 16**14:
        return None
    return str(Place(event_id, content_id("span", event_id)[:16]))


def of_event(event_id: str) -> str | None:
    """Where what is done about an event belongs: to what is being done, if that is about it, or its root."""
    place = _current.get()
    if place is not None and place[3:35] == event_id:
        return place
    return root_of(event_id)


def remember(event_id: str, place: str) -> None:
    """Whatever follows from the event in this process follows from there."""
    _remembered.put(event_id, place)


def recall(event_id: str) -> str | None:
    """What was remembered of an event, else its root."""
    return (_remembered.get(event_id) if _tracer is not None else None) or root_of(event_id)


def within(parent: str | None) -> str | None:
    """A place for a span that begins later, maybe elsewhere, below `parent`; None below nothing."""
    above = _read(parent)
    return None if above is None or _tracer is None else str(Place(above.trace, secrets.token_hex(8)))


def taken_in(event: str, at: dt.datetime, *, name: str = "ingest", **attributes: Unpack[Attributes]) -> None:
    """Tells that an event was taken in: from when it was received until now. The first span of its trace."""
    place = _read(root_of(event))
    if place is not None and _tracer is not None:
        attributes["event_id"] = event
        _tracer.begin(name, place, None, "consumer", at, attributes).end()


def begin(
    name: str,
    parent: str | None,
    *,
    kind: Kind = "internal",
    own: str | None = None,
    **attributes: Unpack[Attributes],
) -> tuple[Span, str] | None:
    """A span that its caller ends, and its place; None below nothing. `own` is a place from `within`."""
    tracer, above = _tracer, _read(parent)
    if tracer is None or above is None:
        return None
    place = _read(own) or Place(above.trace, secrets.token_hex(8))
    return tracer.begin(name, place, above, kind, None, attributes), str(place)


@contextmanager
def span(
    name: str,
    parent: str | None,
    *,
    kind: Kind = "internal",
    own: str | None = None,
    **attributes: Unpack[Attributes],
) -> Iterator[Span | None]:
    """What is done inside is part of the trace. Below nothing it is just done."""
    begun = begin(name, parent, kind=kind, own=own, **attributes)
    if begun is None:
        yield None
        return
    running, place = begun
    token = _current.set(place)
    try:
        yield running
    except BaseException as error:
        running.end(failed=type(error).__name__)
        raise
    else:
        running.end()
    finally:
        _current.reset(token)


def mark(name: str, parent: str | None, **attributes: Unpack[Attributes]) -> None:
    """Something that happened and took no time: a receipt, an answer."""
    begun = begin(name, parent, **attributes)
    if begun is not None:
        begun[0].end()


def _read(place: str | None) -> Place | None:
    found = _FORM.fullmatch(place) if place is not None else None
    return None if found is None else Place(found[1], found[2])
