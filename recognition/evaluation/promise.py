"""Does the promise hold? Calibrated on half of the people, kept to the other half, several times.

In the tested half everybody is a stranger to a gallery of the others: with m look-alikes within a
distance among M people, a random gallery of n holds one with the chance 1 - (1 - n/M)^m. That uses all
pairs of people, where drawn galleries would use a few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.calibration import Calibration, CalibrationFile
from recognition.calibration.file import EVERYBODY, FORMAT, Promise
from recognition.calibration.measuring import distances, measure_group, passages
from recognition.evaluation.metrics import LEAST_EXPECTED, Estimate, Floats, estimate, ratio
from recognition.evaluation.openset import Protocol, enrol, play
from recognition.evaluation.people import People

ROUNDS: Final = 10
ENROLLED: Final = 3
GALLERY_PEOPLE: Final = (206, 500, 1000)
TARGETS: Final = (1e-1, 1e-2, 1e-3, 1e-4)
_UNCAPPED: Final = 9.0


@dataclass(frozen=True, slots=True)
class Kept:
    """One promise: ``fpir`` as observed, and who was named rightly at its distances."""

    target: float
    gallery_people: int
    frames: int
    fpir: Estimate
    threshold: float


@dataclass(frozen=True, slots=True)
class NamedAt:
    """Residents named rightly at promised distances, by how many come: see ``Protocol``."""

    target: float
    gallery_people: int
    protocol: Protocol
    tpir: Estimate
    thresholds: dict[int, float]


def check(
    people: People, weights: Floats, rng: np.random.Generator, *, rounds: int = ROUNDS
) -> tuple[list[Kept], list[NamedAt]]:
    """Promises for galleries that half of the people can fill; empty with too few people."""
    sizes = [size for size in GALLERY_PEOPLE if size < len(people) // 2 - 1]
    seen: dict[tuple[int, int, float], list[tuple[Floats, Floats, float]]] = {}
    hits: dict[tuple[bool, int, float], list[tuple[Floats, Floats, dict[int, float]]]] = {}
    for _ in range(rounds):
        mixed = rng.permutation(len(people))
        known, tested = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
        calibration = trial(people.chosen(known.tolist()), rng)
        if calibration is None or not sizes:
            return [], []
        half, mass = people.chosen(tested.tolist()), weights[:, tested]
        for frames in (1, 2, 3):
            for key, value in _strangers(half, mass, calibration, frames, sizes, rng).items():
                seen.setdefault((frames, *key), []).append(value)
        for everyone in (True, False):
            protocol = Protocol(ENROLLED, ENROLLED, everyone)
            for place, one in _residents(half, mass, calibration, protocol, sizes, rng).items():
                hits.setdefault((everyone, *place), []).append(one)
    kept = [
        Kept(
            target,
            size,
            frames,
            _observed(people, frames, size, target, values),
            float(np.mean([t for *_, t in values])),
        )
        for (frames, size, target), values in sorted(seen.items())
    ]
    named = [
        NamedAt(
            target,
            size,
            Protocol(ENROLLED, ENROLLED, everyone),
            estimate(_ratio([(one[0], one[1]) for one in values])),
            {k: float(np.mean([one[2][k] for one in values])) for k in values[0][2]},
        )
        for (everyone, size, target), values in sorted(hits.items())
    ]
    return kept, named


def trial(people: People, rng: np.random.Generator) -> Calibration | None:
    """A calibration of these people alone, without a cap; None for too few people."""
    group = measure_group(EVERYBODY, people.embeddings, rng)
    if group is None:
        return None
    file = CalibrationFile(FORMAT, "trial", "", "", "", (group,), _UNCAPPED, "", 0.0, "")
    return Calibration(file)


def as_promises(kept: Sequence[Kept]) -> tuple[Promise, ...]:
    """What a calibration file remembers of it."""
    return tuple(
        Promise(
            one.target,
            one.gallery_people,
            one.frames,
            _short(one.fpir.value),
            _short(one.fpir.low),
            _short(one.fpir.high),
            one.fpir.reason,
        )
        for one in kept
    )


def _strangers(
    half: People,
    weights: Floats,
    calibration: Calibration,
    frames: int,
    sizes: Sequence[int],
    rng: np.random.Generator,
) -> dict[tuple[int, float], tuple[Floats, Floats, float]]:
    """For each size and target: weighted passages that were named, passages, the distance."""
    entries = np.array([enrol(own[:ENROLLED]) for own in half.embeddings], np.float32)
    photos = float(np.mean([min(ENROLLED, len(own)) for own in half.embeddings]))
    passing, owner, _ = passages(half.embeddings, frames, rng)
    found: dict[tuple[int, float], tuple[Floats, Floats, float]] = {}
    if not len(owner):
        return found
    apart = distances(passing, entries)
    apart[np.arange(len(owner)), owner] = np.inf
    strangers, residents = weights[:, owner], weights.astype(np.float32)
    for size in sizes:
        for target in TARGETS:
            limit = calibration.distance(size, target, frames=frames, photos=photos)
            alike = residents @ (apart <= limit).T.astype(np.float32)
            named = 1.0 - (1.0 - size / (len(half) - 1)) ** alike
            found[size, target] = ((strangers * named).sum(axis=1), strangers.sum(axis=1), limit)
    return found


def _residents(
    half: People,
    weights: Floats,
    calibration: Calibration,
    protocol: Protocol,
    sizes: Sequence[int],
    rng: np.random.Generator,
) -> dict[tuple[int, float], tuple[Floats, Floats, dict[int, float]]]:
    played = play(half, protocol, rng, rounds=1, sizes=sizes, strange_share=0.0)
    residents = played.residents
    mass = weights[:, residents.person]
    found = {}
    for place, size in enumerate(played.sizes[:-1]):
        for target in TARGETS:
            limits = {
                k: calibration.distance(size, target, frames=k, photos=played.photos)
                for k in range(1, protocol.frames + 1)
            }
            limit = np.array([limits[k] for k in residents.frames.tolist()])
            right = residents.first[:, place] & (residents.own <= limit)
            found[size, target] = ((mass * right).sum(axis=1), mass.sum(axis=1), limits)
    return found


def _observed(
    people: People, frames: int, size: int, target: float, values: Sequence[tuple[Floats, Floats, float]]
) -> Estimate:
    strangers = sum(len(own) >= frames for own in people.embeddings)
    pairs = strangers * (len(people) - 1) - strangers * (strangers - 1) / 2
    expected = pairs * target / size
    if expected < LEAST_EXPECTED:
        return Estimate(None, reason=f"{int(pairs)} pairs of people expect {expected:.2g} such matches")
    # A person drawn twice finds nobody new, so that samples see less than the people themselves do.
    return estimate(_ratio([(named, total) for named, total, _ in values]), centred=True)


def _ratio(values: Sequence[tuple[Floats, Floats]]) -> NDArray[np.float64]:
    above = np.sum([named for named, _ in values], axis=0)
    below = np.sum([total for _, total in values], axis=0)
    return ratio(above, below)


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")
