"""R-E08: one plate at two places at once, or in twice and never out: a clone, or a misread.

It may be wrong in more ways than it can be right, so it speaks only where both reads are sure and
where an exit would have been read: a lane whose camera was away, a barrier that went up for a
plate nobody could read, or a compound that reads no plates on the way out explain everything.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from alerts.rules.coverage import blind
from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View
from alerts.rules.site import SiteDevice

_READS: Final = frozenset({"plate.recognised", "plate.uncertain"})
# A vehicle that waits at a barrier is read again and again.
_ONE_PASSAGE: Final = dt.timedelta(seconds=60)
# A barrier that goes up for a vehicle does so this near to its plate being read.
_OPENS_WITHIN: Final = dt.timedelta(seconds=30)


class SamePlateTwice(Rule):
    """Raises one incident a plate and hour."""

    id = "R-E08"
    kind = "vehicle.plate_twice"
    rings = frozenset({"entrance", "common"})
    listens = frozenset({"plate.recognised"})
    severities: ClassVar = {"usual": 3}
    key = "plate"
    excuses = (Excuse("plate.uncertain", "subject"), Excuse("device.offline", "zone"))
    parameters = (
        Parameter(
            "speed_kmh",
            "km/h",
            60,
            20,
            120,
            "The fastest that anybody drives from one lane to another. Too slow: whoever takes the road "
            "round the compound is a clone. Too fast: a clone at the next gate goes unnoticed.",
        ),
        Parameter(
            "floor_s",
            "s",
            10,
            5,
            60,
            "Lanes that are nearer than this by car are not compared: two cameras see one vehicle, and "
            "clocks may differ by five seconds. Too short: misplaced cameras raise. Too long: only far "
            "gates are compared.",
        ),
        Parameter(
            "confidence",
            "share",
            0.8,
            0.5,
            1,
            "How sure both reads must be. Too low: a misread is a clone. Too high: nothing is said on a "
            "rainy night.",
        ),
        Parameter(
            "within_min",
            "min",
            120,
            5,
            1560,
            "How far apart two entries without an exit may lie. Too short: a clone that comes in the evening "
            "is not seen. Too long: each exit that a camera missed is a clone.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if (
            observation.type == "plate.recognised"
            and observation.plate is not None
            and _is_sure(observation, settings)
        ):
            return Question(observation, observation.at + DISORDER)
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        read = question.anchor
        since = read.at - settings.minutes("within_min")
        before = [
            seen
            for seen in view.of_subject(f"plate:{read.plate}", since, read.at)
            if seen.type in _READS and seen.plate == read.plate and by_time(seen) < by_time(read)
        ]
        other = _too_fast(read, before, view, settings)
        if other is not None:
            metres = view.site.metres(other.place, read.place) or 0.0
            return _signal(read, other, "plate_too_fast", settings, {"metres": round(metres)})
        other = _already_in(read, before, view, settings)
        if other is None or not _exit_was_watched(other.at, read.at, view):
            return None
        return _signal(read, other, "plate_in_twice", settings, {})


def _signal(
    read: Observation, other: Observation, reason: str, settings: Settings, more: dict[str, Any]
) -> Signal:
    return Signal(
        rule=SamePlateTwice.id,
        kind=SamePlateTwice.kind,
        severity=settings.severity("usual"),
        dedupe_key=f"{SamePlateTwice.id}:{read.plate}",
        dedupe_window=dt.timedelta(hours=1),
        anchor=read,
        evidence=(other, read),
        reason=reason,
        reason_args={
            "plate": read.plate,
            "lane": read.place,
            "other_lane": other.place,
            "gap_s": round((read.at - other.at).total_seconds()),
        }
        | more,
        subject_kind="plate",
        subject=read.plate,
        window=(other.at, read.at),
    )


def _is_sure(seen: Observation, settings: Settings) -> bool:
    """A device that gives no confidence is believed, as it is everywhere else."""
    return seen.type == "plate.recognised" and (
        seen.score is None or seen.score >= settings.values["confidence"]
    )


def _travel(view: View, one: str, other: str, settings: Settings) -> dt.timedelta | None:
    """The least time from one lane to the other; None where nobody knows, or it is too little to judge."""
    metres = view.site.metres(one, other)
    if metres is None:
        return None
    least = dt.timedelta(seconds=metres * 3.6 / settings.values["speed_kmh"])
    return least if least >= settings.seconds("floor_s") else None


def _too_fast(
    read: Observation, before: Sequence[Observation], view: View, settings: Settings
) -> Observation | None:
    for seen in reversed(before):
        if seen.place == read.place or not _is_sure(seen, settings):
            continue
        least = _travel(view, seen.place, read.place, settings)
        if least is not None and read.at - seen.at < least:
            return seen
    return None


def _already_in(
    read: Observation, before: Sequence[Observation], view: View, settings: Settings
) -> Observation | None:
    """The entry before this one, where nothing lies between them that could have been an exit."""
    if read.direction != "in":
        return None
    last = read
    for seen in reversed(before):
        near = seen.place == last.place or _travel(view, seen.place, last.place, settings) is None
        if near and last.at - seen.at <= _ONE_PASSAGE:
            last = seen
            continue
        return seen if seen.direction == "in" and _is_sure(seen, settings) else None
    return None


def _exit_was_watched(start: dt.datetime, end: dt.datetime, view: View) -> bool:
    """Whether an exit would have been read: some camera reads that way, all of them saw, none missed."""
    exits = [device for device in view.site.devices.values() if _reads_exits(device)]
    if not exits or blind(view, exits, start, end):
        return False
    lanes = sorted({device.place for device in exits})
    return not any(_may_have_missed(lane, start, end, view) for lane in lanes)


def _reads_exits(device: SiteDevice) -> bool:
    return device.kind == "plate_camera" and device.direction != "in"


def _may_have_missed(lane: str, start: dt.datetime, end: dt.datetime, view: View) -> bool:
    around = list(view.at_place(lane, start - _OPENS_WITHIN, end + DISORDER))
    read = [seen.at for seen in around if seen.type == "plate.recognised"]
    for seen in around:
        if not start <= seen.at <= end or seen.direction == "in":
            continue
        if seen.type in {"plate.uncertain", "plate.none"}:
            return True
        if seen.type == "barrier.opened" and not any(abs(seen.at - at) <= _OPENS_WITHIN for at in read):
            return True
    return False
