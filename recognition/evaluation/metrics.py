"""Rates and their intervals, from distances alone.

Every figure comes with the 95 % interval that it has when *people* are drawn again (bootstrap):
pictures of one person are not independent, so resampling pictures would promise too much. A figure
that too few people carry is None, and says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

RESAMPLED: Final = 400
BINS: Final = np.linspace(0.0, 2.0, 101)
"""Edges of the bins that distances are counted in."""

LEAST_EXPECTED: Final = 3.0
"""False matches by different people that a rate must expect before it is measured at all."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate 0…1 with its 95 % interval, or None with the reason."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


def resampled(people: int, rng: np.random.Generator, times: int = RESAMPLED) -> Floats:
    """How often each person is drawn in each of ``times`` bootstrap samples, shape (times, people).

    The first row is the sample itself: everybody once.
    """
    if people == 0:
        return np.zeros((times + 1, 0))
    drawn = rng.multinomial(people, np.full(people, 1 / people), size=times)
    return np.vstack((np.ones(people), drawn)).astype(np.float64)


def estimate(samples: Floats, *, centred: bool = False) -> Estimate:
    """From the figure (first) and its bootstrap samples.

    ``centred`` scales the interval to where the figure is, for figures that samples are biased for.
    """
    drawn = samples[1:][np.isfinite(samples[1:])]
    if not np.isfinite(samples[0]) or drawn.size == 0:
        return Estimate(None, reason="nobody to measure it with")
    value, middle = float(samples[0]), float(np.median(drawn))
    low, high = np.quantile(drawn, (0.025, 0.975)) * (value / middle if centred and middle > 0.0 else 1.0)
    return Estimate(value, min(value, float(low)), max(value, float(high)))


def ratio(above: Floats, below: Floats) -> Floats:
    """Of each row; NaN where nobody was drawn."""
    found: Floats = np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0.0)
    return found


def threshold_at(scores: Floats, owner: Numbers, weights: Floats, rate: float) -> Floats:
    """The largest distance at which a share of at most ``rate`` of the scores lies within it.

    ``owner`` is the person of each score; one threshold for each row of ``weights``.
    """
    order = np.argsort(scores, kind="stable")
    mass = weights[:, owner[order]]
    share = np.cumsum(mass, axis=1) / np.maximum(mass.sum(axis=1, keepdims=True), 1e-12)
    within = np.count_nonzero(share <= rate + 1e-12, axis=1)
    ordered = np.concatenate((scores[order], [np.inf]))
    # Just below the first score that must not lie within; equal scores stay out together.
    found: Floats = np.nextafter(ordered[within], -np.inf)
    return found


def share_within(scores: Floats, owner: Numbers, weights: Floats, thresholds: Floats) -> Floats:
    """The weighted share of scores within each row's threshold; NaN where nobody was drawn."""
    mass = weights[:, owner]
    total = mass.sum(axis=1)
    within = (mass * (scores[None, :] <= thresholds[:, None])).sum(axis=1)
    return ratio(within, total)


def supported(people: int, rate: float) -> str | None:
    """None where a rate can be measured with so many people, else why not."""
    if people * rate >= LEAST_EXPECTED:
        return None
    needed = int(np.ceil(LEAST_EXPECTED / rate))
    return f"{people} strangers; a rate of {rate:g} needs {needed} to expect {LEAST_EXPECTED:g}"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Distances of pairs of pictures and the two people of each; sorted, nearest first."""

    distance: Floats
    first: Numbers
    second: Numbers


@dataclass(frozen=True, slots=True)
class PairDistances:
    """All pairs of pictures: the same person's, and the nearest of different people's.

    Of different people's only the ``nearest`` share is kept; ``counts`` (people,) tell how many pictures
    each person has, and so how many pairs there are. ``…_shares`` are shares of all pairs in ``BINS``.
    """

    same: Pairs
    different: Pairs
    counts: NDArray[np.intp]
    same_shares: tuple[float, ...]
    different_shares: tuple[float, ...]

    def different_total(self, weights: Floats) -> Floats:
        """Pairs of different people's pictures, for each row of weights."""
        mass = weights * self.counts
        found: Floats = (mass.sum(axis=1) ** 2 - (mass**2).sum(axis=1)) / 2
        return found


