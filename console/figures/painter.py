"""A plot on paper: the same shapes as on the screen, as vectors, in colours that also differ in grey."""

from typing import Any, Final

from reportlab.lib.colors import Color, HexColor
from reportlab.platypus import Flowable

from console.figures import ink
from console.plots import Plot
from console.plots.shapes import FONT, Dot, Line, Path, Rect, Word

FILLS: Final[dict[str, str]] = {
    "fill-a": "#0b5f7d",
    "fill-b": "#d08a1e",
    "fill-c": "#9fc3b2",
    "fill-d": "#7d6aa8",
    "fill-e": "#c3cad1",
    "severity-1": "#b3141e",
    "severity-2": "#d9762b",
    "severity-3": "#c9a72c",
    "severity-4": "#6f95bd",
    "heat-0": "#f3f5f7",
    "heat-1": "#d3e5ee",
    "heat-2": "#a3c8da",
    "heat-3": "#6aa5c1",
    "heat-4": "#2f7b9c",
    "heat-5": "#0b4f69",
    "band": "#d3e5ee",
    "dot": "#0b5f7d",
}
HATCHED: Final = frozenset({"fill-b", "fill-d", "severity-2", "severity-4"})
"""Kinds that have lines across them, so that neighbours differ without colour."""
_STROKES: Final = {
    "grid": ("#dde3e8", 0.6),
    "axis": ("#5b6875", 1.0),
    "whisker": ("#475563", 1.4),
    "line": ("#0b5f7d", 1.8),
}
_WORDS: Final = {"on-dark": "#ffffff", "tick": "#475563"}
_INK: Final = HexColor("#16202a")
_KEY_HEIGHT: Final = 18.0


class Painted(Flowable):  # type: ignore[misc]
    """A plot as wide as it may be, its key above it."""

    def __init__(self, plot: Plot, most_width: float) -> None:
        super().__init__()
        self._plot = plot
        self._scale = min(1.0, most_width / plot.width)
        self._above = _KEY_HEIGHT if plot.key else 0.0
        self.width = plot.width * self._scale
        self.height = (plot.height + self._above) * self._scale

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        canvas = self.canv
        canvas.saveState()
        canvas.scale(self._scale, self._scale)
        self._key(canvas)
        for shape in self._plot.shapes:
            _draw(canvas, shape, self._plot.height)
        canvas.restoreState()

    def _key(self, canvas: Any) -> None:
        x, y = 0.0, self._plot.height + 4
        for kind, name in self._plot.key:
            _rect(canvas, x, y, 11, 11, kind)
            canvas.setFillColor(_INK)
            ink.write(canvas, x + 15, y + 1.5, name, FONT - 1)
            x += 15 + ink.width(name, FONT - 1) + 14


def _draw(canvas: Any, shape: Any, high: float) -> None:
    """One shape; on paper y goes up."""
    match shape:
        case Rect():
            _rect(canvas, shape.x, high - shape.y - shape.height, shape.width, shape.height, shape.kind)
        case Line():
            _stroke(canvas, shape.kind)
            canvas.line(shape.x1, high - shape.y1, shape.x2, high - shape.y2)
        case Path():
            path = canvas.beginPath()
            for number, (x, y) in enumerate(shape.points):
                (path.lineTo if number else path.moveTo)(x, high - y)
            if shape.closed:
                path.close()
                canvas.setFillColor(_fill(shape.kind))
            else:
                _stroke(canvas, shape.kind)
            canvas.drawPath(path, stroke=int(not shape.closed), fill=int(shape.closed))
        case Dot():
            canvas.setFillColor(_fill(shape.kind))
            canvas.circle(shape.x, high - shape.y, shape.radius, stroke=0, fill=1)
        case Word():
            canvas.setFillColor(HexColor(_WORDS[shape.kind]) if shape.kind in _WORDS else _INK)
            size = FONT - 1 if shape.kind in {"tick", "on-dark", "on-light"} else FONT
            ink.write(canvas, shape.x, high - shape.y, shape.text, size, anchor=shape.anchor)


def _rect(canvas: Any, x: float, y: float, wide: float, high: float, kind: str) -> None:
    canvas.setFillColor(_fill(kind))
    canvas.rect(x, y, wide, high, stroke=0, fill=1)
    if kind not in HATCHED:
        return
    canvas.saveState()
    clip = canvas.beginPath()
    clip.rect(x, y, wide, high)
    canvas.clipPath(clip, stroke=0, fill=0)
    canvas.setStrokeColor(HexColor("#ffffff"))
    canvas.setLineWidth(1.2)
    for step in range(int((wide + high) / 5) + 1):
        canvas.line(x - high + step * 5, y, x + step * 5, y + high)
    canvas.restoreState()


def _stroke(canvas: Any, kind: str) -> None:
    colour, wide = _STROKES[kind]
    canvas.setStrokeColor(HexColor(colour))
    canvas.setLineWidth(wide)


def _fill(kind: str) -> Color:
    return HexColor(FILLS[kind])
