"""A heat map: hours across, weekdays down; the number stands in its field, so that colour is never alone."""

from collections.abc import Sequence
from typing import Final

from console.plots.shapes import FONT, Plot, Rect, Shape, Word, room

WIDTH: Final = 640.0
LEVELS: Final = 5
_HIGH: Final = 26.0
_GAP: Final = 8.0


def level(value: int, most: int) -> int:
    """How dark a field is: 0 for nothing, 1…`LEVELS` for some."""
    if value <= 0 or most <= 0:
        return 0
    return max(1, min(LEVELS, -(-value * LEVELS // most)))


def heat(title: str, said: str, rows: Sequence[tuple[str, Sequence[int]]], heads: Sequence[str]) -> Plot:
    """`rows` are names with one number a head; every third head is named, so that they do not touch."""
    most = max((max(values, default=0) for _, values in rows), default=0)
    if most <= 0:
        return Plot(WIDTH, 0, title, said, ())
    left = room([name for name, _ in rows], 90.0) + _GAP
    wide = (WIDTH - left) / len(heads)
    top = FONT + 6
    shapes: list[Shape] = [
        Word(round(left + (place + 0.5) * wide, 2), FONT, head, "middle", "tick")
        for place, head in enumerate(heads)
        if place % 3 == 0
    ]
    for row, (name, values) in enumerate(rows):
        y = top + row * _HIGH
        shapes.append(Word(left - _GAP, y + _HIGH / 2 + 4, name, "end"))
        for place, value in enumerate(values):
            x, deep = round(left + place * wide, 2), level(value, most)
            hint = f"{name} {heads[place]}: {value}"
            shapes.append(Rect(x + 1, y + 1, round(wide - 2, 2), _HIGH - 2, f"heat-{deep}", hint))
            if value:
                kind = "on-dark" if deep >= 4 else "on-light"
                shapes.append(Word(round(x + wide / 2, 2), y + _HIGH / 2 + 4, str(value), "middle", kind))
    return Plot(WIDTH, top + _HIGH * len(rows) + 2, title, said, tuple(shapes))
