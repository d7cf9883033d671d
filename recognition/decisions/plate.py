"""Which vehicle was seen, decided from the readings of its passage alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from recognition.decisions.plate_vote import Character, PlateText, Vote, vote
from registry.plates import NEAR_LIMIT, UNREAD, edit_cost, is_well_formed, nearest

__all__ = ["Character", "PlateDecision", "PlateOutcome", "PlateText", "decide_plate"]

MAX_CANDIDATES: Final = 5

LEAST_CERTAIN: Final = 0.8
"""No vehicle is identified by a plate with a less certain character. Of our own single readings of
640 pictures 2 in 100 right ones fall below, and two thirds of the wrong ones (measured).
"""

LEAST_STATED: Final = 0.5
"""The same for a device's scores of its own characters: nobody has measured what they promise."""


class PlateOutcome(StrEnum):
    IDENTIFIED = "identified"
    UNKNOWN = "unknown"
    UNCERTAIN = "uncertain"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class PlateDecision:
    """``text`` is the agreed reading, normalised. ``candidates`` are registered plates
    near it with their edit cost: for a guard's eye, never for a barrier. ``least`` is the
    certainty of its weakest character, 0…1, None where nothing tells.
    """

    outcome: PlateOutcome
    text: str | None
    confidence: float | None
    candidates: tuple[tuple[str, float], ...]
    reasons: tuple[str, ...]
    least: float | None = None


def decide_plate(
    reads: Sequence[PlateText],
    registered: Collection[str],
    *,
    stated: Sequence[PlateText] = (),
    near_limit: float = NEAR_LIMIT,
) -> PlateDecision:
    """Decide one passage from its readings against normalised registered plates.

    ``stated`` is what devices read, ``reads`` what we read. A device's text comes first and is the
    text of the decision; ours is the second opinion then, and where the two disagree on a
    registered plate nothing is identified. More than half of the readings must agree, since some
    are well-formed and wrong. Only an exact match identifies; a near one is uncertain, so it
    neither opens a barrier nor makes a resident a stranger.
    """
    said = vote(stated, registered)
    own = vote(reads, registered)
    first, second = (own, None) if said is None else (said, own)
    if first is None:
        return PlateDecision(PlateOutcome.NONE, None, None, (), ("no_plate",))
    opinion = _opinion(first, second)
    doubts = _doubts(first, second, registered, LEAST_CERTAIN if said is None else LEAST_STATED)
    if not doubts and first.text in registered:
        return _decision(PlateOutcome.IDENTIFIED, first, (), ("registered", *opinion))
    near = {first.text} if first.agreed and "low_confidence" not in doubts else first.readings | first.others
    candidates = _near_any(near | {first.text}, registered, near_limit)
    reasons = [doubt for doubt in doubts if doubt != "second_opinion_differs"]
    if first.agreed and candidates and first.text not in registered:
        reasons.append("near_match")
    if first.agreed and not is_well_formed(first.text):
        reasons.append("malformed")
    if "second_opinion_differs" in doubts and second is not None and second.text in registered:
        candidates = _with(candidates, second.text, edit_cost(first.text, second.text))
    if reasons or doubts:
        return _decision(PlateOutcome.UNCERTAIN, first, candidates, (*reasons, *opinion))
    return _decision(PlateOutcome.UNKNOWN, first, (), ("not_registered", *opinion))


def _opinion(first: Vote, second: Vote | None) -> tuple[str, ...]:
    if second is None:
        return ()
    return ("second_opinion_agrees",) if second.text == first.text else ("second_opinion_differs",)


def _doubts(first: Vote, second: Vote | None, registered: Collection[str], least: float) -> list[str]:
    """Why the text must not be taken as it stands, whichever plates are registered near it."""
    if not first.agreed:
        return ["readings_disagree"]
    agrees = second is not None and second.text == first.text
    doubts = []
    if first.text in registered and first.least is not None and first.least < least and not agrees:
        doubts.append("low_confidence")
    differs = second is not None and not agrees and not _only_unread(second.text, first.text)
    if differs and second is not None and (second.text in registered or first.text in registered):
        doubts.append("second_opinion_differs")
    return doubts


def _only_unread(text: str, other: str) -> bool:
    """Whether a damaged reading says nothing against another: what it did read is the same."""
    return len(text) == len(other) and all(a in (b, UNREAD) for a, b in zip(text, other, strict=True))


def _decision(
    outcome: PlateOutcome, first: Vote, candidates: tuple[tuple[str, float], ...], reasons: tuple[str, ...]
) -> PlateDecision:
    return PlateDecision(outcome, first.text, first.confidence, candidates, reasons, first.least)


def _near_any(
    readings: Collection[str], registered: Collection[str], limit: float
) -> tuple[tuple[str, float], ...]:
    best: dict[str, float] = {}
    for reading in readings:
        for plate, cost in nearest(reading, registered, limit):
            best[plate] = min(cost, best.get(plate, cost))
    return _nearest_first(best)


def _with(
    candidates: tuple[tuple[str, float], ...], plate: str, cost: float
) -> tuple[tuple[str, float], ...]:
    return _nearest_first({plate: cost} | dict(candidates))


def _nearest_first(costs: dict[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(costs.items(), key=lambda pair: (pair[1], pair[0]))[:MAX_CANDIDATES])
