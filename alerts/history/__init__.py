"""Looking back at incidents: which ones are meant, how many of which sort there are.

`spans` and `facets` are pure; `asking` puts the question to the database.
"""

from alerts.history.asking import Sift, counted, incidents_of, last_shift
from alerts.history.facets import FACETS, Group, Outcome, outcome_of, tally
from alerts.history.spans import Quick, span_of

__all__ = [
    "FACETS",
    "Group",
    "Outcome",
    "Quick",
    "Sift",
    "counted",
    "incidents_of",
    "last_shift",
    "outcome_of",
    "span_of",
    "tally",
]
