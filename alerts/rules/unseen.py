"""What could not have been seen of a time, zone by zone, as people read it. Pure.

A zone in which no device looks is blind always: that nothing was seen there says nothing.
"""

import datetime as dt
import enum
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alerts.rules.coverage import ZoneCoverage
from alerts.rules.rule import Blind


class Sight(enum.StrEnum):
    """How a zone was covered, over a time or at one moment of it."""

    WHOLE = "whole"
    # Some of its devices did not see.
    PARTLY = "partly"
    # None of them saw.
    BLIND = "blind"
    # There is none.
    UNWATCHED = "unwatched"


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the time with one and the same sight. `first` and `last` are shares of it, 0…1."""

    start: dt.datetime
    end: dt.datetime
    sight: Sight
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Covered:
    """One zone over a time. `sight` is its worst; `dark_s` the seconds in which no device saw."""

    zone: str
    ring: str
    sight: Sight
    dark_s: float
    partly_s: float
    segments: tuple[Segment, ...]
    blind: tuple[Blind, ...]
    devices: tuple[str, ...]


def told(zones: Iterable[ZoneCoverage], start: dt.datetime, end: dt.datetime) -> tuple[Covered, ...]:
    """Every zone, the worst first: blind longest, then partly so, then without a device."""
    return tuple(sorted((_of(zone, start, end) for zone in zones), key=_worst_first))


def _of(zone: ZoneCoverage, start: dt.datetime, end: dt.datetime) -> Covered:
    segments = _segments(zone, start, end)
    found = {segment.sight for segment in segments}
    worst = next((one for one in _WORST if one in found), Sight.WHOLE)
    return Covered(
        zone.zone,
        zone.ring,
        worst,
        _seconds(segments, Sight.BLIND),
        _seconds(segments, Sight.PARTLY),
        segments,
        zone.blind,
        zone.devices,
    )


def _segments(zone: ZoneCoverage, start: dt.datetime, end: dt.datetime) -> tuple[Segment, ...]:
    length = (end - start).total_seconds()
    if length <= 0:
        return ()
    if not zone.devices:
        return (Segment(start, end, Sight.UNWATCHED, 0.0, 1.0),)
    edges = {start, end}
    for one in zone.blind:
        edges |= {max(one.start, start), min(one.end, end)}
    moments = sorted(edges)
    parts: list[Segment] = []
    for begins, ends in itertools.pairwise(moments):
        sight = _at(zone.devices, zone.blind, begins, ends)
        first, last = (begins - start).total_seconds() / length, (ends - start).total_seconds() / length
        if parts and parts[-1].sight is sight:
            parts[-1] = Segment(parts[-1].start, ends, sight, parts[-1].first, last)
        else:
            parts.append(Segment(begins, ends, sight, first, last))
    return tuple(parts)


def _at(devices: Sequence[str], blind: Sequence[Blind], begins: dt.datetime, ends: dt.datetime) -> Sight:
    gone = {one.device for one in blind if one.start <= begins and one.end >= ends}
    if not gone:
        return Sight.WHOLE
    return Sight.BLIND if gone >= set(devices) else Sight.PARTLY


_WORST = (Sight.UNWATCHED, Sight.BLIND, Sight.PARTLY)


def _seconds(segments: Iterable[Segment], sight: Sight) -> float:
    return sum((one.end - one.start).total_seconds() for one in segments if one.sight is sight)


def _worst_first(zone: Covered) -> tuple[int, float, float, str]:
    order = {Sight.BLIND: 0, Sight.PARTLY: 1, Sight.UNWATCHED: 2, Sight.WHOLE: 3}
    return (order[zone.sight], -zone.dark_s, -zone.partly_s, zone.zone)
