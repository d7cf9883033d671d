"""From embeddings of many people to error curves.

Everybody is a stranger to everybody else: a passage of k fused pictures of one person is compared
with one photo of each other person. Nobody is compared with themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.errorcurve import ErrorCurve, probit
from recognition.calibration.file import Curve, Group, Point
from recognition.fusion import fuse

Matrix = NDArray[np.float32]

FRAMES: Final = (1, 2, 3, 5)
"""Numbers of fused pictures that a curve is measured for."""

PLACES_A_GROUP: Final = 20
"""People from whom on a group's own distances are measured, with everybody's tail."""

SHAPES_A_TAIL: Final = 300
"""People from whom on a group has a tail of its own."""

_TRUE_PEOPLE: Final = 10  # who pass and are enrolled, from whom on it is known how far true passages lie
_DRAWS: Final = 3
_RESAMPLED: Final = 200
_CARRIED_BY: Final = 100  # matches of different pairs of people, from which on a rate is taken as measured
_TYPICAL: Final = 0.3  # expected matches at which the uneven spread is read: where promises are made
_EVEN: Final = 1e4  # a gamma shape that is as good as infinite
_UNEVEN: Final = 0.02
_STEEPER: Final = 1.05
"""Tails are drawn on a little steeper than they were measured: of two engines, one had a tail that
was heavier than its line, and named 2.2 times as many strangers as promised where it was drawn on."""
_QUANTILES: Final = ("0.5", "0.9", "0.95", "0.99")
_QUARTERS: Final = range(2, 29)


@dataclass(frozen=True, slots=True)
class Strangers:
    """``distances[s, r]`` from the passage of stranger ``s`` to enrolled person ``r``; inf to themselves.

    ``stranger`` and ``resident`` are person numbers of rows and columns.
    """

    distances: Matrix
    stranger: NDArray[np.intp]
    resident: NDArray[np.intp]

    @property
    def pairs(self) -> int:
        """Comparisons."""
        return int(np.isfinite(self.distances).sum())

    @property
    def different_pairs(self) -> int:
        """Pairs of people among the comparisons, each counted once whichever of the two passes."""
        both = np.isin(self.stranger, self.resident).sum()
        return self.pairs - int(both * (both - 1) // 2)


def passages(
    embeddings: Sequence[Matrix], frames: int, rng: np.random.Generator
) -> tuple[Matrix, NDArray[np.intp], list[NDArray[np.intp]]]:
    """A passage of ``frames`` pictures of everybody who has as many: vectors, people, pictures used."""
    people = [number for number, own in enumerate(embeddings) if len(own) >= frames]
    used = [rng.permutation(len(embeddings[number]))[:frames] for number in people]
    rows = [
        fuse(list(embeddings[number][taken]), [1.0] * frames, unit=True)
        for number, taken in zip(people, used, strict=True)
    ]
    return np.array(rows, np.float32), np.array(people, np.intp), used


def distances(passing: Matrix, enrolled: Matrix) -> Matrix:
    """Euclidean distances of unit vectors, shape (passages, people)."""
    found: Matrix = np.sqrt(np.maximum(0.0, 2.0 - 2.0 * (passing @ enrolled.T)))
    return found


def strangers(embeddings: Sequence[Matrix], frames: int, rng: np.random.Generator) -> Strangers:
    """Everybody's passage against one random photo of everybody else."""
    enrolled, residents, _ = passages(embeddings, 1, rng)
    passing, people, _ = passages(embeddings, frames, rng)
    found = distances(passing, enrolled)
    found[people[:, None] == residents[None, :]] = np.inf
    return Strangers(found, people, residents)


