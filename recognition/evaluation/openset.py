"""Open-set identification: who is named of those who are enrolled, and of those who are not.

People with several photos are divided at random, several times: half of them are strangers, the
others are enrolled and come again with photos that were not enrolled. Everybody with too few photos
to come again is enrolled all the same and stands in the way. Strangers' pictures are fused as
residents' are, and each number of fused pictures has its own distance, as at a gate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.measuring import distances
from recognition.evaluation.metrics import (
    Estimate,
    Floats,
    Numbers,
    estimate,
    ratio,
    supported,
    threshold_at,
)
from recognition.evaluation.people import Matrix, People
from recognition.fusion import fuse

ROUNDS: Final = 10
GALLERY_PEOPLE: Final = (206, 500, 1000, 2000)


@dataclass(frozen=True, slots=True)
class Protocol:
    """``enrol`` photos a person at most, ``frames`` fused at most.

    ``everyone``: whoever has 2 photos comes again, with as many enrolled as leave one. Otherwise only
    who has all ``enrol`` photos and one more.
    """

    enrol: int
    frames: int
    everyone: bool

    @property
    def least_photos(self) -> int:
        return 2 if self.everyone else self.enrol + 1

    @property
    def name(self) -> str:
        """``everyone`` or ``enrolled``."""
        return "everyone" if self.everyone else "enrolled"


@dataclass(frozen=True, slots=True)
class Passages:
    """One entry a passage, over all rounds. ``person`` numbers the people of the evaluation.

    ``own`` is the distance to the person's own entry in the gallery (inf for a stranger), ``other``
    (passages, sizes) the nearest of the others in galleries of growing size.
    """

    person: Numbers
    frames: Numbers
    own: Floats
    other: Floats

    @property
    def first(self) -> NDArray[np.bool_]:
        """Whether the own entry is the nearest, for each size."""
        return self.own[:, None] < self.other

    def of(self, chosen: NDArray[np.bool_]) -> "Passages":
        return Passages(self.person[chosen], self.frames[chosen], self.own[chosen], self.other[chosen])


@dataclass(frozen=True, slots=True)
class OpenSet:
    """What a protocol gave. ``sizes`` are the people in each gallery, the last one holds all."""

    protocol: Protocol
    sizes: tuple[int, ...]
    residents: Passages
    strangers: Passages
    photos: float


@dataclass(frozen=True, slots=True)
class Named:
    """At one target: the share of residents' passages that are named rightly.

    ``fpir`` is what was measured with ``thresholds`` (by number of frames). ``single`` is the same
    share where one distance serves every number of frames, ``clear`` where the next person must also be
    a margin behind.
    """

    tpir: Estimate
    fpir: float | None
    thresholds: dict[int, float]
    single: float | None
    clear: float | None


def enrol(photos: Matrix) -> NDArray[np.float32]:
    """A person's entry: the mean of the photos at length 1, as the gallery keeps it."""
    return fuse(list(photos), [1.0] * len(photos), unit=True)


def play(
    people: People,
    protocol: Protocol,
    rng: np.random.Generator,
    *,
    probed: NDArray[np.bool_] | None = None,
    rounds: int = ROUNDS,
    sizes: Sequence[int] = GALLERY_PEOPLE,
    strange_share: float = 0.5,
) -> OpenSet:
    """``probed`` people alone come again or are strangers; None is everybody. All others are enrolled."""
    counts = np.array([len(own) for own in people.embeddings])
    may = np.ones(len(people), bool) if probed is None else probed
    several = np.flatnonzero(may & (counts >= 2))
    strange = int(len(several) * strange_share)
    enrolled_people = len(people) - strange
    reached = (*(size for size in sizes if size < enrolled_people), enrolled_people)
    residents: list[Passages] = []
    strangers: list[Passages] = []
    photos: list[float] = []
    for _ in range(rounds):
        mixed = rng.permutation(several)
        outside, comers = mixed[:strange], set(mixed[strange:].tolist())
        inside = rng.permutation(np.setdiff1d(np.arange(len(people)), outside))
        entries, coming = [], []
        for column, person in enumerate(inside.tolist()):
            own, order = people.embeddings[person], rng.permutation(counts[person])
            comes = person in comers and counts[person] >= protocol.least_photos
            kept = min(protocol.enrol, counts[person] - 1) if comes else min(protocol.enrol, counts[person])
            entries.append(enrol(own[order[:kept]]))
            photos.append(float(kept))
            if comes:
                coming.append((person, column, own[order[kept : kept + protocol.frames]]))
        gallery = np.array(entries, np.float32)
        residents.append(_residents(coming, gallery, reached))
        strangers.append(_strangers(people, outside, protocol.frames, gallery, reached, rng))
    return OpenSet(protocol, reached, _joined(residents), _joined(strangers), float(np.mean(photos)))


