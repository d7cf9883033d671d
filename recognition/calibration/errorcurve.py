"""From a tolerated rate of false names to a distance, for this gallery and this passage.

A pair error rate means little at a gate: a stranger is compared with everybody. Were all
strangers alike, N people with a false-match rate F each would give FPIR = 1 - (1 - F)^N. They
are not: some resemble many (the "lambs" and "wolves" of Doddington et al., ICSLP 1998), so that
the same matches fall on fewer passages. With a gamma-distributed rate per stranger the chance of at
least one match is 1 - (1 + N·F/a)^-a, where the shape a was measured with the curve.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np

from recognition.calibration.file import Curve

_NORMAL: Final = NormalDist()
_RAREST: Final = 1e-12
_STEPS: Final = 40
_GRID: Final = tuple(10.0 ** (-quarter / 4) for quarter in range(2, 41))
"""Rates at which curves are combined: 0.3 to 1e-10, four a decade."""


def probit(rate: float) -> float:
    """The standard normal's quantile."""
    return _NORMAL.inv_cdf(min(max(rate, _RAREST), 1.0 - 1e-9))


class ErrorCurve:
    """Distance as a function of the rate and back: straight over the probit between the knots.

    ``knots`` are (rate, distance) from frequent to rare, ``tail_slope`` is distance per unit of
    probit beyond the last. Above the first knot nothing is measured: the distance stays there.
    """

    def __init__(self, knots: Sequence[tuple[float, float]], tail_slope: float) -> None:
        self._z = np.array([probit(rate) for rate, _ in reversed(knots)])
        self._distance = np.array([distance for _, distance in reversed(knots)])
        self._tail_slope = tail_slope

    @classmethod
    def of(cls, curve: Curve) -> "ErrorCurve":
        return cls([(point.rate, point.distance) for point in curve.points], curve.tail_slope)

    def distance(self, rate: float) -> float:
        """The distance within which a share ``rate`` (0, 1) of comparisons lie."""
        z = probit(rate)
        if z < self._z[0]:
            return max(0.0, float(self._distance[0] - self._tail_slope * (self._z[0] - z)))
        return float(np.interp(z, self._z, self._distance))

    def rate(self, distance: float) -> float:
        """The share of comparisons that lie within ``distance``."""
        if distance < self._distance[0]:
            z = float(self._z[0] - (self._distance[0] - distance) / self._tail_slope)
        else:
            z = float(np.interp(distance, self._distance, self._z))
        return _NORMAL.cdf(z)


def against_fused(passage: ErrorCurve, fused: ErrorCurve, single: ErrorCurve) -> ErrorCurve:
    """The curve of ``passage`` against people who have as many photos as ``fused`` has frames.

    The cosine of two means is the mean cosine of their parts over the lengths of the means, and
    a length does not care which side it stands on: what k frames do to the curve of one (``fused``
    over ``single``), k photos do again. Measured for 3 frames against 3 photos, within 0.003.
    """
    knots = []
    for rate in _GRID:
        cosine = _cosine(passage, rate) * _cosine(fused, rate) / _cosine(single, rate)
        knots.append((rate, math.sqrt(max(0.0, 2.0 - 2.0 * cosine))))
    steep = (knots[-2][1] - knots[-1][1]) / (probit(knots[-2][0]) - probit(knots[-1][0]))
    return ErrorCurve(knots, max(1e-3, steep))


class GalleryCurve:
    """What a passage risks in a gallery: of ``parts`` (share of people, their curve), unevenly by ``spread``.

    ``spread`` are (rate, gamma shape) from frequent to rare; ``reach`` is the largest gallery measured.
    """

    def __init__(
        self,
        parts: Sequence[tuple[float, ErrorCurve]],
        spread: Sequence[tuple[float, float]],
        reach: int,
    ) -> None:
        self._parts = tuple(parts)
        self._log_rate = np.log([rate for rate, _ in reversed(spread)])
        self._log_shape = np.log([shape for _, shape in reversed(spread)])
        self._reach = max(1, reach)

    def rate(self, distance: float) -> float:
        """The mean false-match rate against one enrolled person."""
        return sum(share * curve.rate(distance) for share, curve in self._parts)

    def fpir(self, people: int, distance: float) -> float:
        """The share of strangers' passages that find somebody of ``people`` within ``distance``.

        Beyond the size that was measured, the gallery counts as several that err independently:
        that promises less than the uneven spread would.
        """
        if people <= 0:
            return 0.0
        rate = max(_RAREST, self.rate(distance))
        shape = math.exp(float(np.interp(math.log(rate), self._log_rate, self._log_shape)))
        within = min(people, self._reach)
        log_missed = -shape * math.log1p(within * rate / shape) * people / within
        return -math.expm1(log_missed)

    def distance(self, people: int, fpir: float, *, largest: float) -> float:
        """The largest distance, up to ``largest``, whose promise is not above ``fpir`` (0, 1)."""
        if self.fpir(people, largest) <= fpir:
            return largest
        near, far = 0.0, largest
        for _ in range(_STEPS):
            middle = (near + far) / 2
            near, far = (near, middle) if self.fpir(people, middle) > fpir else (middle, far)
        return near


def _cosine(curve: ErrorCurve, rate: float) -> float:
    return 1.0 - curve.distance(rate) ** 2 / 2.0
