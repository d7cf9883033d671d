"""Rehearsals: what rules would have said of a past, beside what others would have said of it. Pure.

The engine, the rules and the folding into incidents are those of every day; only the past is read
instead of told, and nothing is written down.
"""

from alerts.rehearsal.comparing import Change, Comparison, Kind, compare
from alerts.rehearsal.running import Told, Trial, rehearse

__all__ = ["Change", "Comparison", "Kind", "Told", "Trial", "compare", "rehearse"]
