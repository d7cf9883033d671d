"""The whole evaluation of a face engine on a folder of labelled pictures."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.calibration import Calibration, CalibrationFile
from recognition.engines import FaceEngine
from recognition.evaluation import making, metrics, openset, promise
from recognition.evaluation.embedding import Look, Looked
from recognition.evaluation.labels import Kind
from recognition.evaluation.metrics import Estimate, Floats
from recognition.evaluation.openset import Protocol
from recognition.evaluation.people import People, people_of
from recognition.evaluation.suspects import Suspect, suspects

WHOLE: Final = "whole"
"""Everybody with aligned crops; where there are none, everybody."""

PHOTOS: Final = (1, 3, 5)
FRAMES: Final = (1, 3, 5)
FPIRS: Final = (1e-1, 1e-2, 1e-3, 1e-4)
FARS: Final = (1e-2, 1e-3, 1e-4, 1e-5)
HEADLINE: Final = (3, 3, 1e-2)
"""Enrolled photos, fused frames and FPIR that are named first."""

_PAIRS_RESAMPLED: Final = 100


@dataclass(frozen=True, slots=True)
class Point:
    """One operating point.

    ``source`` is where the thresholds come from: ``measured`` on these very strangers, ``promised`` by
    everybody's calibration, or ``promised_to_group`` by the group's own.
    ``people`` come again, ``strangers`` do not; ``single``, ``clear``: see ``Named``.
    """

    group: str
    protocol: Protocol
    source: str
    gallery_people: int
    fpir_target: float
    fpir: Estimate
    tpir: Estimate
    thresholds: Mapping[int, float]
    single: float | None = None
    clear: float | None = None
    first_place: float | None = None
    people: int = 0
    strangers: int = 0


@dataclass(frozen=True, slots=True)
class GroupPairs:
    """Pairs of pictures of one group. ``same`` and ``different`` are shares of pairs a bin of distance."""

    group: str
    people: int
    pictures: int
    tar: Mapping[float, tuple[Estimate, float | None]]
    roc: Sequence[tuple[float, float]]
    same: Sequence[float]
    different: Sequence[float]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``looks`` counts what became of pictures: (group, kind) → look → pictures."""

    people: int
    pictures: int
    looks: Mapping[tuple[str, Kind], Mapping[Look, int]]
    pairs: Sequence[GroupPairs]
    points: Sequence[Point]
    promises: Sequence[promise.Kept]
    suspects: Sequence[Suspect]
    calibration: CalibrationFile

    def headline(self, *, everyone: bool) -> Point | None:
        """The largest gallery at the operating point that is named first."""
        photos, frames, fpir = HEADLINE
        wanted = Protocol(photos, frames, everyone)
        found = [
            point
            for point in self.points
            if (point.group, point.protocol, point.fpir_target, point.source)
            == (WHOLE, wanted, fpir, "measured")
        ]
        return max(found, key=lambda point: point.gallery_people, default=None)


def evaluate(
    engine: FaceEngine,
    looked: Sequence[Looked],
    *,
    at: dt.datetime,
    seed: int,
    data: str,
    aliases: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda _step: None,
) -> Evaluation:
    """All figures of one engine; ``progress`` hears the name of each step.

    The same pictures, engine and seed give the same figures. Raises ``making.TooFewPeopleError``.
    """
    everybody = people_of(looked, aliases)
    aligned = everybody.of_kind(Kind.ALIGNED)
    whole = aligned if len(aligned) else everybody
    rng = np.random.default_rng(seed)
    progress("pairs")
    pairs = [_pairs(WHOLE, whole, rng)]
    named_groups = sorted(set(everybody.groups) - {""})
    pairs += [_pairs(name, everybody.of_group(name), rng) for name in named_groups]
    progress("promises")
    weights = metrics.resampled(len(whole), rng)
    kept, named_at = promise.check(whole, weights[: _PAIRS_RESAMPLED * 2 + 1], rng)
    progress("calibration")
    file = making.make(engine, whole, everybody, at, data, promise.as_promises(kept), rng)
    calibration = Calibration(file)
    progress("gallery")
    points = _promised(kept, named_at)
    for protocol in _protocols():
        points += _measured(WHOLE, whole, None, protocol, weights, file.margin, rng)
    for name in named_groups:
        points += _of_group(name, everybody, calibration, rng)
    progress("suspects")
    return Evaluation(
        len(everybody),
        everybody.pictures,
        _looks(looked),
        pairs,
        points,
        kept,
        suspects(everybody, calibration),
        file,
    )


def _protocols() -> list[Protocol]:
    return [
        Protocol(photos, frames, everyone)
        for everyone in (False, True)
        for photos in PHOTOS
        for frames in FRAMES
    ]


