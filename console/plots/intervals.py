"""Shares with their intervals: a dot where the share lies, a line as far as it may lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from console.plots.shapes import FONT, Dot, Line, Plot, Shape, Word, room, shortened, width_of

WIDTH: Final = 640.0
_ROW: Final = 26.0
_MOST_NAME: Final = 230.0
_GAP: Final = 8.0
_MARKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Interval:
    """Shares in 0…1; `counted` says of how many, e.g. "1/2"."""

    name: str
    low: float
    value: float
    high: float
    counted: str


def intervals(title: str, said: str, found: Sequence[Interval]) -> Plot:
    """One a line, on an axis from 0 to 100 %."""
    if not found:
        return Plot(WIDTH, 0, title, said, ())
    left = room([one.name for one in found], _MOST_NAME) + _GAP
    behind = max(width_of(one.counted) for one in found) + 2 * _GAP
    wide = WIDTH - left - behind
    bottom = _ROW * len(found)
    shapes: list[Shape] = []
    for mark in _MARKS:
        x = round(left + mark * wide, 2)
        shapes.append(Line(x, 0, x, bottom, "axis" if mark == 0 else "grid"))
        shapes.append(Word(x, bottom + FONT + 4, f"{mark:.0%}", "middle", "tick"))
    for row, one in enumerate(found):
        y = row * _ROW + _ROW / 2
        low, high, at = (round(left + share * wide, 2) for share in (one.low, one.high, one.value))
        shapes.append(Word(left - _GAP, y + 4, shortened(one.name, left - _GAP), "end"))
        shapes.append(Line(low, y, high, y, "whisker"))
        shapes.extend(Line(end, y - 5, end, y + 5, "whisker") for end in (low, high))
        hint = f"{one.name}: {one.counted}, {one.low:.0%}–{one.high:.0%}"
        shapes.append(Dot(at, y, 5, "dot", hint))
        shapes.append(Word(WIDTH, y + 4, one.counted, "end", "value"))
    return Plot(WIDTH, bottom + 24, title, said, tuple(shapes))
