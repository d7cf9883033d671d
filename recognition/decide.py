"""Who or what was seen, decided from values alone.

Three answers leave no gap: somebody (a person, or at least one household), nobody we
know, or uncertain. Uncertain is an ordinary answer; guessing is not. Nothing here
knows a clock, a database or a picture, so a decision can be replayed from its record.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from recognition.thresholds import FaceThresholds
from registry.plates import NEAR_LIMIT, is_well_formed, nearest, normalise

MAX_CANDIDATES: Final = 5


class FaceOutcome(StrEnum):
    IDENTIFIED = "identified"
    HOUSEHOLD = "household"
    UNKNOWN = "unknown"
    UNCERTAIN = "uncertain"


class PlateOutcome(StrEnum):
    IDENTIFIED = "identified"
    UNKNOWN = "unknown"
    UNCERTAIN = "uncertain"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person of the gallery and the distance of the nearest of their templates."""

    person_id: str
    household_id: str | None
    distance: float
    under_14: bool = False


@dataclass(frozen=True, slots=True)
class FaceDecision:
    """``score`` is the best distance, ``margin`` how much farther the second person is;
    both None where nobody was there to compare with.
    """

    outcome: FaceOutcome
    person_id: str | None
    household_id: str | None
    score: float | None
    reasons: tuple[str, ...]
    threshold: float
    margin: float | None


def decide_face(
    candidates: Collection[Candidate],
    gallery_size: int,
    quality_reasons: Sequence[str],
    thresholds: FaceThresholds,
    *,
    liveness: bool | None = None,
) -> FaceDecision:
    """Decide one face against its nearest people.

    ``candidates`` holds at least all people within the margin of the nearest one;
    ``gallery_size`` is the number of people compared; ``quality_reasons`` is empty for a
    usable face; ``liveness`` is what the terminal asserts, None where it says nothing. Order
    and repeated people do not matter.

    An empty gallery with a good face is *unknown*, reason ``empty_gallery``: nobody is
    enrolled, so it is nobody who is. The reason lets a rule tell it from a stranger.
    """
    ranked = _ranked(candidates)
    best = ranked[0] if ranked else None
    margin = round(ranked[1].distance - ranked[0].distance, 6) if len(ranked) > 1 else None

    def answer(
        outcome: FaceOutcome, *reasons: str, person: str | None = None, household: str | None = None
    ) -> FaceDecision:
        score = best.distance if best else None
        return FaceDecision(outcome, person, household, score, reasons, thresholds.identify, margin)

    if liveness is False:
        return answer(FaceOutcome.UNCERTAIN, "not_live")
    if quality_reasons:
        return answer(FaceOutcome.UNCERTAIN, "poor_quality", *quality_reasons)
    if best is None or gallery_size <= 0:
        return answer(FaceOutcome.UNKNOWN, "empty_gallery")
    if best.distance > thresholds.unknown:
        return answer(FaceOutcome.UNKNOWN, "nobody_near")
    if best.distance > thresholds.identify:
        return answer(FaceOutcome.UNCERTAIN, "between_thresholds")
    contenders = [c for c in ranked if c.distance - best.distance < thresholds.margin]
    if any(c.under_14 for c in contenders):
        # The encoder was not trained on children; their faces are nearer to each other.
        return answer(FaceOutcome.UNCERTAIN, "under_14")
    if len(contenders) == 1:
        return answer(
            FaceOutcome.IDENTIFIED, "within_threshold", person=best.person_id, household=best.household_id
        )
    if best.household_id is not None and len({c.household_id for c in contenders}) == 1:
        # Same door, same rights: a wrong name on the screen would help nobody.
        return answer(FaceOutcome.HOUSEHOLD, "same_household", household=best.household_id)
    return answer(FaceOutcome.UNCERTAIN, "ambiguous")


def _ranked(candidates: Collection[Candidate]) -> list[Candidate]:
    nearest_first = sorted(candidates, key=lambda c: (c.distance, c.person_id))
    seen: dict[str, Candidate] = {}
    for candidate in nearest_first:
        seen.setdefault(candidate.person_id, candidate)
    return list(seen.values())


@dataclass(frozen=True, slots=True)
class PlateText:
    """One reading of the plate, by a device or by us; an absent confidence is None."""

    text: str | None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class PlateDecision:
    """``text`` is the agreed reading, normalised. ``candidates`` are registered plates
    near it with their edit cost: for a guard's eye, never for a barrier.
    """

    outcome: PlateOutcome
    text: str | None
    confidence: float | None
    candidates: tuple[tuple[str, float], ...]
    reasons: tuple[str, ...]


def decide_plate(
    reads: Sequence[PlateText], registered: Collection[str], *, near_limit: float = NEAR_LIMIT
) -> PlateDecision:
    """Decide one vehicle from the readings of its frames against normalised registered plates.

    More than half of the readings must agree, since about 6 % of single readings are
    well-formed and wrong. Only an exact match identifies; a near one is uncertain, so it
    neither opens a barrier nor makes a resident a stranger.
    """
    texts = [(plate, read.confidence) for read in reads if (plate := normalise(read.text)) is not None]
    if not texts:
        return PlateDecision(PlateOutcome.NONE, None, None, (), ("no_plate",))
    text, agreeing = _leader(texts)
    confidence = max((c for plate, c in texts if plate == text and c is not None), default=None)
    agreed = agreeing * 2 > len(texts)
    if agreed and text in registered:
        return PlateDecision(PlateOutcome.IDENTIFIED, text, confidence, (), ("registered",))
    readings = {text} if agreed else {plate for plate, _ in texts}
    candidates = _near_any(readings, registered, near_limit)
    if not agreed:
        return PlateDecision(PlateOutcome.UNCERTAIN, text, confidence, candidates, ("readings_disagree",))
    reasons = (*(("near_match",) if candidates else ()), *(() if is_well_formed(text) else ("malformed",)))
    if reasons:
        return PlateDecision(PlateOutcome.UNCERTAIN, text, confidence, candidates, reasons)
    return PlateDecision(PlateOutcome.UNKNOWN, text, confidence, (), ("not_registered",))


def _leader(texts: Sequence[tuple[str, float | None]]) -> tuple[str, int]:
    """The most frequent reading and how often it came; ties by total confidence, then spelling."""
    counts = Counter(plate for plate, _ in texts)
    weights = {plate: sum(sorted(c or 0.0 for p, c in texts if p == plate)) for plate in counts}
    text = min(counts, key=lambda plate: (-counts[plate], -weights[plate], plate))
    return text, counts[text]


def _near_any(
    readings: Collection[str], registered: Collection[str], limit: float
) -> tuple[tuple[str, float], ...]:
    best: dict[str, float] = {}
    for reading in readings:
        for plate, cost in nearest(reading, registered, limit):
            best[plate] = min(cost, best.get(plate, cost))
    return tuple(sorted(best.items(), key=lambda pair: (pair[1], pair[0]))[:MAX_CANDIDATES])
