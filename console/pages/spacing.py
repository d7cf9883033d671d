"""Room on the plan: words and marks are set down one after another, none upon another."""

import itertools
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

Point = tuple[float, float]

# How far apart the places are that are tried around a spot that is taken, and how far out.
_STEP = 12.0
_REACH = 18
# Less than this is side by side, as far as rounding goes.
_TOUCH = 0.5
_SQUARE = 64.0
_AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle by its centre and its half sides."""

    x: float
    y: float
    half_width: float
    half_height: float

    def holds(self, other: "Box") -> bool:
        """Whether the other lies wholly within."""
        return (
            abs(self.x - other.x) + other.half_width <= self.half_width
            and abs(self.y - other.y) + other.half_height <= self.half_height
        )

    def shared(self, other: "Box") -> float:
        """The area that both cover."""
        across = self.half_width + other.half_width - abs(self.x - other.x)
        down = self.half_height + other.half_height - abs(self.y - other.y)
        return across * down if across > _TOUCH and down > _TOUCH else 0.0


@dataclass(slots=True)
class Sheet:
    """What stands on the plan so far; whoever comes later gives way."""

    width: float
    height: float
    # What lies in each square of the sheet: a large compound has hundreds of marks.
    _squares: dict[tuple[int, int], list[Box]] = field(default_factory=dict)

    def put(self, box: Box) -> None:
        """Sets something down where it belongs, whatever is there."""
        for square in _squares(box):
            self._squares.setdefault(square, []).append(box)

    def is_free(self, box: Box) -> bool:
        """Whether nothing lies there yet."""
        for square in _squares(box):
            for other in self._squares.get(square, ()):
                if box.shared(other):
                    return False
        return True

    def place(
        self, choices: Iterable[Point], half_width: float, half_height: float, within: Box | None = None
    ) -> Box:
        """Sets something down at the first choice that is free, else near the first one.

        What must give way stays `within` its zone where there is room in it.
        """
        boxes = [self._inside(x, y, half_width, half_height) for x, y in choices]
        first = boxes[0]
        if free := next((box for box in boxes if self.is_free(box)), None):
            self.put(free)
            return free
        near = self._near(first, min(_STEP, 1.2 * half_width))
        if within is not None:
            near = itertools.chain(
                filter(within.holds, near), self._near(first, min(_STEP, 1.2 * half_width))
            )
        # Where the whole neighbourhood is full, the first choice is as good as any.
        chosen = next(filter(self.is_free, near), first)
        self.put(chosen)
        return chosen

    def _near(self, first: Box, step: float) -> Iterator[Box]:
        """Places around a spot, the nearest first."""
        for reach in range(1, _REACH):
            for dx, dy in _AROUND:
                x, y = first.x + dx * reach * step, first.y + dy * reach * step
                yield self._inside(x, y, first.half_width, first.half_height)

    def least_covered(self, choices: Iterable[Point], half_width: float, half_height: float) -> Box:
        """Sets something down at the choice that covers least: a name must stay at its place."""
        boxes = [self._inside(x, y, half_width, half_height) for x, y in choices]
        chosen = min(boxes, key=self._covered)
        self.put(chosen)
        return chosen

    def _covered(self, box: Box) -> float:
        near = {id(other): other for square in _squares(box) for other in self._squares.get(square, ())}
        return sum(box.shared(other) for other in near.values())

    def _inside(self, x: float, y: float, half_width: float, half_height: float) -> Box:
        return Box(
            round(max(half_width, min(self.width - half_width, x)), 1),
            round(max(half_height, min(self.height - half_height, y)), 1),
            half_width,
            half_height,
        )


def _squares(box: Box) -> Iterable[tuple[int, int]]:
    left, right = box.x - box.half_width, box.x + box.half_width
    top, bottom = box.y - box.half_height, box.y + box.half_height
    for across in range(int(left // _SQUARE), int(right // _SQUARE) + 1):
        for down in range(int(top // _SQUARE), int(bottom // _SQUARE) + 1):
            yield across, down


def text_width(text: str, size: float) -> float:
    """About how wide a text is at a letter size: a Chinese character is a square."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return size * (wide + 0.58 * (len(text) - wide))
