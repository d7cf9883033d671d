"""Who or what was seen: pure functions over values, so that a decision can be replayed from its record."""

from recognition.decisions.face import (
    Candidate,
    Exclusion,
    FaceDecision,
    FaceOutcome,
    Scope,
    decide_face,
    decide_in,
    seen_from,
)
from recognition.decisions.plate import PlateDecision, PlateOutcome, PlateText, decide_plate
from recognition.decisions.plate_vote import alike

__all__ = [
    "Candidate",
    "Exclusion",
    "FaceDecision",
    "FaceOutcome",
    "PlateDecision",
    "PlateOutcome",
    "PlateText",
    "Scope",
    "alike",
    "decide_face",
    "decide_in",
    "decide_plate",
    "seen_from",
]
