"""Who was seen, decided from values alone.

Three answers leave no gap: somebody (a person, or at least one household), nobody we
know, or uncertain. Uncertain is an ordinary answer; guessing is not. Nothing here
knows a clock, a database or a picture, so a decision can be replayed from its record.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from recognition.calibration.thresholds import FaceThresholds


class FaceOutcome(StrEnum):
    IDENTIFIED = "identified"
    HOUSEHOLD = "household"
    UNKNOWN = "unknown"
    UNCERTAIN = "uncertain"


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
