"""Where a camera's threshold should go, from counts alone: small steps, within bounds, with grounds.

Careful in both directions: stricter where even the fewest false names that the answers allow for
are more than was promised; looser only where the most that they allow for are a tenth of it. The
first is soon seen, the second takes long, since only names that people looked at say that none
was false.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

from recognition.feedback.intervals import lower, upper
from recognition.feedback.score import Tally

STEP_MOST: Final = 0.05
"""Distance that one proposal may move a threshold by: the margin between first and second person."""

SHIFT_MOST: Final = 0.1
"""Distance from the calibrated threshold beyond which answers move nothing: then it is the camera's
place or its light that has to change, or the calibration."""

_GRAIN: Final = 0.005
"""Thresholds move by steps that a person can tell from each other."""

ANSWERS_LEAST: Final = 30
FALSE_LEAST: Final = 3
MISSED_LEAST: Final = 10
MISSED_SHARE_LEAST: Final = 0.1
"""Below this share of registered people among the passages without a name, nobody has cause to ask
for more names."""

LOOSER_BELOW: Final = 0.1
"""Part of the promised rate under which the observed one must surely lie."""


@dataclass(frozen=True, slots=True)
class Move:
    """A shift to propose, as distances, with the counts and rates that it rests on."""

    shift: float
    grounds: dict[str, Any]


def move(counts: Tally, shift: float, promised: float) -> Move | None:
    """What to propose for a camera at `shift`, None for nothing.

    `promised` is the rate of false names in strangers' passages, in (0, 1), that the camera's
    thresholds were chosen for. All counts are of passages at this shift.
    """
    if counts.judged < ANSWERS_LEAST:
        return None
    low, high = least_rate(counts), most_rate(counts)
    step, towards = 0.0, ""
    if counts.false >= FALSE_LEAST and low > promised:
        step, towards = -_stricter_by(counts, promised), "stricter"
    elif counts.false == 0 and high < LOOSER_BELOW * promised and _many_missed(counts):
        step, towards = _looser_by(counts), "looser"
    proposed = round(shift + step, 3)
    # Somebody may have set it farther by hand: answers do not pull it back.
    if step < 0:
        proposed = min(shift, max(-SHIFT_MOST, proposed))
    elif step > 0:
        proposed = max(shift, min(SHIFT_MOST, proposed))
    if not towards or proposed == shift:
        return None
    return Move(
        proposed,
        {
            "towards": towards,
            "named": counts.named,
            "unnamed": counts.unnamed,
            "right": counts.right,
            "false": counts.false,
            "missed": counts.missed,
            "strangers": counts.strangers,
            "promised": promised,
            "rate_low": low,
            "rate_high": high,
        },
    )


def least_rate(counts: Tally) -> float:
    """False names a stranger's passage, at least: the confirmed ones, among all without a name.

    Some of those were residents, and some false names nobody noticed: both make it more.
    """
    return lower(counts.false, _passages(counts))


def most_rate(counts: Tally) -> float:
    """False names a stranger's passage, at most; 1 where the answers exclude nothing.

    What was judged of the names stands for all of them, at its upper bound; of the passages
    without a name only those are strangers' that surely are.
    """
    false = upper(counts.false, counts.right + counts.false) * counts.named
    asked = counts.missed + counts.strangers
    strangers = lower(counts.strangers, asked) * counts.unnamed if asked else 0.0
    return min(1.0, false / strangers) if strangers > 0 else 1.0


def _passages(counts: Tally) -> int:
    return max(counts.unnamed, counts.false)


def _stricter_by(counts: Tally, promised: float) -> float:
    """A step that so many of the false names would not have passed that the promise may hold again."""
    passages = _passages(counts)
    borne = next(k for k in range(counts.false - 1, -1, -1) if lower(k, passages) <= promised)
    inside = counts.false_inside
    if not inside:
        return _GRAIN
    # Those nearest to the threshold fall away first.
    return _step(inside[min(counts.false - borne, len(inside)) - 1])


def _looser_by(counts: Tally) -> float:
    """A step that would have named half of the missed people; 0 where none lay near."""
    outside = [distance for distance in counts.missed_outside if distance > 0]
    return _step(outside[(len(outside) - 1) // 2]) if outside else 0.0


def _many_missed(counts: Tally) -> bool:
    asked = counts.missed + counts.strangers
    return counts.missed >= MISSED_LEAST and lower(counts.missed, asked) >= MISSED_SHARE_LEAST


def _step(distance: float) -> float:
    """The next whole grain beyond a distance, one at least; a name at the threshold still counts."""
    return min(STEP_MOST, max(1, math.floor(distance / _GRAIN + 1e-9) + 1) * _GRAIN)