def _measured(
    group: str,
    people: People,
    probed: NDArray[np.bool_] | None,
    protocol: Protocol,
    weights: Floats,
    margin: float,
    rng: np.random.Generator,
) -> list[Point]:
    played = openset.play(people, protocol, rng, probed=probed)
    comers, outside = (len(set(side.person.tolist())) for side in (played.residents, played.strangers))
    points = []
    for place, size in enumerate(played.sizes):
        first = openset.first_place(played, place)
        for target in FPIRS:
            found = openset.named(played, place, target, weights, margin)
            points.append(
                Point(
                    group,
                    protocol,
                    "measured",
                    size,
                    target,
                    Estimate(found.fpir, reason=found.tpir.reason),
                    found.tpir,
                    found.thresholds,
                    found.single,
                    found.clear,
                    first,
                    comers,
                    outside,
                )
            )
    return points


def _of_group(
    name: str, everybody: People, calibration: Calibration, rng: np.random.Generator
) -> list[Point]:
    """A group in the gallery of everybody: at measured thresholds, at everybody's, at the group's own."""
    member = np.array([group == name for group in everybody.groups])
    weights = metrics.resampled(len(everybody), rng)
    photos, frames, _ = HEADLINE
    points: list[Point] = []
    for protocol in (Protocol(1, 1, everyone=True), Protocol(photos, frames, everyone=True)):
        points += _measured(name, everybody, member, protocol, weights, calibration.file.margin, rng)
        points += _at(name, everybody, member, protocol, weights, calibration, "promised", rng)
        if any(group.name == name for group in calibration.file.groups):
            own = Calibration(calibration.file, name)
            points += _at(name, everybody, member, protocol, weights, own, "promised_to_group", rng)
    return points


def _at(
    name: str,
    everybody: People,
    member: NDArray[np.bool_],
    protocol: Protocol,
    weights: Floats,
    calibration: Calibration,
    source: str,
    rng: np.random.Generator,
) -> list[Point]:
    played = openset.play(everybody, protocol, rng, probed=member)
    residents, strangers = played.residents, played.strangers
    points = []
    for place, size in enumerate(played.sizes):
        for target in FPIRS:
            limits = {
                k: calibration.distance(size, target, frames=k, photos=played.photos)
                for k in range(1, protocol.frames + 1)
            }
            wrong = strangers.other[:, place] <= _each(limits, strangers.frames)
            right = residents.first[:, place] & (residents.own <= _each(limits, residents.frames))
            points.append(
                Point(
                    name,
                    protocol,
                    source,
                    size,
                    target,
                    _false_names(wrong, strangers.person, weights, target),
                    metrics.estimate(_share(right, residents.person, weights)),
                    limits,
                    people=len(set(residents.person.tolist())),
                    strangers=len(set(strangers.person.tolist())),
                )
            )
    return points


def _promised(kept: Sequence[promise.Kept], named_at: Sequence[promise.NamedAt]) -> list[Point]:
    seen = {(one.gallery_people, one.target, one.frames): one.fpir for one in kept}
    return [
        Point(
            WHOLE,
            one.protocol,
            "promised",
            one.gallery_people,
            one.target,
            seen[one.gallery_people, one.target, one.protocol.frames],
            one.tpir,
            one.thresholds,
        )
        for one in named_at
    ]


def _pairs(group: str, people: People, rng: np.random.Generator) -> GroupPairs:
    found = metrics.pair_distances(people.embeddings)
    weights = metrics.resampled(len(people), rng, _PAIRS_RESAMPLED)
    tar = {far: metrics.tar_at_far(found, far, weights) for far in FARS}
    return GroupPairs(
        group,
        len(people),
        people.pictures,
        tar,
        metrics.roc(found),
        found.same_shares,
        found.different_shares,
    )


def _looks(looked: Sequence[Looked]) -> dict[tuple[str, Kind], dict[Look, int]]:
    counts: dict[tuple[str, Kind], Counter[Look]] = {}
    for one in looked:
        counts.setdefault((one.picture.group, one.picture.kind), Counter())[one.look] += 1
    return {key: dict(found) for key, found in sorted(counts.items())}


def _each(limits: Mapping[int, float], frames: metrics.Numbers) -> Floats:
    return np.array([limits[count] for count in frames.tolist()])


def _false_names(
    wrong: NDArray[np.bool_], owner: metrics.Numbers, weights: Floats, target: float
) -> Estimate:
    """None where neither the target expects matches of several strangers nor several matched."""
    reason = metrics.supported(len(set(owner.tolist())), target)
    if reason is not None and len(set(owner[wrong].tolist())) < metrics.LEAST_EXPECTED:
        return Estimate(None, reason=reason)
    return metrics.estimate(_share(wrong, owner, weights))


def _share(hits: NDArray[np.bool_], owner: metrics.Numbers, weights: Floats) -> Floats:
    mass = weights[:, owner]
    return metrics.ratio((mass * hits.astype(np.float64)).sum(axis=1), mass.sum(axis=1))
