"""From the faces of one passage to a finding: fuse, compare, decide, and say what it rests on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from recognition.calibration import Calibration
from recognition.decisions import FaceDecision, Scope, decide_in
from recognition.engines import FaceEngine, Vector
from recognition.fusion import fuse
from recognition.gallery import Gallery
from recognition.work.finding import Finding
from recognition.work.frames import Frame, most_telling
from recognition.work.scopes import Looked, Strictness, search

MOST_FUSED: Final = 5
"""The best so many faces of a passage are fused: calibrations go up to five, and poor ones only blur."""


@dataclass(frozen=True, slots=True)
class Lens:
    """With what the faces of a compound are looked at."""

    engine: FaceEngine
    calibration: Calibration
    gallery: Gallery


def fused(frames: Sequence[Frame], *, unit: bool) -> tuple[Vector | None, list[Frame]]:
    """One embedding for a passage and the frames that are in it, the best first; None for none."""
    usable = sorted((one for one in frames if one.embedding is not None), key=lambda one: -one.weight)
    best = usable[:MOST_FUSED]
    if not best:
        return None, []
    vectors = [one.embedding for one in best if one.embedding is not None]
    return fuse(vectors, [one.weight for one in best], unit=unit), best


def decide(
    frames: Sequence[Frame],
    looked: Looked,
    lens: Lens,
    strictness: Strictness,
    *,
    liveness: bool | None = None,
) -> Finding:
    """The finding of a passage of at least one frame. ``liveness`` is what the terminal asserts."""
    face, best = fused(frames, unit=lens.engine.unit)
    if face is None:
        return _unusable(most_telling(frames), lens, liveness)
    scopes = search(looked, lens.gallery, face, lens.calibration, strictness, frames=len(best))
    decision = decide_in(scopes, (), liveness=liveness)
    scope = next(one for one in scopes if one.gallery == decision.gallery)
    candidates = _near(scopes)
    return Finding(
        "face",
        decision.outcome.value,
        (*decision.reasons, *_notes(frames)),
        person_id=decision.person_id,
        household_id=decision.household_id,
        score=decision.score,
        threshold=decision.threshold,
        margin=decision.margin,
        gallery_size=decision.people,
        engine=lens.engine.name,
        engine_version=lens.engine.version,
        candidates=tuple(candidates),
        quality=best[0].quality,
        evidence=_evidence(best, decision, scope, lens),
        frames=len(best),
        gallery=decision.gallery,
        thresholds=_thresholds(scopes, scope, lens.calibration, strictness),
    )


def distance(one: Vector, other: Vector) -> float:
    """How far two faces are from each other, as the gallery measures it."""
    return float(np.linalg.norm(one.astype(np.float64) - other))


def _unusable(frame: Frame, lens: Lens, liveness: bool | None) -> Finding:
    seen = frame.quality is not None
    live = ("not_live",) if seen and liveness is False else ()
    return Finding(
        "face",
        "uncertain" if live else frame.outcome,
        (*live, *frame.reasons, *frame.notes),
        engine=lens.engine.name if seen else None,
        engine_version=lens.engine.version if seen else None,
        quality=frame.quality,
        frames=1 if seen else None,
    )


def _near(scopes: Sequence[Scope]) -> list[dict[str, Any]]:
    """People whom the face might be; whoever is farther is nobody's business."""
    floor = max(scope.thresholds.unknown for scope in scopes)
    found = {one.person_id: one for scope in scopes for one in scope.candidates if one.distance <= floor}
    return [asdict(one) for one in sorted(found.values(), key=lambda one: (one.distance, one.person_id))]


def _notes(frames: Sequence[Frame]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for frame in frames for note in frame.notes))


def _evidence(best: Sequence[Frame], decision: FaceDecision, scope: Scope, lens: Lens) -> dict[str, Any]:
    """What each picture alone would have said of the nearest person, and their mean."""
    if len(best) < 2 or decision.score is None:
        return {}
    nearest = min(scope.candidates, key=lambda one: (one.distance, one.person_id)).person_id
    scores = []
    for frame in best:
        alone = lens.gallery.search(frame.embedding, {nearest}) if frame.embedding is not None else ()
        if alone:
            scores.append((frame.weight, alone[0].distance))
    weight = sum(each for each, _ in scores) or 1.0
    mean = sum(each * score for each, score in scores) / weight
    return {
        "frames": [{"quality": round(each, 4), "score": score} for each, score in scores],
        "mean_score": round(mean, 6),
    }


def _thresholds(
    scopes: Sequence[Scope], deciding: Scope, calibration: Calibration, strictness: Strictness
) -> dict[str, Any]:
    share = strictness.fpir / len(scopes)
    return asdict(deciding.thresholds) | {
        "fpir": share,
        "shift": strictness.shift,
        "calibration": calibration.id,
        "scopes": [
            {"gallery": one.gallery, "people": one.people, **asdict(one.thresholds)} for one in scopes
        ],
    }
