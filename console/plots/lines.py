"""A line with the band in which most lie."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from console.plots.shapes import FONT, Dot, Line, Path, Plot, Shape, Word, width_of

WIDTH: Final = 640.0
_HIGH: Final = 200.0
_GAP: Final = 8.0


@dataclass(frozen=True, slots=True)
class Point:
    """`value` with the band from `low` to `high` about it; None where nothing was measured: a gap."""

    name: str
    value: float | None
    low: float = 0.0
    high: float = 0.0


def line(
    title: str,
    said: str,
    found: Sequence[Point],
    marks: Sequence[float],
    words: Callable[[float], str],
    *,
    named_every: int = 1,
) -> Plot:
    """`marks` are the ticks from zero up, the last one the top; `words` says them."""
    if all(one.value is None for one in found):
        return Plot(WIDTH, 0, title, said, ())
    left = max(width_of(words(mark)) for mark in marks) + _GAP
    top, per = FONT, _HIGH / marks[-1]
    step = (WIDTH - left) / len(found)
    shapes: list[Shape] = []
    for mark in marks:
        y = round(top + _HIGH - mark * per, 2)
        shapes.append(Line(left, y, WIDTH, y, "axis" if mark == 0 else "grid"))
        shapes.append(Word(left - _GAP / 2, y + 4, words(mark), "end", "tick"))

    def place(value: float) -> float:
        return round(top + _HIGH - min(value, marks[-1]) * per, 2)

    for run in _runs(found):
        xs = [round(left + (n + 0.5) * step, 2) for n in run]
        high = [(x, place(found[n].high)) for x, n in zip(xs, run, strict=True)]
        low = [(x, place(found[n].low)) for x, n in zip(xs, run, strict=True)]
        if len(run) > 1:
            shapes.append(Path((*high, *reversed(low)), "band", closed=True))
            middle = [(x, place(found[n].value or 0.0)) for x, n in zip(xs, run, strict=True)]
            shapes.append(Path(tuple(middle), "line"))
        for x, n in zip(xs, run, strict=True):
            value = found[n].value or 0.0
            if len(run) == 1:
                shapes.append(Line(x, place(found[n].high), x, place(found[n].low), "whisker"))
            shapes.append(Dot(x, place(value), 3, "dot", f"{found[n].name}: {words(value)}"))
    shapes.extend(
        Word(round(left + (n + 0.5) * step, 2), top + _HIGH + FONT + 4, one.name, "middle", "tick")
        for n, one in enumerate(found)
        if n % named_every == 0
    )
    return Plot(WIDTH, top + _HIGH + 24, title, said, tuple(shapes))


def _runs(found: Sequence[Point]) -> list[list[int]]:
    """Places one after the other that were measured."""
    runs: list[list[int]] = []
    before = False
    for n, one in enumerate(found):
        if one.value is not None:
            if not before:
                runs.append([])
            runs[-1].append(n)
        before = one.value is not None
    return runs
