"""People made of numbers: each a direction, pictures scattered around it, all at length 1."""

import numpy as np

from recognition.evaluation.labels import Kind
from recognition.evaluation.people import People

DIMENSION = 24


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def embeddings(counts, *, seed=1, noise=0.45, dimension=DIMENSION, common=1.0):
    """One (pictures, dimension) for each count; ``common`` is what all faces share."""
    rng = np.random.default_rng(seed)
    shared = common * np.ones(dimension) / np.sqrt(dimension)
    made = []
    for count in counts:
        centre = shared + rng.normal(size=dimension) / np.sqrt(dimension)
        made.append(unit(centre + noise * rng.normal(size=(count, dimension)) / np.sqrt(dimension)))
    return made


def people(counts, *, group="", **how):
    made = embeddings(counts, **how)
    names = tuple(f"{group}p{number}" for number in range(len(made)))
    return People(names, (group,) * len(made), tuple(made), (Kind.ALIGNED,) * len(made))
