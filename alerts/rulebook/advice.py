"""What to do about a rule that is mostly wrong at a device: a parameter, the device, or a mute. Pure.

Operators give a reason with each false alarm (domain §4.7). The reasons say whose fault it was: of the
device (it moved, the light, an animal, it reads wrongly) or of the rule (it expects too much of
residents, couriers, staff). The table below says which parameter of a rule makes fewer alarms and
in which direction, as its trade-off does in words; a rule without such a parameter has none here.
"""

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from alerts.incidents.lifecycle import FalseAlarmReason
from alerts.rules.rule import Parameter, Rule

LEAST: Final = 20
"""Alarms that were judged at one device within the window, below which nothing is proposed."""

SHARE: Final = 0.6
"""False ones among them, above which something is."""

_STEP: Final = 0.25
_SMALLEST_STEP: Final = 0.05


class Advice(enum.StrEnum):
    """What is proposed: a code of the text catalogue (`rule_advice.<code>`)."""

    PARAMETER = "parameter"
    LOOK_AT_DEVICE = "look_at_device"
    MUTE_PLACE = "mute_place"


@dataclass(frozen=True, slots=True)
class Easing:
    """A parameter that makes fewer alarms when it is larger (`up`) or smaller."""

    parameter: str
    up: bool = True


EASINGS: Final[Mapping[str, tuple[Easing, ...]]] = MappingProxyType(
    {
        "R-B02": (Easing("nights"),),
        "R-B04": (Easing("grace_days"),),
        "R-B05": (Easing("window_s"),),
        "R-B06": (Easing("held_s"), Easing("longer_s")),
        "R-B07": (Easing("confidence"),),
        "R-B08": (Easing("stay_s"),),
        "R-B10": (Easing("window_s"), Easing("stay_s")),
        "R-C01": (Easing("dwell_s"), Easing("dwell_night_s")),
        "R-C02": (Easing("sightings"), Easing("in_zones")),
        "R-C04": (Easing("limit"), Easing("hold_s")),
        "R-C05": (Easing("blocked_min"),),
        "R-C06": (Easing("left_min"),),
        "R-C10": (Easing("absent_min"),),
        "R-C11": (Easing("grace_min"),),
        "R-C12": (Easing("unseen_h"),),
        "R-D03": (Easing("per_min"),),
        "R-D04": (Easing("least"),),
        "R-D05": (Easing("in_a_row"),),
        "R-D06": (Easing("uncertain_share"),),
        "R-D08": (Easing("times"),),
        "R-E01": (Easing("window_s"),),
        "R-E02": (Easing("grace_min"),),
        "R-E03": (Easing("anti_passback_s", up=False),),
        "R-E04": (Easing("window_s"),),
        "R-E05": (Easing("after_s"), Easing("hold_s")),
        "R-E06": (Easing("gap_s", up=False),),
        "R-E07": (Easing("window_s", up=False),),
        "R-E08": (Easing("speed_kmh"), Easing("confidence")),
        "R-E10": (Easing("times"),),
        "R-E13": (Easing("stranded_s"),),
        "R-E14": (Easing("open_s"),),
    }
)

_OF_DEVICE: Final = frozenset(
    {
        FalseAlarmReason.ANIMAL,
        FalseAlarmReason.WEATHER_LIGHT,
        FalseAlarmReason.CAMERA_MOVED,
        FalseAlarmReason.RECOGNITION_ERROR,
        FalseAlarmReason.SENSOR_FAULT,
    }
)
NOT_FALSE: Final = frozenset({FalseAlarmReason.TEST_DRILL, FalseAlarmReason.DUPLICATE})
"""Reasons that say nothing against a rule: a drill was meant, a double is right once."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Alarms of one rule at one device that operators judged, the false ones by reason."""

    judged: int = 0
    false: int = 0
    reasons: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def share(self) -> float | None:
        """False among judged; None where nothing was judged."""
        return self.false / self.judged if self.judged else None

    @property
    def is_bad(self) -> bool:
        return self.judged >= LEAST and self.false > SHARE * self.judged


@dataclass(frozen=True, slots=True)
class Proposed:
    """What to do; `parameter`, `present` and `proposed` with `Advice.PARAMETER` only."""

    advice: Advice
    parameter: str | None = None
    present: float | None = None
    proposed: float | None = None


def advise(rule: type[Rule], here: Tally, elsewhere: Tally, values: Mapping[str, float]) -> Proposed | None:
    """What to do about a rule at a device, None where it does well enough or too little is known.

    `elsewhere` is the same rule at all other devices: one that is right there is right, and this
    device the odd one out. `values` are what the compound has set; what is not there is as it comes.
    """
    if not here.is_bad:
        return None
    if rule.safety or rule.care:
        # Its alarms are never made fewer: what is wrong is at the device.
        return Proposed(Advice.LOOK_AT_DEVICE)
    of_device = sum(count for reason, count in here.reasons.items() if reason in _OF_DEVICE)
    said_sensitive = 2 * here.reasons.get(FalseAlarmReason.RULE_TOO_SENSITIVE, 0) > here.false
    right_elsewhere = elsewhere.judged >= LEAST and not elsewhere.is_bad
    if 2 * of_device > here.false or (right_elsewhere and not said_sensitive):
        return Proposed(Advice.LOOK_AT_DEVICE)
    eased = _ease(rule.parameters, EASINGS.get(rule.id, ()), values)
    if eased is not None:
        return eased
    return Proposed(Advice.LOOK_AT_DEVICE if rule.key == "device" else Advice.MUTE_PLACE)


def _ease(
    parameters: Sequence[Parameter], easings: Sequence[Easing], values: Mapping[str, float]
) -> Proposed | None:
    """The first parameter that has room, moved by a quarter of what it is."""
    known = {one.name: one for one in parameters}
    for easing in easings:
        parameter = known.get(easing.parameter)
        if parameter is None:
            continue
        present = values.get(parameter.name, parameter.default)
        step = present * _STEP
        if parameter.high <= 1:
            # A share of next to nothing would hardly move by a quarter of itself.
            step = max(step, (parameter.high - parameter.low) * _SMALLEST_STEP)
        wanted = _rounded(present + step if easing.up else present - step, parameter, up=easing.up)
        proposed = min(parameter.high, max(parameter.low, wanted))
        if proposed != present:
            return Proposed(Advice.PARAMETER, parameter.name, present, proposed)
    return None


def _rounded(value: float, parameter: Parameter, *, up: bool) -> float:
    """To what a person would write: whole numbers where it comes as one, else two digits; never back."""
    if parameter.default == int(parameter.default) and parameter.high > 1:
        return float(math.ceil(value) if up else math.floor(value))
    return round(value, 2)