def named(played: OpenSet, size: int, fpir: float, weights: Floats, margin: float) -> Named:
    """Measured at thresholds that a share of at most ``fpir`` of the strangers' passages keeps.

    ``size`` is the place in ``played.sizes``; ``weights`` are bootstrap weights of all people.
    """
    residents, strangers = played.residents, played.strangers
    best = strangers.other[:, size]
    thresholds = np.zeros((len(weights), len(residents.person)))
    measured: dict[int, float] = {}
    seen = 0
    for frames in sorted(set(residents.frames.tolist())):
        chosen = strangers.frames == frames
        reason = supported(len(set(strangers.person[chosen].tolist())), fpir)
        if reason is not None:
            return Named(Estimate(None, reason=f"{frames} fused: {reason}"), None, {}, None, None)
        limit = threshold_at(best[chosen], strangers.person[chosen], weights, fpir)
        measured[frames] = float(limit[0])
        seen += int((best[chosen] <= limit[0]).sum())
        thresholds[:, residents.frames == frames] = limit[:, None]
    if not len(residents.person):
        return Named(Estimate(None, reason="nobody comes again"), None, {}, None, None)
    hits = residents.first[:, size] & (residents.own <= thresholds)
    mass = weights[:, residents.person]
    shares = ratio((mass * hits).sum(axis=1), mass.sum(axis=1))
    counted = int(np.isin(strangers.frames, list(measured)).sum())
    clear = hits[0] & (residents.other[:, size] - residents.own >= margin)
    return Named(
        estimate(shares),
        seen / max(1, counted),
        measured,
        _single(played, size, fpir),
        float(clear.mean()),
    )


def first_place(played: OpenSet, size: int) -> float | None:
    """The share of residents' passages whose own entry is the nearest: what no threshold can exceed."""
    return float(played.residents.first[:, size].mean()) if len(played.residents.person) else None


def _single(played: OpenSet, size: int, fpir: float) -> float:
    """With one distance for all, against strangers who come with as many frames as residents do."""
    residents, strangers = played.residents, played.strangers
    shares = {k: float((residents.frames == k).mean()) for k in set(residents.frames.tolist())}
    mass = np.zeros(len(strangers.person))
    for frames, share in shares.items():
        chosen = strangers.frames == frames
        mass[chosen] = share / max(1, int(chosen.sum()))
    numbers = np.arange(len(mass), dtype=np.intp)
    limit = threshold_at(strangers.other[:, size], numbers, mass[None, :], fpir)
    return float((residents.first[:, size] & (residents.own <= limit[0])).mean())


def _residents(coming: Sequence[tuple[int, int, Matrix]], gallery: Matrix, sizes: Sequence[int]) -> Passages:
    if not coming:
        return _nobody(len(sizes))
    passing = np.array([enrol(photos) for _, _, photos in coming], np.float32)
    columns = np.array([column for _, column, _ in coming])
    found = distances(passing, gallery).astype(np.float64)
    rows = np.arange(len(coming))
    own = found[rows, columns].copy()
    found[rows, columns] = np.inf
    return Passages(
        np.array([person for person, _, _ in coming], np.intp),
        np.array([len(photos) for _, _, photos in coming], np.intp),
        own,
        _nearest(found, sizes),
    )


def _strangers(
    people: People,
    outside: NDArray[np.intp],
    frames: int,
    gallery: Matrix,
    sizes: Sequence[int],
    rng: np.random.Generator,
) -> Passages:
    vectors, owner, fused = [], [], []
    for person in outside.tolist():
        own = people.embeddings[person]
        for count in range(1, min(frames, len(own)) + 1):
            vectors.append(enrol(own[rng.permutation(len(own))[:count]]))
            owner.append(person)
            fused.append(count)
    if not vectors:
        return _nobody(len(sizes))
    found = distances(np.array(vectors, np.float32), gallery).astype(np.float64)
    alone = np.full(len(owner), np.inf)
    return Passages(np.array(owner, np.intp), np.array(fused, np.intp), alone, _nearest(found, sizes))


def _nearest(found: Floats, sizes: Sequence[int]) -> Floats:
    """The nearest among the first people of the gallery, who are in random order: galleries that grow."""
    smallest = np.minimum.accumulate(found, axis=1)
    return np.stack([smallest[:, size - 1] for size in sizes], axis=1)


def _nobody(sizes: int) -> Passages:
    nobody = np.zeros(0, np.intp)
    return Passages(nobody, nobody, np.zeros(0), np.zeros((0, sizes)))


def _joined(parts: Sequence[Passages]) -> Passages:
    return Passages(
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.frames for part in parts]),
        np.concatenate([part.own for part in parts]),
        np.concatenate([part.other for part in parts]),
    )
