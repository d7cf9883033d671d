"""Which devices were there at a moment of the past: from their status, and from the log before it.

A status says since when it holds. Before that the device's last word counts, and where there
is none, the opposite of its next one; without any it is believed to have been there.
"""

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.knowing.asking import rows
from devices.models import Device, DeviceStatus, Stage
from registry.models import Zone
from storage.events import EventRow, of_sight

_WORDS: Final = ("device.online", "device.offline")
# How far back a device's last word is looked for.
_BACK: Final = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _Now:
    ring: str
    online: bool
    since: dt.datetime


class Presence:
    """The devices of a compound that are at work and have a status."""

    def __init__(self, session: Session, compound: str) -> None:
        self.session = session
        self._compound = compound
        self._now = {
            row.id: _Now(row.ring, bool(row.online), row.since)
            for row in session.execute(
                select(Device.id, Zone.ring, DeviceStatus.online, DeviceStatus.since)
                .join(DeviceStatus, DeviceStatus.device_id == Device.id)
                .join(Zone, Zone.id == Device.zone)
                .where(Device.compound == compound, Device.enabled, Device.stage == Stage.APPROVED)
            )
        }
        self._rings: defaultdict[str, list[str]] = defaultdict(list)
        for device, now in self._now.items():
            self._rings[now.ring].append(device)
        # Device → its words (moment, online) in order of time; from when on they were read.
        self._words: dict[str, list[tuple[dt.datetime, bool]]] = {}
        self._read_from: dt.datetime | None = None

    def learn(self, moments: Collection[dt.datetime]) -> None:
        """Reads what devices said around these moments, where their status does not reach back to them."""
        if not moments:
            return
        first = min(moments)
        if self._read_from is not None and self._read_from <= first - _BACK:
            return
        changed = [device for device, now in self._now.items() if now.since > first]
        self._read_from = first - _BACK
        self._words = {device: [] for device in changed}
        for row in rows(
            self.session,
            changed,
            lambda some: (
                select(EventRow.device_id, EventRow.corrected_time, EventRow.type)
                .where(
                    EventRow.compound == self._compound,
                    of_sight(),
                    EventRow.device_id.in_(some),
                    EventRow.corrected_time >= first - _BACK,
                    EventRow.type.in_(_WORDS),
                )
                .order_by(EventRow.corrected_time, EventRow.id)
            ),
        ):
            self._words[row.device_id].append((row.corrected_time, row.type == "device.online"))

    def offline_share(self, ring: str, at: dt.datetime) -> float:
        """Share of a ring's devices that were offline at a moment that was learnt, 0…1."""
        devices = self._rings.get(ring, ())
        return sum(not self._state(device, at)[0] for device in devices) / len(devices) if devices else 0.0

    def blind_since(self, at: dt.datetime) -> Mapping[str, dt.datetime]:
        """Devices that were offline at a moment that was learnt, with since when."""
        states = {device: self._state(device, at) for device in self._now}
        return {device: since for device, (online, since) in states.items() if not online}

    def _state(self, device: str, at: dt.datetime) -> tuple[bool, dt.datetime]:
        """Whether it was there, and since when as far as is known."""
        now = self._now[device]
        if now.since <= at:
            return now.online, now.since
        words = self._words.get(device, ())
        place = bisect.bisect_right(words, at, key=lambda word: word[0])
        if place:
            return words[place - 1][1], words[place - 1][0]
        # Never heard of before: it was what its next word changed. Where the log has no word at all nothing
        # says that it was away, and nothing would ever say that it came back.
        return not words[0][1] if words else True, dt.datetime.min.replace(tzinfo=dt.UTC)
