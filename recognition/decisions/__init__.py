"""Who or what was seen: pure functions over values, so that a decision can be replayed from its record."""

from recognition.decisions.face import Candidate, FaceDecision, FaceOutcome, decide_face
from recognition.decisions.plate import PlateDecision, PlateOutcome, PlateText, decide_plate

__all__ = [
    "Candidate",
    "FaceDecision",
    "FaceOutcome",
    "PlateDecision",
    "PlateOutcome",
    "PlateText",
    "decide_face",
    "decide_plate",
]
