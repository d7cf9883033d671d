"""One lane of an entrance: who was let in there, and whether the way stood open for everybody.

What a real gate sends comes in any order and more than once: a leaf reports that it moved before the
reader says for whom, a card that lingers is read twice, the clocks of two devices differ by a second.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from alerts.rules.causes import BY_HAND, MEANT_OPEN
from alerts.rules.coverage import blind_at
from alerts.rules.observation import Observation
from alerts.rules.rule import Blind, View

LET_IN: Final = frozenset({"access.granted", "visitor.checked_in", "visitor.registered"})
"""Somebody showed what lets them in, or a guard wrote them down."""
CLOCKS: Final = dt.timedelta(seconds=2)
"""How far the clocks of two devices of one lane may differ."""

OPENED: Final = frozenset({"door.opened", "barrier.opened"})
CLOSED: Final = frozenset({"door.closed", "barrier.closed"})

# A hand that opened is believed to hold the way open no longer than this.
_HELD_BY_HAND: Final = dt.timedelta(seconds=60)
# How long a schedule may hold a way open.
_SCHEDULED: Final = dt.timedelta(hours=6)
# Only looks, or reads plates: says nothing of who was let in on foot.
_ONLY_LOOKS: Final = frozenset({"scene_camera", "plate_camera"})


@dataclass(frozen=True, slots=True)
class OpenTime:
    """The way was open from `start` to `end`; None where nothing told of its closing."""

    start: dt.datetime
    end: dt.datetime | None


def stands_open(view: View, place: str, at: dt.datetime, hands: AbstractSet[str] = BY_HAND) -> bool:
    """Whether the way was open for everybody at a moment: by schedule, for a fire, or by one of `hands`."""
    free, by_hand = False, False
    for seen in view.at_place(place, at - _SCHEDULED, at + CLOCKS):
        if seen.type in CLOSED and seen.at < at - CLOCKS:
            free = by_hand = False
        elif seen.type in OPENED:
            free = free or seen.cause in MEANT_OPEN
            by_hand = by_hand or (seen.cause in hands and seen.at >= at - _HELD_BY_HAND)
    return free or by_hand


def open_times(seen: Iterable[Observation]) -> Sequence[OpenTime]:
    """When the way was open, out of observations in order of time.

    A leaf that opens again before it closed was open all the while; a closing that nobody opened
    is one of the time before.
    """
    times: list[OpenTime] = []
    start: dt.datetime | None = None
    for one in seen:
        if one.type in OPENED and start is None:
            start = one.at
        elif one.type in CLOSED and start is not None:
            times.append(OpenTime(start, one.at))
            start = None
    if start is not None:
        times.append(OpenTime(start, None))
    return times


def away(view: View, place: str, start: dt.datetime, end: dt.datetime) -> tuple[Blind, ...]:
    """Readers, doors, terminals of a lane that were off the line: they may have let in and tell it later."""
    known = {device.id: device.kind for device in view.site.at(place)}
    return tuple(
        one
        for one in blind_at(view, place, start, end)
        if one.why == "offline" and known.get(one.device) not in _ONLY_LOOKS and not _is_heard(view, one)
    )


def _is_heard(view: View, blind: Blind) -> bool:
    """Whether it spoke while it was thought to be away: then it is there, and nobody said so."""
    return any(
        not seen.type.startswith("device.") for seen in view.at_device(blind.device, blind.start, blind.end)
    )
