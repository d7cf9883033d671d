"""What the common area's zones are to a rule: words of the plan, put in groups."""

import datetime as dt
from typing import Final

from alerts.rules.rule import Settings, View

# Where nobody stays without a reason that can be told.
_SENSITIVE: Final = frozenset({"bike_shed", "garage", "garage_entrance", "back_fence"})
# Where by night nobody has anything to do: the children are in bed.
_SENSITIVE_AT_NIGHT: Final = frozenset({"playground"})
FENCES: Final = frozenset({"back_fence", "fence", "perimeter", "wall"})
GARAGES: Final = frozenset({"garage", "garage_entrance"})
LOBBIES: Final = frozenset({"lobby", "lift_lobby", "building"})
"""A building's zone that the plan does not divide further is, to a camera, its lobby."""


def is_sensitive(view: View, zone: str, moment: dt.datetime, settings: Settings) -> bool:
    """Whether staying in a zone is worth a word at that hour. Squares and gardens are there to stay in."""
    kind = view.site.kind_of(zone)
    return kind in _SENSITIVE or (kind in _SENSITIVE_AT_NIGHT and settings.is_night(moment))


def plain(value: float) -> int | float:
    """A number as a sentence shows it: whole where it is whole."""
    return int(value) if float(value).is_integer() else round(value, 1)
