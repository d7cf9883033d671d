"""Retention (L-09): each class of data goes when its time is over, with proof, and without stalling ingest.

`plan` says what would go, `run` lets it go in small batches. What is held (L-21), and what
an open incident stands on, stays.
"""

from privacy.retention.classes import CLASSES, NO_CLASS
from privacy.retention.policy import RetentionPolicy, UnlawfulRetentionError
from privacy.retention.runner import Outcome, Pace, Planned, plan, run

__all__ = [
    "CLASSES",
    "NO_CLASS",
    "Outcome",
    "Pace",
    "Planned",
    "RetentionPolicy",
    "UnlawfulRetentionError",
    "plan",
    "run",
]
