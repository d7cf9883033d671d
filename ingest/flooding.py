"""Flood control: what one device sends beyond its share is counted, not stored.

News has its share by when it came, history by when it happened: a memory of hours that is
read out within a minute is no flood, a device that repeats the present is. Nothing critical
is ever dropped. What was dropped becomes one event a window, with counts, and the last of
each type is stored after all: how it ended is worth as much as how it began.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from devices.adapters.canonical import CRITICAL
from devices.directory import DeviceFacts
from ingest.arrival import Arrival
from ingest.flood import Bucket, Limit, filled, full, take

WINDOW: Final = dt.timedelta(seconds=30)
"""For how long drops are gathered into one event. Shorter: more of them. Longer: it is known later."""
LETTERS: Final = Limit(1 / 60, 500)
"""Refused messages that a sender may leave behind one by one; more are one letter with a count."""
ASIDE: Final = Limit(1 / 5, 5000)
"""The same for what is set aside unread until somebody decides: it is to become history."""
_SET_ASIDE: Final = frozenset({"quarantined_device", "unknown_device", "disabled_device"})
_NEWS: Final = "news"
_HISTORY: Final = "history"
_MOST_LAST: Final = 8
_MOST_SENDERS: Final = 10_000

_Key = tuple[str, str]


@dataclass(slots=True)
class Window:
    """What was dropped of one device since `since`."""

    device: DeviceFacts
    since: dt.datetime
    until: dt.datetime
    suppressed: Counter[str] = field(default_factory=Counter)
    # Type → the last of its kind, to be stored when the window closes.
    last: dict[str, Arrival] = field(default_factory=dict)

    def as_attributes(self) -> dict[str, Any]:
        """Of the event that says so."""
        return {
            "cause": "flooding",
            "suppressed": dict(self.suppressed),
            "from": self.since.isoformat(),
            "until": self.until.isoformat(),
        }


class FloodControl:
    """Buckets and windows of all devices. Not safe for several threads: the intake takes turns.

    `limit` None controls nothing. Between `begin` and `keep` or `undo` lies a batch: one that
    could not be committed comes again, and must find its tokens.
    """

    def __init__(self, limit: Limit | None) -> None:
        self._limit = limit
        self._buckets: dict[_Key, Bucket] = {}
        self._before: dict[_Key, Bucket | None] = {}
        self._windows: dict[str, Window] = {}
        self._dropped: list[tuple[DeviceFacts, str, Arrival]] = []
        # Devices whose share was used up when it was last looked at.
        self._exhausted: set[str] = set()

    def begin(self) -> None:
        self._before.clear()
        self._dropped.clear()

    def undo(self) -> None:
        """Takes back what was used since `begin`."""
        for key, bucket in self._before.items():
            if bucket is None:
                self._buckets.pop(key, None)
            else:
                self._buckets[key] = bucket
        self.begin()

    def keep(self) -> Counter[str]:
        """Makes what happened since `begin` final; returns what was dropped, by type."""
        for device, event_type, arrival in self._dropped:
            self._gather(device, event_type, arrival)
        dropped = Counter(event_type for _, event_type, _ in self._dropped)
        self.begin()
        return dropped

    def admits(
        self, device: DeviceFacts, event_type: str, arrival: Arrival, happened_at: dt.datetime, *, late: bool
    ) -> bool:
        """Whether an event is to be stored; if not, it is counted."""
        limit = self._limit
        if limit is None or event_type in CRITICAL:
            return True
        which, moment = (_HISTORY, happened_at) if late else (_NEWS, arrival.received_at)
        if self._take(limit, (device.device_id, which), moment.timestamp()):
            return True
        self._exhausted.add(device.device_id)
        self._dropped.append((device, event_type, arrival))
        return False

    def is_flooding(self, device_id: str, at: dt.datetime) -> bool:
        """Whether what the device sends now will probably be dropped."""
        # Asked for with every message: nearly always nobody floods, and that is the answer.
        if device_id not in self._exhausted or self._limit is None:
            return False
        bucket = self._buckets.get((device_id, _NEWS))
        if bucket is not None and filled(self._limit, bucket, at.timestamp()).tokens < 1:
            return True
        self._exhausted.discard(device_id)
        return False

    def letter_of_its_own(self, sender: str, reason: str, at: dt.datetime) -> bool:
        """Whether a refused message is kept by itself, or counted with others of its sender."""
        which, limit = ("aside", ASIDE) if reason in _SET_ASIDE else ("letters", LETTERS)
        return self._take(limit, (sender, which), at.timestamp())

    def due(self, now: dt.datetime | None) -> list[Window]:
        """The windows that have been open long enough, or all of them; they are closed by `close`."""
        return [window for window in self._windows.values() if now is None or now - window.since >= WINDOW]

    def close(self, windows: Iterable[Window]) -> None:
        """Forgets windows whose event is committed."""
        for window in windows:
            self._windows.pop(window.device.device_id, None)

    def _take(self, limit: Limit, key: _Key, at: float) -> bool:
        before = self._buckets.get(key)
        if before is None and len(self._buckets) >= _MOST_SENDERS:
            # Whoever invents names fills no memory. Its own share begins anew for everybody.
            self._buckets.clear()
        granted, after = take(limit, before or full(limit, at), at)
        self._before.setdefault(key, before)
        self._buckets[key] = after
        return granted

    def _gather(self, device: DeviceFacts, event_type: str, arrival: Arrival) -> None:
        at = arrival.received_at
        window = self._windows.get(device.device_id)
        if window is None:
            window = self._windows[device.device_id] = Window(device, at, at)
        window.until = max(window.until, at)
        window.suppressed[event_type] += 1
        if event_type in window.last or len(window.last) < _MOST_LAST:
            window.last[event_type] = arrival
