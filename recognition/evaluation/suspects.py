"""Identities that an engine takes for one person: label errors, most of them, or twins."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from recognition.calibration import Calibration
from recognition.evaluation.openset import enrol
from recognition.evaluation.people import People

MOST: Final = 30
_CHANCE: Final = 0.5
_MOST_PHOTOS: Final = 5


@dataclass(frozen=True, slots=True)
class Suspect:
    """``expected`` is how many pairs of all people would be as near as this by chance."""

    first: str
    second: str
    distance: float
    expected: float


def suspects(people: People, calibration: Calibration) -> list[Suspect]:
    """Pairs nearer than chance explains, nearest first; a person to look at, never a correction."""
    if len(people) < 2:
        return []
    entries = np.array([enrol(own[:_MOST_PHOTOS]) for own in people.embeddings], np.float32)
    counts = [min(_MOST_PHOTOS, len(own)) for own in people.embeddings]
    squared = np.maximum(0.0, 2.0 - 2.0 * (entries @ entries.T))
    rows, columns = np.triu_indices(len(people), 1)
    near = np.argsort(squared[rows, columns])[: 10 * MOST]
    found = []
    for place in near.tolist():
        a, b = int(rows[place]), int(columns[place])
        distance = float(np.sqrt(squared[a, b]))
        rate = calibration.fpir(1, distance, frames=counts[a], photos=counts[b])
        expected = rate * len(rows)
        if expected < _CHANCE:
            found.append(Suspect(people.names[a], people.names[b], distance, expected))
    return sorted(found, key=lambda one: (one.expected, one.distance))[:MOST]
