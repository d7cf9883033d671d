"""How much a count of answers says: exact intervals of a share.

Clopper and Pearson's interval (Biometrika 26, 1934): its 95 % are at least 95 % however small the
counts are, which a normal approximation near 0 does not keep. The counts here are a handful of
errors among many passages, so the binomial tail is summed and the bound found by bisection;
nothing else is needed for it.
"""

import math
from dataclasses import dataclass
from typing import Final

LEVEL: Final = 0.95
_ROUNDS: Final = 100


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, with the bounds of its 95 % interval; shares in 0…1, `value` None of none."""

    count: int
    of: int
    value: float | None
    low: float
    high: float


def share(count: int, of: int) -> Share:
    """Of nothing, everything is possible: the bounds are 0 and 1. Raises `ValueError` for count > of."""
    if not 0 <= count <= of:
        raise ValueError("a share is of at least as many as it counts")
    if of == 0:
        return Share(0, 0, None, 0.0, 1.0)
    return Share(count, of, count / of, lower(count, of), upper(count, of))


def lower(count: int, of: int) -> float:
    """The share below which `count` or more of `of` would come in 2.5 % of cases."""
    return 1.0 - upper(of - count, of) if count else 0.0


def upper(count: int, of: int) -> float:
    """The share above which `count` or fewer of `of` would come in 2.5 % of cases."""
    if count >= of:
        return 1.0
    tail = (1.0 - LEVEL) / 2
    low, high = count / of, 1.0
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if _at_most(count, of, middle) > tail:
            low = middle
        else:
            high = middle
    return high


def _at_most(count: int, of: int, rate: float) -> float:
    """The probability of `count` or fewer successes in `of` tries at a rate in (0, 1)."""
    if 2 * count > of:
        # The shorter tail is summed: with many answers the longer would take long.
        return 1.0 - _at_most(of - count - 1, of, 1.0 - rate) if count < of else 1.0
    term = of * math.log1p(-rate)
    odds = math.log(rate) - math.log1p(-rate)
    total = 0.0
    for k in range(count + 1):
        total += math.exp(term)
        term += math.log(of - k) - math.log(k + 1) + odds if k < of else 0.0
    return min(1.0, total)
