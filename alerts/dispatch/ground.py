"""How far it is from one place of a compound to another, on its plan. Pure."""

import itertools
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Point = tuple[float, float]

# Metres of a walk from the middle of a zone to the middle of the next, where no plan says better.
_STEP_M: Final = 60.0
# Walking is longer than the bee's line.
_DETOUR: Final = 1.3
# A phone's word on where it is, beyond its own accuracy.
_EDGE_M: Final = 15.0


@dataclass(frozen=True, slots=True)
class Place:
    """A zone: its corners in plan metres (fewer than three: not drawn), and what one walks into from it."""

    outline: Sequence[Point] = ()
    neighbours: frozenset[str] = frozenset()

    @property
    def middle(self) -> Point | None:
        if len(self.outline) < 3:
            return None
        xs, ys = zip(*self.outline, strict=True)
        return sum(xs) / len(xs), sum(ys) / len(ys)

    def holds(self, point: Point, within_m: float) -> bool:
        """Whether a point known to within `within_m` metres may be called at the place."""
        if len(self.outline) < 3:
            return False
        if _inside(point, self.outline):
            return True
        ring = [*self.outline, self.outline[0]]
        nearest = min(_to_side(point, one, other) for one, other in itertools.pairwise(ring))
        return nearest <= _EDGE_M + within_m


@dataclass(frozen=True, slots=True)
class Ground:
    """The zones of a compound by id."""

    places: Mapping[str, Place] = field(default_factory=dict)

    def metres(self, start: Point | str | None, to: str) -> float | None:
        """Metres of a walk from a point or a zone to a zone; None where nobody can say."""
        if start is None or to not in self.places:
            return None
        if isinstance(start, str):
            if start == to:
                return 0.0
            known = self.places.get(start)
            point = known.middle if known is not None else None
        else:
            if self.places[to].holds(start, 0.0):
                return 0.0
            point = start
        end = self.places[to].middle
        if point is not None and end is not None:
            return math.dist(point, end) * _DETOUR
        hops = self.hops(start, to) if isinstance(start, str) else None
        return None if hops is None else hops * _STEP_M

    def hops(self, start: str, to: str) -> int | None:
        """How many zones on from one another is; None where no way is written down."""
        seen, queue = {start}, deque([(start, 0)])
        while queue:
            zone, count = queue.popleft()
            if zone == to:
                return count
            for following in sorted(self.places.get(zone, Place()).neighbours - seen):
                seen.add(following)
                queue.append((following, count + 1))
        return None


def _inside(point: Point, outline: Sequence[Point]) -> bool:
    x, y = point
    inside = False
    before = outline[-1]
    for corner in outline:
        (x1, y1), (x2, y2) = before, corner
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
        before = corner
    return inside


def _to_side(point: Point, one: Point, other: Point) -> float:
    (x, y), (x1, y1), (x2, y2) = point, one, other
    along = (x2 - x1) ** 2 + (y2 - y1) ** 2
    share = 0.0 if along == 0 else ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / along
    share = min(1.0, max(0.0, share))
    return math.dist(point, (x1 + share * (x2 - x1), y1 + share * (y2 - y1)))
