"""Why an incident was raised, and what would have made it otherwise. Pure.

Nothing of it is canned: every counterfactual was searched for by running the rule on the past as
it was but for one thing, and is told only where the rule itself says so.
"""

from alerts.rehearsal.why.explaining import Explanation, explain
from alerts.rehearsal.why.searching import Excused, Hour, Missing, Moved
from alerts.rehearsal.why.trying import Scene, Target

__all__ = ["Excused", "Explanation", "Hour", "Missing", "Moved", "Scene", "Target", "explain"]