def genuine(embeddings: Sequence[Matrix], frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Distance of a passage to a photo of the same person that is not in it, for who has enough."""
    found = []
    for own in embeddings:
        if len(own) > frames:
            order = rng.permutation(len(own))
            vector = fuse(list(own[order[:frames]]), [1.0] * frames, unit=True)
            found.append(float(np.linalg.norm(vector.astype(np.float64) - own[order[frames]])))
    return np.array(found)


def measure_group(
    name: str, embeddings: Sequence[Matrix], rng: np.random.Generator, *, everybody: Group | None = None
) -> Group | None:
    """The curves of a group, ``embeddings`` with one (pictures, dimension) of unit rows a person.

    A group of few people takes the tail of ``everybody``; None where even a place cannot be measured.
    """
    few = len(embeddings) < SHAPES_A_TAIL and everybody is not None
    if len(embeddings) < PLACES_A_GROUP:
        return None
    curves = []
    for frames in FRAMES:
        if sum(len(own) >= frames for own in embeddings) < PLACES_A_GROUP:
            break
        if sum(len(own) > frames for own in embeddings) < _TRUE_PEOPLE:
            break
        shape = next((c for c in everybody.curves if c.frames == frames), None) if few and everybody else None
        if few and shape is None:
            break
        curves.append(_curve(embeddings, frames, rng, shape))
    if not curves:
        return None
    return Group(name, len(embeddings), tuple(curves), everybody.name if few and everybody else None)


def _curve(embeddings: Sequence[Matrix], frames: int, rng: np.random.Generator, shape: Curve | None) -> Curve:
    drawn = [strangers(embeddings, frames, rng) for _ in range(_DRAWS)]
    true = np.concatenate([genuine(embeddings, frames, rng) for _ in range(_DRAWS)])
    one = drawn[0]
    carried = _CARRIED_BY / max(1, one.different_pairs)
    ordered = np.sort(np.concatenate([each.distances.ravel() for each in drawn]))
    total = sum(each.pairs for each in drawn)
    grid = [10.0 ** (-quarter / 4) for quarter in _QUARTERS]
    # A slope needs a few points, however few people there are.
    rates = [rate for rate in grid if rate >= carried] if carried < grid[3] else grid[:4]
    points = []
    for rate in rates:
        distance = float(ordered[min(total - 1, int(rate * total))])
        low, high = _interval(drawn, distance, rng)
        points.append(Point(rate, distance, low, high, _spread(drawn, rate, distance)))
    points = _orderly(points)
    quantiles = {q: round(float(np.quantile(true, float(q))), 4) for q in _QUANTILES}
    slope = _tail_slope(points)
    if shape is not None:
        points, slope = _borrowed(points, shape), shape.tail_slope
    return Curve(
        frames,
        len(one.stranger),
        len(one.resident),
        tuple(points),
        slope,
        quantiles,
        int(true.size // _DRAWS),
    )


def _interval(drawn: Sequence[Strangers], distance: float, rng: np.random.Generator) -> tuple[float, float]:
    """95 % of the rate within ``distance`` when people are drawn again, in both their roles."""
    people = int(max(each.resident.max() for each in drawn)) + 1
    weights = rng.multinomial(people, np.full(people, 1 / people), size=_RESAMPLED).astype(np.float64)
    matches, compared = np.zeros(_RESAMPLED), np.zeros(_RESAMPLED)
    for each in drawn:
        s, r = np.nonzero(each.distances <= distance)
        ws, wr = weights[:, each.stranger], weights[:, each.resident]
        if len(s) > 20 * (len(each.stranger) + len(each.resident)):
            within = (each.distances <= distance).astype(np.float32)
            matches += np.einsum("bs,bs->b", ws, wr @ within.T)
        else:
            matches += np.einsum("bp,bp->b", ws[:, s], wr[:, r])
        own = np.isin(each.resident, each.stranger)
        compared += ws.sum(1) * wr.sum(1) - (weights[:, each.resident[own]] ** 2).sum(1)
    found = matches / np.maximum(1.0, compared)
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def _spread(drawn: Sequence[Strangers], rate: float, distance: float) -> float:
    """The gamma shape with which the share of strangers who match anybody is what it was measured to be.

    Read in random galleries of the size at which 0.3 matches are expected, or all people if that is fewer.
    """
    matched = np.concatenate([(each.distances <= distance).sum(1) for each in drawn])
    residents = len(drawn[0].resident) - 1
    size = min(float(residents), _TYPICAL / rate)
    # Each of a stranger's look-alikes is in a random gallery with the chance size / residents.
    anybody = float(np.mean(1.0 - (1.0 - size / residents) ** matched))
    expected = float(matched.mean()) * size / residents
    if anybody <= 0.0 or anybody >= -np.expm1(-expected):
        return _EVEN
    low, high = np.log(_UNEVEN), np.log(_EVEN)
    for _ in range(60):
        middle = (low + high) / 2
        shape = np.exp(middle)
        low, high = (
            (middle, high) if -np.expm1(-shape * np.log1p(expected / shape)) < anybody else (low, middle)
        )
    return float(np.exp((low + high) / 2))


def _orderly(points: Sequence[Point]) -> list[Point]:
    """Distances that fall with the rate, and a spread that does not grow with rarity.

    Far out a few matches decide it, and whether two of them fall on one stranger is chance.
    """
    kept: list[Point] = []
    for point in points:
        if kept and point.distance >= kept[-1].distance:
            continue
        spread = min(point.spread, kept[-1].spread) if kept else point.spread
        kept.append(
            Point(
                float(f"{point.rate:.4g}"),
                round(point.distance, 5),
                float(f"{point.rate_low:.3g}"),
                float(f"{point.rate_high:.3g}"),
                round(spread, 3),
            )
        )
    return kept


def _tail_slope(points: Sequence[Point]) -> float:
    """Distance per unit of probit over the last two decades, or over the last one if that is steeper.

    Steeper means a smaller distance at the same rate: the cautious one of the two.
    """
    last = points[-1].rate
    slopes = []
    for decades in (1.0, 2.0):
        tail = [(p.rate, p.distance) for p in points if p.rate <= last * 10**decades * 1.01]
        if len(tail) > 1:
            z, d = np.array([probit(rate) for rate, _ in tail]), np.array([distance for _, distance in tail])
            slopes.append(float(np.polyfit(z, d, 1)[0]))
    return round(max([*(_STEEPER * slope for slope in slopes), 1e-3]), 5)


def _borrowed(points: Sequence[Point], shape: Curve) -> list[Point]:
    """A group's own points as far as they carry, then everybody's moved to where the group's end."""
    last = points[-1]
    everybody = ErrorCurve.of(shape)
    moved = last.distance - everybody.distance(last.rate)
    more = [
        Point(p.rate, round(p.distance + moved, 5), p.rate_low, p.rate_high, p.spread)
        for p in shape.points
        if p.rate < last.rate * 0.99 and 0.0 < p.distance + moved < last.distance
    ]
    return [*points, *more]


def margin(curve: Curve) -> float:
    """What one decade of the false-match rate is in distance, about one match in ten thousand."""
    found = ErrorCurve.of(curve)
    return round(found.distance(10**-3.5) - found.distance(10**-4.5), 4)


def cap(groups: Mapping[str, Sequence[Matrix]], rate: float, rng: np.random.Generator) -> tuple[float, str]:
    """The smallest distance at which a share ``rate`` of one group's comparisons match, and that group."""
    found: dict[str, float] = {}
    for name, embeddings in groups.items():
        if len(embeddings) >= 2:
            within = [strangers(embeddings, 1, rng).distances for _ in range(_DRAWS)]
            finite = np.concatenate([each[np.isfinite(each)] for each in within])
            found[name] = float(np.quantile(finite, rate))
    name = min(found, key=lambda each: found[each])
    return round(found[name], 4), name
