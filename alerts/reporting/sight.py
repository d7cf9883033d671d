"""Devices that were there, and zones that were seen, as shares of the time. Pure."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alerts.rules.coverage import ZoneCoverage


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a device was not there."""

    device: str
    start: dt.datetime
    end: dt.datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Availability:
    """`share` of the time in which a device, or a ring's devices together, were online, 0…1."""

    key: str
    ring: str
    devices: int
    outages: int
    lost_s: float
    share: float


def outages(zones: Iterable[ZoneCoverage]) -> list[Outage]:
    """The times in which devices were offline, the longest first. A covered camera is online all the same."""
    found = [
        Outage(one.device, one.start, one.end)
        for zone in zones
        for one in zone.blind
        if one.why == "offline" and one.end > one.start
    ]
    return sorted(found, key=lambda one: (-one.seconds, one.device, one.start))


def by_device(zones: Sequence[ZoneCoverage], length_s: float) -> list[Availability]:
    """Each device, the least available first; `length_s` is the span's length in seconds, more than 0."""
    lost: dict[str, list[float]] = {}
    for one in outages(zones):
        lost.setdefault(one.device, []).append(one.seconds)
    found = [
        Availability(
            device,
            zone.ring,
            1,
            len(lost.get(device, ())),
            sum(lost.get(device, ())),
            1 - sum(lost.get(device, ())) / length_s,
        )
        for zone in zones
        for device in zone.devices
    ]
    return sorted(found, key=lambda one: (one.share, one.key))


def by_ring(devices: Iterable[Availability], length_s: float) -> list[Availability]:
    """The devices of each ring together, by the ring's name."""
    rings: dict[str, list[Availability]] = {}
    for one in devices:
        rings.setdefault(one.ring, []).append(one)
    return [
        Availability(
            ring,
            ring,
            len(ones),
            sum(one.outages for one in ones),
            lost := sum(one.lost_s for one in ones),
            1 - lost / (length_s * len(ones)),
        )
        for ring, ones in sorted(rings.items())
    ]


def dark_s(zone: ZoneCoverage) -> float:
    """Seconds in which none of a zone's devices saw."""
    return sum((end - start).total_seconds() for start, end in zone.dark)
