"""How much a share of few says: 1 of 2 is not 50 %. Pure."""

import math
from dataclasses import dataclass
from typing import Final

Z: Final = 1.959963984540054
"""The standard normal quantile of 0.975: two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` of `of`, with the bounds of its 95 % interval; shares in 0…1, `value` None of none."""

    count: int
    of: int
    value: float | None
    low: float
    high: float


def rate(count: int, of: int) -> Rate:
    """Wilson's score interval. Of nothing, everything is possible: the bounds are 0 and 1.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927), 209-212. It stays within 0…1 and is sound
    for small counts, for which the normal approximation is not (Brown, Cai and DasGupta, Statistical
    Science 16 (2001), 101-133). Raises `ValueError` unless 0 ≤ count ≤ of.
    """
    if not 0 <= count <= of:
        raise ValueError("a share is of at least as many as it counts")
    if of == 0:
        return Rate(0, 0, None, 0.0, 1.0)
    share, square = count / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    # At the ends the bound is the end itself, whatever rounding says.
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == of else min(1.0, middle + half)
    return Rate(count, of, share, low, high)
