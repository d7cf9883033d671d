"""Bars: lying, for things with names; standing, for hours and days. Both may be stacked. Zero-based."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from console.plots.scales import number, ticks
from console.plots.shapes import FONT, Line, Plot, Rect, Shape, Word, room, shortened, width_of

WIDTH: Final = 640.0
_ROW: Final = 26.0
_THICK: Final = 16.0
_BELOW: Final = 24.0
_HIGH: Final = 200.0
_MOST_NAME: Final = 190.0
_GAP: Final = 8.0


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: `kind` is its colour and pattern, `name` its word."""

    value: float
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    parts: tuple[Part, ...]

    @property
    def total(self) -> float:
        return sum(part.value for part in self.parts)


def bars(title: str, said: str, found: Sequence[Bar]) -> Plot:
    """Lying bars, one a line, each with its number behind it."""
    most = max((bar.total for bar in found), default=0.0)
    if most <= 0:
        return Plot(WIDTH, 0, title, said, ())
    left = room([bar.name for bar in found], _MOST_NAME) + _GAP
    marks = ticks(most)
    behind = max(width_of(number(bar.total)) for bar in found) + _GAP
    per = (WIDTH - left - behind) / marks[-1]
    bottom = _ROW * len(found)
    shapes: list[Shape] = []
    for mark in marks:
        x = _at(left + mark * per)
        shapes.append(Line(x, 0, x, bottom, "axis" if mark == 0 else "grid"))
        shapes.append(Word(x, bottom + FONT + 4, number(mark), "middle", "tick"))
    for row, bar in enumerate(found):
        top = row * _ROW + (_ROW - _THICK) / 2
        x = left
        shapes.append(Word(left - _GAP, top + FONT, shortened(bar.name, left - _GAP), "end"))
        for part in bar.parts:
            if part.value > 0:
                wide = part.value * per
                hint = f"{bar.name} · {part.name}: {number(part.value)}"
                shapes.append(Rect(_at(x), top, _at(wide), _THICK, part.kind, hint))
                x += wide
        shapes.append(Word(_at(x + _GAP / 2), top + FONT, number(bar.total), "start", "value"))
    return Plot(WIDTH, bottom + _BELOW, title, said, tuple(shapes), _key(found))


def columns(title: str, said: str, found: Sequence[Bar], *, named_every: int = 1) -> Plot:
    """Standing bars in their order; every `named_every`-th has its name beneath it."""
    most = max((bar.total for bar in found), default=0.0)
    if most <= 0:
        return Plot(WIDTH, 0, title, said, ())
    marks = ticks(most, 4)
    left = max(width_of(number(mark)) for mark in marks) + _GAP
    per = _HIGH / marks[-1]
    step = (WIDTH - left) / len(found)
    top = FONT
    shapes: list[Shape] = []
    for mark in marks:
        y = _at(top + _HIGH - mark * per)
        shapes.append(Line(left, y, WIDTH, y, "axis" if mark == 0 else "grid"))
        shapes.append(Word(left - _GAP / 2, y + 4, number(mark), "end", "tick"))
    thick = min(step * 0.8, 40.0)
    for place, bar in enumerate(found):
        middle = left + (place + 0.5) * step
        y = top + _HIGH
        for part in bar.parts:
            if part.value > 0:
                high = part.value * per
                y -= high
                hint = f"{bar.name} · {part.name}: {number(part.value)}"
                shapes.append(Rect(_at(middle - thick / 2), _at(y), _at(thick), _at(high), part.kind, hint))
        if place % named_every == 0:
            shapes.append(Word(_at(middle), top + _HIGH + FONT + 4, bar.name, "middle", "tick"))
    return Plot(WIDTH, top + _HIGH + _BELOW, title, said, tuple(shapes), _key(found))


def _key(found: Sequence[Bar]) -> tuple[tuple[str, str], ...]:
    """Of what is stacked each kind once, in the order of the parts."""
    kinds: dict[str, str] = {}
    for bar in found:
        for part in bar.parts:
            if part.value > 0:
                kinds.setdefault(part.kind, part.name)
    order = [part.kind for part in found[0].parts]
    ranked = sorted(kinds.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
    return tuple(ranked) if len(ranked) > 1 else ()


def _at(value: float) -> float:
    return round(value, 2)
