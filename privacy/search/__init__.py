"""Searching the past for a plate, a person, a pass or a place, within what is kept by rule.

`criteria` is pure; `finding` asks the database, `way` puts together how a subject went through the rings.
Why somebody asks, and that it is written down before it is answered, is the caller's to see to.
"""

from privacy.search.criteria import PLACE_LONGEST, WIDE, Before, Refusal, Sort, Sought, refused
from privacy.search.finding import Found, Hit, find
from privacy.search.readings import Readings, readings_of
from privacy.search.way import Stretch, Way, way_of

__all__ = [
    "PLACE_LONGEST",
    "WIDE",
    "Before",
    "Found",
    "Hit",
    "Readings",
    "Refusal",
    "Sort",
    "Sought",
    "Stretch",
    "Way",
    "find",
    "readings_of",
    "refused",
    "way_of",
]
