"""How far a device's clock is off: measured by its live heartbeats, said once when it is too far.

A heartbeat is never kept back, so device time less received time is the clock's error less
the way through the network. One that was held up on its way must not move the clock: the
median of the last few is what holds.
"""

import datetime as dt
import threading
from collections import deque
from collections.abc import Sequence
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from devices.directory import DeviceFacts
from devices.models import DeviceStatus
from devices.notices import notice
from storage import Database

SKEW_LIMIT: Final = dt.timedelta(seconds=5)
"""A clock may be this far off before we say so (R-D05)."""
RIGHT_AGAIN: Final = dt.timedelta(seconds=4)
"""It has to come nearer than this to be called right: one at the limit is not said again and again."""
SAMPLES: Final = 5
ENOUGH: Final = 3
"""Heartbeats before a clock is called wrong or right: one may have been held up."""
_HOUR: Final = dt.timedelta(hours=1)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)


def drift(samples: Sequence[dt.timedelta]) -> dt.timedelta | None:
    """Device clock less ours; the upper median, since whatever holds a heartbeat up makes it smaller."""
    return sorted(samples)[len(samples) // 2] if samples else None


def hours_off(offset: dt.timedelta, within: dt.timedelta = SKEW_LIMIT) -> int | None:
    """By how many whole hours a clock is off, if that is what is wrong with it: a wrong time zone."""
    hours = round(offset / _HOUR)
    wrong_zone = 1 <= abs(hours) <= 14 and abs(offset - hours * _HOUR) <= within
    return hours if wrong_zone else None


class Clocks:
    """The drift of every device as far as it is known, also from before a restart."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._samples: dict[str, deque[dt.timedelta]] = {}
        # Asked for with every event, moved by a heartbeat alone.
        self._drifts: dict[str, dt.timedelta | None] = {}

    def known(self, device_id: str) -> dt.timedelta | None:
        """Device clock less ours; None while no heartbeat has told."""
        try:
            return self._drifts[device_id]
        except KeyError:
            with self._lock:
                return self._drifts.setdefault(device_id, drift(self._of(device_id)))

    def observe(self, device_id: str, offset: dt.timedelta) -> tuple[dt.timedelta, bool]:
        """Takes in a live heartbeat; returns the drift, and whether enough of them have spoken."""
        with self._lock:
            samples = self._of(device_id)
            samples.append(offset)
            measured = self._drifts[device_id] = drift(samples) or dt.timedelta()
            return measured, len(samples) >= ENOUGH

    def _of(self, device_id: str) -> deque[dt.timedelta]:
        found = self._samples.get(device_id)
        if found is None:
            with self._database.read() as session:
                status = session.get(DeviceStatus, device_id)
                stored = None if status is None else status.clock_offset_ms
            found = deque([] if stored is None else [stored * _MILLISECOND], maxlen=SAMPLES)
            self._samples[device_id] = found
        return found


def note(session: Session, device: DeviceFacts, offset: dt.timedelta, at: dt.datetime, *, sure: bool) -> bool:
    """Keeps the drift; True when it passed the limit or came back, which is an event.

    The database knows what was said last, so that it is said once, also over a restart.
    """
    milliseconds = round(offset / _MILLISECOND)
    mine = DeviceStatus.device_id == device.device_id
    session.execute(update(DeviceStatus).where(mine).values(clock_offset_ms=milliseconds))
    off = abs(offset) > SKEW_LIMIT
    if not sure or (not off and abs(offset) > RIGHT_AGAIN):
        return False
    moved = session.execute(
        update(DeviceStatus)
        .where(mine, DeviceStatus.clock_off.is_(not off))
        .values(clock_off=off)
        .returning(DeviceStatus.device_id)
    ).all()
    if not moved:
        return False
    said = {"cause": "clock_off" if off else "clock_right", "offset_ms": milliseconds}
    hours = hours_off(offset)
    if hours is not None:
        said["hours_off"] = hours
    notice(session, device, "device.time_skew", at, said)
    return True
