"""From a tolerated rate of false names to the distance that may name somebody.

A pair error rate means little at a gate: a stranger is compared with everybody. With
N people enrolled and a false-match rate FMR per pair, the rate of strangers who are
named, FPIR = 1 - (1 - FMR)^N, is about N·FMR, so each gallery size has its own distance.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Final

DEFAULT_FPIR: Final = 0.01
"""One stranger in a hundred may be named; the operating point at which the engines were
compared (FPIR 1 %: 33.7 % of known people are named from one photo and one frame)."""

IDENTIFY_CAP: Final = 0.45
"""No distance above this names anybody, however small the gallery.

The curve below comes from LFW. On raw photos of 40 East-Asian people the same distances
let many more pairs through: 36.3 % at 0.6 (the library's default), 8.0 % at 0.5, 1.7 % at
0.45, 0.17 % at 0.4. A building of 200 people would then have a namesake for every
stranger at 0.6 or 0.5; above 0.45 nothing may be decided in a compound.
"""

UNKNOWN_DISTANCE: Final = 0.547
"""Above this a good picture is nobody who is enrolled (pair FMR 1e-3, 91.1 % of true pairs
lie below): residents with one poor photo pay for a lower value, strangers in a large
gallery, who then stay uncertain, for a higher one."""

MARGIN: Final = 0.05
"""Distance between the first and the second person below which the first is not named.
On the curve 0.05 is a factor of ten: the second is ten times as likely to be chance."""

DLIB_LFW: Final = ((1e-3, 0.547), (1e-4, 0.482), (1e-5, 0.430), (0.01 / 4281, 0.409))
"""(pair false-match rate, L2 distance), LFW, dlib ResNet; the last is the measured
distance at FPIR 1 % with 4,281 people."""

DLIB_EAST_ASIAN: Final = ((0.363, 0.6), (0.08, 0.5), (0.017, 0.45), (0.0017, 0.4))
"""The same on raw photos of 40 East-Asian people. Beyond 1.7e-3 it is extrapolated; a
compound that wants its promise kept on such photos selects it and gets fewer names."""

_FLOOR: Final = 0.2
"""Two different photos of one person are practically never nearer than this."""

Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class FaceThresholds:
    """Distances that divide the axis: ``best <= identify`` may name somebody, ``best >
    unknown`` is nobody enrolled, what lies between is uncertain. ``margin`` is between
    the first and the second person.
    """

    identify: float
    unknown: float
    margin: float

    def __post_init__(self) -> None:
        if not 0.0 < self.identify <= self.unknown or self.margin < 0.0:
            raise ValueError("thresholds must satisfy 0 < identify <= unknown and margin >= 0")


_CURVES: Final[dict[tuple[str, str], Curve]] = {
    ("dlib", "lfw"): DLIB_LFW,
    ("dlib", "east_asian"): DLIB_EAST_ASIAN,
}


class UncalibratedEngineError(LookupError):
    """No error curve was measured for this engine and population, so it may decide nothing."""

    def __init__(self, engine: str, population: str) -> None:
        super().__init__(f"no measured curve for engine {engine} on {population}")
        self.engine = engine
        self.population = population


def face_thresholds(
    engine: str, gallery_size: int, *, fpir: float = DEFAULT_FPIR, population: str = "lfw"
) -> FaceThresholds:
    """Thresholds for a gallery of ``gallery_size`` people and a target FPIR in (0, 1).

    Raises ``UncalibratedEngineError`` for an engine without a measured curve.
    """
    if not 0.0 < fpir < 1.0:
        raise ValueError("fpir is a rate between 0 and 1")
    try:
        curve = _CURVES[engine, population]
    except KeyError:
        raise UncalibratedEngineError(engine, population) from None
    distance = distance_at(curve, fpir / max(1, gallery_size))
    return FaceThresholds(round(min(IDENTIFY_CAP, distance), 4), UNKNOWN_DISTANCE, MARGIN)


def distance_at(curve: Curve, fmr: float) -> float:
    """Distance at a pair false-match rate: linear in log10 FMR between measured points.

    Above the first point the distance stays there. Below the last it goes on with the
    steepest slope of the last two segments, which errs on the side of naming fewer.
    """
    points = [(math.log10(rate), distance) for rate, distance in curve]
    x = math.log10(fmr)
    if x >= points[0][0]:
        return points[0][1]
    for (x1, d1), (x2, d2) in itertools.pairwise(points):
        if x >= x2:
            return d2 + (d1 - d2) * (x - x2) / (x1 - x2)
    tail = points[-3:]
    slope = max((d1 - d2) / (x1 - x2) for (x1, d1), (x2, d2) in itertools.pairwise(tail))
    return max(_FLOOR, points[-1][1] - slope * (points[-1][0] - x))
