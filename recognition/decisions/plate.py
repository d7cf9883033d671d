"""Which vehicle was seen, decided from the readings of its frames alone."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from registry.plates import NEAR_LIMIT, is_well_formed, nearest, normalise

MAX_CANDIDATES: Final = 5


class PlateOutcome(StrEnum):
    IDENTIFIED = "identified"
    UNKNOWN = "unknown"
    UNCERTAIN = "uncertain"
    NONE = "none"


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
