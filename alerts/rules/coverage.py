"""Coverage: which devices could not have seen, and when. "Nothing seen" is not "nobody there"."""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from alerts.rules.observation import Observation
from alerts.rules.rule import Blind, View
from alerts.rules.site import SiteDevice

# Silence is told after so many heartbeats were missed: the device was gone that long already.
_MISSED: Final = 2.25
# A camera that is covered says so again and again; this long after the last word it is believed to see.
_COVERED: Final = dt.timedelta(minutes=10)
_WHY: Final = {
    "device.offline": "offline",
    "video.occlusion": "occluded",
    "video.lost": "video_lost",
    "device.tamper": "tampered",
}
# How far back a device's last word on its own condition is looked for.
_BACK: Final = dt.timedelta(hours=24)


def blind(
    view: View, devices: Iterable[SiteDevice], start: dt.datetime, end: dt.datetime
) -> tuple[Blind, ...]:
    """The times from `start` to `end` in which each of the devices saw nothing, by device and time."""
    found: list[Blind] = []
    for device in sorted(devices, key=lambda one: one.id):
        found += _of_device(view, device, start, end)
    return tuple(found)


def blind_at(view: View, place: str, start: dt.datetime, end: dt.datetime) -> tuple[Blind, ...]:
    """The same for the devices of one lane, or for one device."""
    return blind(view, view.site.at(place), start, end)


def _of_device(view: View, device: SiteDevice, start: dt.datetime, end: dt.datetime) -> Iterable[Blind]:
    # Since when it sees nothing, why, and until when at the longest.
    gone: tuple[dt.datetime, str, dt.datetime | None] | None = None
    if device.blind_since is not None:
        gone = (device.blind_since, "offline", None)
    for seen in view.conditions(device.id, start - _BACK, end):
        if seen.type == "device.online" or _is_over(seen):
            if gone is not None:
                yield from _within(device, gone[0], _earlier(seen.at, gone[2]), gone[1], start, end)
            gone = None
            continue
        why = _WHY[seen.type]
        until = None if why == "offline" else seen.at + _COVERED
        if gone is None:
            gone = (_since(seen, device), why, until)
        elif gone[2] is not None and seen.at > gone[2]:
            yield from _within(device, gone[0], gone[2], gone[1], start, end)
            gone = (_since(seen, device), why, until)
        elif why == "offline":
            gone = (gone[0], why, None)
        elif gone[2] is not None:
            gone = (gone[0], gone[1], until)
    if gone is not None:
        yield from _within(device, gone[0], _earlier(end, gone[2]), gone[1], start, end)


def _since(seen: Observation, device: SiteDevice) -> dt.datetime:
    if seen.type == "device.offline" and seen.cause == "silence":
        return seen.at - dt.timedelta(seconds=_MISSED * device.heartbeat_s)
    return seen.at


def _is_over(seen: Observation) -> bool:
    return bool(seen.attributes.get("ended"))


def _earlier(one: dt.datetime, other: dt.datetime | None) -> dt.datetime:
    return one if other is None else min(one, other)


def _within(
    device: SiteDevice, since: dt.datetime, until: dt.datetime, why: str, start: dt.datetime, end: dt.datetime
) -> Iterable[Blind]:
    if until >= start and since <= end:
        yield Blind(device.id, max(since, start), min(until, end), why)
