"""Whether a series of samples grows: the slope that half of all pairs exceed, and how sure it is.

Theil and Sen's estimate, which a few wild samples do not move; its interval from Kendall's variance
(Sen, Journal of the American Statistical Association 63, 1968, 1379–1389).
"""

import math
import statistics
from collections.abc import Sequence
from typing import Final, NamedTuple

_Z: Final = 1.96
FEWEST: Final = 8
"""Fewer samples say nothing of a slope."""


class Slope(NamedTuple):
    """`low` and `high` hold the true slope with 95 %, in the unit of the samples by the unit of time."""

    median: float
    low: float
    high: float


def slope(times: Sequence[float], values: Sequence[float]) -> Slope | None:
    """None where there are too few samples. Both sequences are of the same length, times ascending."""
    count = len(times)
    if count < FEWEST:
        return None
    pairs = sorted(
        (values[later] - values[earlier]) / (times[later] - times[earlier])
        for earlier in range(count)
        for later in range(earlier + 1, count)
        if times[later] > times[earlier]
    )
    spread = _Z * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, round((len(pairs) - spread) / 2) - 1)
    high = min(len(pairs) - 1, round((len(pairs) + spread) / 2))
    return Slope(statistics.median(pairs), pairs[low], pairs[high])
