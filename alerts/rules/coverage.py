"""Coverage: which devices could not have seen, and when. "Nothing seen" is not "nobody there".

A device is blind from the moment at which it went until the moment at which it came back: it sees
at the latter, not at the former.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.rules.memory import CONDITIONS
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
_EVER: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
_NEVER: Final = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class ZoneCoverage:
    """What a zone's devices could see of a window.

    `share` is 0 … 1: the time in which they saw, over all devices; 0 where nobody looks at all.
    `dark` are the times in which none of them saw.
    """

    zone: str
    ring: str
    devices: tuple[str, ...]
    blind: tuple[Blind, ...]
    share: float
    dark: tuple[tuple[dt.datetime, dt.datetime], ...]


def blind(
    view: View,
    devices: Iterable[SiteDevice],
    start: dt.datetime,
    end: dt.datetime,
    *,
    as_of: dt.datetime | None = None,
) -> tuple[Blind, ...]:
    """The times from `start` to `end` in which each of the devices saw nothing, by device and time.

    `as_of` is the latest moment that may be looked at, `end` where it is not given: that a device
    has fallen silent is noticed only afterwards, so what is asked later is answered better.
    """
    found: list[Blind] = []
    for device in sorted(devices, key=lambda one: one.id):
        found += _of_device(view, device, start, end, end if as_of is None else as_of)
    return tuple(found)


def blind_at(
    view: View, place: str, start: dt.datetime, end: dt.datetime, *, as_of: dt.datetime | None = None
) -> tuple[Blind, ...]:
    """The same for the devices of one lane, or for one device."""
    return blind(view, view.site.at(place), start, end, as_of=as_of)


def covered(
    view: View,
    zones: Iterable[str] | str,
    start: dt.datetime,
    end: dt.datetime,
    *,
    as_of: dt.datetime | None = None,
) -> tuple[ZoneCoverage, ...]:
    """What the devices of each zone could see from `start` to `end`; a ring's name stands for its zones."""
    if isinstance(zones, str):
        named: Iterable[str] = [zone.id for zone in view.site.zones.values() if zone.ring == zones]
    else:
        named = set(zones)
    return tuple(_of_zone(view, zone, start, end, as_of) for zone in sorted(named))


def _of_zone(
    view: View, zone: str, start: dt.datetime, end: dt.datetime, as_of: dt.datetime | None
) -> ZoneCoverage:
    devices = sorted(device.id for device in view.site.within(zone))
    known = view.site.zones.get(zone)
    found = blind(view, view.site.within(zone), start, end, as_of=as_of)
    length = (end - start).total_seconds()
    if not devices:
        share = 0.0
    elif length <= 0:
        share = 1 - len({one.device for one in found}) / len(devices)
    else:
        lost = sum((one.end - one.start).total_seconds() for one in found)
        share = 1 - lost / (length * len(devices))
    return ZoneCoverage(
        zone,
        known.ring if known is not None else "",
        tuple(devices),
        found,
        share,
        _all_blind(devices, found, start, end),
    )


def _all_blind(
    devices: Sequence[str], found: Sequence[Blind], start: dt.datetime, end: dt.datetime
) -> tuple[tuple[dt.datetime, dt.datetime], ...]:
    """When every one of the devices was blind: what they have in common."""
    dark = [(start, end)]
    for device in devices:
        theirs = [(one.start, one.end) for one in found if one.device == device]
        dark = [
            (max(one[0], other[0]), min(one[1], other[1]))
            for one in dark
            for other in theirs
            if max(one[0], other[0]) < min(one[1], other[1]) or one == other
        ]
    return tuple(dark)


def _of_device(
    view: View, device: SiteDevice, start: dt.datetime, end: dt.datetime, as_of: dt.datetime
) -> Iterable[Blind]:
    # Touching times are one, which says offline where any of them does: that is the worst of them.
    since: dt.datetime | None = None
    until, why = _EVER, ""
    for begins, ends, reason in sorted(_times(view, device, as_of)):
        if since is not None and begins <= until:
            until = max(until, ends)
            why = "offline" if reason == "offline" else why
            continue
        if since is not None and until > start and since <= end:
            yield Blind(device.id, max(since, start), min(until, end), why)
        since, until, why = begins, ends, reason
    if since is not None and until > start and since <= end:
        yield Blind(device.id, max(since, start), min(until, end), why)


def _times(
    view: View, device: SiteDevice, as_of: dt.datetime
) -> Iterable[tuple[dt.datetime, dt.datetime, str]]:
    """From when to when, and why it saw nothing; may overlap."""
    gone = device.blind_since
    heard = _EVER
    covered_from: dt.datetime | None = None
    covered_until, why = _EVER, ""
    for seen in view.conditions(device.id, _EVER, as_of):
        if seen.type == "device.online" or seen.is_over:
            # It speaks, and says of itself that nothing hinders it.
            if gone is not None and gone < seen.at:
                yield gone, seen.at, "offline"
            if covered_from is not None:
                yield covered_from, min(covered_until, seen.at), why
            gone, covered_from, heard = None, None, seen.at
        elif seen.type == "device.offline":
            if gone is None:
                gone = max(_since(view, seen, device), heard)
        else:
            if covered_from is not None and seen.at > covered_until:
                yield covered_from, covered_until, why
                covered_from = None
            if covered_from is None:
                covered_from, why = seen.at, _WHY[seen.type]
            covered_until = seen.at + _COVERED
    if covered_from is not None:
        yield covered_from, covered_until, why
    if gone is not None:
        yield gone, _NEVER, "offline"


def _since(view: View, seen: Observation, device: SiteDevice) -> dt.datetime:
    """Since when it has been away: one that fell silent, since the last heartbeat or its last word."""
    if seen.cause != "silence":
        return seen.at
    since = seen.at - dt.timedelta(seconds=_MISSED * device.heartbeat_s)
    words = [one.at for one in view.at_device(device.id, since, seen.at) if one.type not in CONDITIONS]
    return max(words, default=since)
