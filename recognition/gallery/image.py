"""A gallery's vectors as plain arrays: what a snapshot holds of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from recognition.gallery.rows import Matrix


class Entry(NamedTuple):
    """Whose a row is, and which templates it was made of."""

    person: str
    templates: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """``matrix`` has a row for each of ``entries``, and may have room after them; ``singles`` one
    for each template in ``apart``. Both are float32 of the engine's dimension.
    """

    unit: bool
    entries: Sequence[Entry]
    matrix: Matrix
    apart: Sequence[str]
    singles: Matrix

    @property
    def dimension(self) -> int:
        return int(self.matrix.shape[1])
