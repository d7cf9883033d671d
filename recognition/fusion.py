"""Several pictures of one passage become one embedding."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

_LEAST_WEIGHT = 1e-3


def fuse(embeddings: Sequence[Vector], weights: Sequence[float], *, unit: bool) -> Vector:
    """The mean of embeddings weighted by the quality (0..1) of each; float32, their shape.

    ``unit`` brings it back to length 1, for engines whose embeddings have that length.
    Raises ValueError for none, or for other than one weight each.
    """
    if not embeddings or len(embeddings) != len(weights):
        raise ValueError("as many weights as embeddings, and at least one")
    shares = np.maximum(np.asarray(weights, dtype=np.float64), _LEAST_WEIGHT)
    mean = np.average(np.asarray(embeddings, dtype=np.float64), axis=0, weights=shares)
    length = float(np.linalg.norm(mean))
    if unit and length > 0.0:
        mean /= length
    return mean.astype(np.float32)
