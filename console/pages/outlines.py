"""Outlines: their middle, what surrounds them, and how SVG writes them."""

from collections.abc import Iterable, Sequence

from console.pages.spacing import Point


def centre(outline: Sequence[Sequence[float]]) -> Point:
    xs, ys = [float(p[0]) for p in outline], [float(p[1]) for p in outline]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def hull(points: Iterable[Point]) -> list[Point]:
    """The convex hull, anticlockwise (Andrew's monotone chain)."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered

    def half(candidates: Iterable[Point]) -> list[Point]:
        chain: list[Point] = []
        for p in candidates:
            while len(chain) >= 2 and _turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        return chain[:-1]

    return half(ordered) + half(reversed(ordered))


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def grown(outline: Sequence[Point], by: float = 20.0) -> list[Point]:
    """The outline pushed outwards from its centre, so that the wall does not lie on the zones."""
    cx, cy = centre(outline)
    return [(x + (by if x >= cx else -by), y + (by if y >= cy else -by)) for x, y in outline]


def points(outline: Iterable[Point]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in outline)
