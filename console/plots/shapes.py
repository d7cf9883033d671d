"""What plots are made of. Lengths are in user units (a pixel on the screen), from the top left."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Rect:
    """`hint` is said where the pointer rests, and read out."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    kind: str


@dataclass(frozen=True, slots=True)
class Path:
    """Points one after the other; `closed` encloses an area."""

    points: tuple[tuple[float, float], ...]
    kind: str
    closed: bool = False

    @property
    def d(self) -> str:
        """As SVG says it."""
        steps = " ".join(f"{'M' if n == 0 else 'L'}{x:g} {y:g}" for n, (x, y) in enumerate(self.points))
        return f"{steps} Z" if self.closed else steps


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    radius: float
    kind: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """`anchor` is start, middle or end; `y` is the line that the letters stand on."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    kind: str = "word"


Shape = Rect | Line | Path | Dot | Word


@dataclass(frozen=True)
class Plot:
    """`title` and `said` are what somebody hears who does not see it. `key` names the kinds of a legend."""

    width: float
    height: float
    title: str
    said: str
    shapes: tuple[Shape, ...]
    key: tuple[tuple[str, str], ...] = field(default=())

    @property
    def empty(self) -> bool:
        """There is nothing to draw; a page says so in words."""
        return not self.shapes


FONT: Final = 12.0
"""The size of words in a plot, user units."""


def width_of(text: str) -> float:
    """About how wide a text is: a Chinese letter takes a square, a capital 0.8 of it, another 0.64."""
    return FONT * sum(_share(letter) for letter in text)


def _share(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    return 0.8 if letter.isupper() else 0.64


def shortened(text: str, most: float) -> str:
    """A text that takes no more than `most`, with … where it was cut."""
    if width_of(text) <= most:
        return text
    while text and width_of(text + "…") > most:
        text = text[:-1]
    return text.rstrip() + "…"


def room(texts: Sequence[str], most: float) -> float:
    """The width that these texts need beside a plot, at most `most`."""
    return min(most, max((width_of(text) for text in texts), default=0.0))
