"""Vectors by key, packed into one float32 matrix: what a search runs over."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]

_FIRST_ROOM: Final = 64
_GROUP: Final = 64
_EPSILON: Final = float(np.finfo(np.float32).eps)


class Rows:
    """Appending uses spare room, removing moves the last row into the gap.

    ``matrix`` may be somebody else's memory: (rows of room, dimension), float32, writable, whose
    first ``len(keys)`` rows are in use. When its room is used up the rows move to memory of our own.
    """

    def __init__(self, dimension: int, matrix: Matrix | None = None, keys: Sequence[str] = ()) -> None:
        self._matrix = np.zeros((_FIRST_ROOM, dimension), np.float32) if matrix is None else matrix
        self.keys = list(keys)
        self._row_of = {key: row for row, key in enumerate(self.keys)}
        self._squares = np.zeros(len(self._matrix), np.float32)
        used = self._matrix[: len(self.keys)]
        np.einsum("ij,ij->i", used, used, out=self._squares[: len(self.keys)])

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: object) -> bool:
        return key in self._row_of

    @property
    def matrix(self) -> Matrix:
        """The rows in use, in the order of ``keys``; a view."""
        return self._matrix[: len(self.keys)]

    def row(self, key: str) -> int:
        """Where a key's vector lies. Raises KeyError."""
        return self._row_of[key]

    def get(self, key: str) -> Vector:
        """A copy of a key's vector. Raises KeyError."""
        vector: Vector = self._matrix[self._row_of[key]].copy()
        return vector

    def put(self, key: str, vector: Vector) -> None:
        """Adds a vector, or puts it in the place of the key's former one."""
        row = self._row_of.get(key)
        if row is None:
            row = len(self.keys)
            if row == len(self._matrix):
                self._grow()
            self.keys.append(key)
            self._row_of[key] = row
        self._matrix[row] = vector
        self._squares[row] = vector @ vector

    def remove(self, key: str) -> None:
        """Raises KeyError. Nothing of the vector stays in the matrix."""
        row = self._row_of.pop(key)
        last = self.keys.pop()
        end = len(self.keys)
        if row != end:
            self.keys[row] = last
            self._row_of[last] = row
            self._matrix[row], self._squares[row] = self._matrix[end], self._squares[end]
        self._matrix[end] = 0.0
        self._squares[end] = 0.0

    def near(
        self, embedding: Vector, among: NDArray[np.intp] | None, nearest: int, within: float
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Rows and distances of at least the ``nearest`` nearest rows and of all within ``within``
        of the very nearest; a few more may be among them. ``among`` limits it to these rows.

        One matrix product gives |a-b|² of all, which loses the last digits of small distances. How
        far off it can be is known, so nobody is missed: who may be near enough is measured again.
        """
        block = self.matrix if among is None else self._matrix[among]
        squares = self._squares[: len(self.keys)] if among is None else self._squares[among]
        if not len(block):
            return np.empty(0, np.intp), np.empty(0, np.float64)
        norm = float(embedding @ embedding)
        coarse = block @ embedding
        coarse *= -2.0
        coarse += squares
        coarse += norm
        # Twice the bound for summing this many products in any order (Higham, Accuracy and Stability
        # of Numerical Algorithms, §3.1), of both norms and the product.
        slack = 2 * (len(embedding) + 4) * _EPSILON * (norm + float(squares.max()))
        bound = _at_most(coarse, nearest)
        reach = max(np.sqrt(max(bound, 0.0) + slack), np.sqrt(max(float(coarse.min()), 0.0) + slack) + within)
        chosen = np.flatnonzero(coarse <= reach * reach + slack)
        exact = np.linalg.norm(block[chosen].astype(np.float64) - embedding, axis=1)
        return (chosen if among is None else among[chosen]), exact

    def _grow(self) -> None:
        room = max(_FIRST_ROOM, len(self._matrix) // 4)
        self._matrix = np.concatenate((self._matrix, np.zeros((room, self._matrix.shape[1]), np.float32)))
        self._squares = np.concatenate((self._squares, np.zeros(room, np.float32)))


def _at_most(values: NDArray[np.float32], count: int) -> float:
    """A value that at least ``count`` values do not exceed, or all where there are fewer.

    The count-th smallest of the groups' minima is one, and costs a tenth of sorting out the
    count-th smallest of 100,000 values.
    """
    if len(values) <= count:
        return float(values.max())
    groups = len(values) // _GROUP
    if groups > count:
        values = values[: groups * _GROUP].reshape(groups, _GROUP).min(axis=1)
    return float(np.partition(values, count - 1)[count - 1])
