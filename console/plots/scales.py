"""Axes: round numbers at even distances, from zero."""

import math
from typing import Final

_STEPS: Final = (1.0, 2.0, 5.0, 10.0)
# Of times people say: seconds, minutes, hours, days.
_TIMES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


def ticks(most: float, about: int = 5, *, whole: bool = True) -> list[float]:
    """From 0 to at least `most` in about so many steps of 1, 2 or 5 times a power of ten.

    `whole`: of things that are counted, so that no tick stands at half of one.
    """
    if most <= 0:
        return [0.0, 1.0]
    rough = most / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in _STEPS if power * one >= rough * (1 - 1e-9))
    if whole:
        step = max(1.0, step)
    return _from_zero(most, step)


def time_ticks(most_s: float, about: int = 5) -> list[float]:
    """The same for seconds, in steps that a clock has."""
    if most_s <= 0:
        return [0.0, 1.0]
    rough = most_s / about
    step = next((float(one) for one in _TIMES if one >= rough), None)
    return _from_zero(most_s, step if step is not None else 86400.0 * math.ceil(rough / 86400))


def _from_zero(most: float, step: float) -> list[float]:
    count = max(1, math.ceil(most / step - 1e-9))
    return [round(step * n, 10) for n in range(count + 1)]


def number(value: float) -> str:
    """A tick in few letters: 0.2, 15, 12,000."""
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"
