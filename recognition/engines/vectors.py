"""Embeddings as numbers."""

import numpy as np
from numpy.typing import NDArray


class UselessEmbeddingError(ArithmeticError):
    """An encoder gave a vector that cannot be compared: not finite, or without length."""

    def __init__(self) -> None:
        super().__init__("the encoder gave a vector that is not finite or has no length")


def mean_of(vectors: NDArray[np.float32], *, unit: bool) -> NDArray[np.float32]:
    """The mean of embeddings (n, dimension), with ``unit`` brought to length 1.

    On unit vectors the distance d and the cosine are one measure: cos = 1 - d²/2.
    Raises ``UselessEmbeddingError``.
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    if not np.isfinite(length) or length == 0.0:
        raise UselessEmbeddingError
    return np.asarray(mean / length if unit else mean, dtype=np.float32)