def pair_distances(embeddings: Sequence[NDArray[np.float32]], *, nearest: float = 0.05) -> PairDistances:
    """Distances of all pairs of pictures of unit rows, one entry a person in ``embeddings``."""
    counts = np.array([len(own) for own in embeddings], np.intp)
    owner = np.repeat(np.arange(len(embeddings)), counts)
    matrix = np.concatenate(embeddings)
    squared = 2.0 - 2.0 * (matrix @ matrix.T)
    rows, columns = np.triu_indices(len(matrix), 1)
    distance = np.sqrt(np.maximum(0.0, squared[rows, columns])).astype(np.float64)
    first, second = owner[rows], owner[columns]
    own = first == second
    same = _sorted(distance[own], first[own], second[own])
    distance, first, second = distance[~own], first[~own], second[~own]
    spread = _shares(distance)
    kept = max(1, int(nearest * len(distance)))
    if kept < len(distance):
        near = np.argpartition(distance, kept - 1)[:kept]
        distance, first, second = distance[near], first[near], second[near]
    shares = _shares(same.distance)
    return PairDistances(same, _sorted(distance, first, second), counts, shares, spread)


def tar_at_far(pairs: PairDistances, far: float, weights: Floats) -> tuple[Estimate, float | None]:
    """The share of a person's own pairs within the distance at which ``far`` of others' are; that distance.

    A rate needs pairs of different people's pictures that expect three matches, and the kept nearest must
    reach it.
    """
    total = pairs.different_total(weights)
    expected = float(total[0]) * far
    if expected < LEAST_EXPECTED or not len(pairs.same.distance):
        needs = int(np.ceil(LEAST_EXPECTED / far))
        return Estimate(None, reason=f"{int(total[0])} pairs of different people; it needs {needs}"), None
    # Twice as many of the nearest pairs as the rate needs: no sample of people asks for more.
    near = min(len(pairs.different.distance), int(2 * expected) + 10)
    first, second = pairs.different.first[:near], pairs.different.second[:near]
    ordered = pairs.different.distance
    thresholds = np.empty(len(weights))
    for row, (mass, allowed) in enumerate(zip(weights, far * total, strict=True)):
        within = int(np.searchsorted(np.cumsum(mass[first] * mass[second]), allowed, side="right"))
        thresholds[row] = np.nextafter(ordered[min(within, len(ordered) - 1)], -np.inf)
    shares = share_within(pairs.same.distance, pairs.same.first, weights, thresholds)
    return estimate(shares), float(thresholds[0])


def roc(pairs: PairDistances, points: int = 120) -> list[tuple[float, float]]:
    """(FAR, TAR) along the kept nearest pairs of different people, rare first."""
    total = float(pairs.different_total(np.ones((1, len(pairs.counts))))[0])
    if not len(pairs.same.distance) or not len(pairs.different.distance):
        return []
    picks = np.unique(np.geomspace(1, len(pairs.different.distance), points).astype(int))
    within = np.searchsorted(pairs.same.distance, pairs.different.distance[picks - 1], side="right")
    return [
        (float(pick / total), float(count / len(pairs.same.distance)))
        for pick, count in zip(picks, within, strict=True)
    ]


def _shares(distance: Floats) -> tuple[float, ...]:
    counts, _ = np.histogram(distance, BINS)
    return tuple(round(count / max(1, len(distance)), 6) for count in counts.tolist())


def _sorted(distance: Floats, first: Numbers, second: Numbers) -> Pairs:
    order = np.argsort(distance, kind="stable")
    return Pairs(distance[order], first[order], second[order])
