"""Steps of a path: what was seen of one subject at one place, and where it stands after that.

    outside → entrance → common → building, and back

Pure functions of the observations and of the plan; `alerts.rules.paths` builds on them.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.rules.observation import Observation, by_time
from alerts.rules.site import Site

PASSAGE: Final = dt.timedelta(seconds=10)
"""What is seen of a subject at one place within this time is one passage: a card, then the face."""

# What shows that the subject itself was there. Not what the register says of it, and not what is
# told for somebody's care: that was not agreed to for this.
_SHOWS: Final = ("access.", "video.", "vehicle.")
_SHOWS_TOO: Final = frozenset(
    {
        *("face.identified", "face.unknown", "plate.recognised", "patrol.checkin"),
        *("visitor.checked_in", "visitor.checked_out", "visitor.registered"),
    }
)
_TURNED_AWAY: Final = frozenset({"access.denied", "vehicle.turned_back"})
# What shows that it went through: a face in front of a camera may have looked and left.
_WENT_THROUGH: Final = frozenset(
    {
        *("access.granted", "access.duress", "visitor.checked_in", "visitor.checked_out"),
        *("visitor.registered", "plate.recognised", "video.line_crossing"),
    }
)
# A guard who registers a visitor lets him in; the word for it has no direction of its own.
_MEANT: Final = {"visitor.checked_in": "in", "visitor.registered": "in", "visitor.checked_out": "out"}


class Where(enum.StrEnum):
    """Where a subject stands."""

    UNKNOWN = "unknown"
    OUTSIDE = "outside"
    ENTRANCE = "entrance"
    COMMON = "common"
    BUILDING = "building"


@dataclass(frozen=True, slots=True)
class Step:
    """One passage or sighting, and where the subject stands after it.

    `direction` is None where no device says it, or two say otherwise. `passed` is False for
    whoever was turned away. `inside` is None where it cannot be known.
    """

    at: dt.datetime
    until: dt.datetime
    place: str
    zone: str
    ring: str
    direction: str | None
    passed: bool
    seen: tuple[Observation, ...]
    after: Where
    inside: bool | None


def trace(seen: Iterable[Observation], site: Site) -> tuple[Step, ...]:
    """The steps that a subject's observations make. Pure: their order as they came does not matter."""
    passages: list[list[Observation]] = []
    for one in sorted((one for one in seen if shows_presence(one)), key=by_time):
        if passages and _is_same_passage(passages[-1], one, site):
            passages[-1].append(one)
        else:
            passages.append([one])
    steps: list[Step] = []
    for passage in passages:
        steps.append(_step(passage, steps[-1] if steps else None, site))
    return tuple(steps)


def shows_presence(seen: Observation) -> bool:
    """Whether it shows that the subject itself was there, and is certain of who it was."""
    if seen.is_over:
        # A device's word that something is over shows that it is gone.
        return False
    return seen.type in _SHOWS_TOO or seen.type.startswith(_SHOWS)


def is_proven(step: Step) -> bool:
    """Whether it went through there: one who is only known by the face may have looked and left."""
    return any(one.type in _WENT_THROUGH for one in step.seen)


def direction_of(seen: Observation, site: Site) -> str | None:
    """In or out: as it was told, as the device looks, or as the word means it."""
    if seen.direction in {"in", "out"}:
        return seen.direction
    device = site.devices.get(seen.device)
    looks = device.direction if device is not None else None
    return _MEANT.get(seen.type) or (looks if looks in {"in", "out"} else None)


def _is_same_passage(passage: Sequence[Observation], one: Observation, site: Site) -> bool:
    last = passage[-1]
    if last.place != one.place or one.at - last.at > PASSAGE:
        return False
    # One device that tells both ways has seen somebody turn round; two that differ contradict each other.
    way = direction_of(one, site)
    return not any(
        other.device == one.device and way is not None and direction_of(other, site) not in {way, None}
        for other in passage
    )


def _step(passage: Sequence[Observation], before: Step | None, site: Site) -> Step:
    first = passage[0]
    ways = {way for one in passage if (way := direction_of(one, site)) is not None}
    direction = next(iter(ways)) if len(ways) == 1 else None
    passed = any(one.type not in _TURNED_AWAY for one in passage)
    after, inside = _after(first.ring, direction, before, passed=passed)
    return Step(
        first.at,
        passage[-1].at,
        first.place,
        first.zone,
        first.ring,
        direction,
        passed,
        tuple(passage),
        after,
        inside,
    )


def _after(
    ring: str, direction: str | None, before: Step | None, *, passed: bool
) -> tuple[Where, bool | None]:
    """Where one stands after a step: the state machine itself."""
    if ring == "entrance":
        if not passed:
            return Where.ENTRANCE, before.inside if before is not None else None
        if direction == "out":
            return Where.OUTSIDE, False
        return Where.ENTRANCE, True if direction == "in" else None
    if ring == "building" and passed and direction != "out":
        return Where.BUILDING, True
    # Before a building's door, or out of it: in the compound.
    return Where.COMMON, True
