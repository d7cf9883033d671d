"""Which number an operator calls: 119 fire, 110 police, 120 ambulance. Pure; nothing here ever dials.

Source: domain §4.5. The card shows the number; that it was called is written down by whoever called.
"""

from collections.abc import Mapping
from typing import Final

from alerts.dispatch.ranking import violent

NUMBERS: Final = ("110", "119", "120")

_BY_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    "fire.suspected": ("119",),
    "reported.fire": ("119",),
    "person.needs_help": ("120", "110"),
    "reported.medical": ("120",),
    "reported.fall": ("120",),
    "reported.lift_trap": ("119",),
    "ebike.in_lift": ("119",),
    "door.forced": ("110",),
    "watchlist.hit": ("110",),
    "watchlist.progress": ("110",),
    "path.escalation": ("110",),
    "object.thrown": ("110", "120"),
    "door.restricted": ("119", "110"),
    "care.silent": ("120",),
    "reported.lost_person": ("110",),
}


def numbers(kind: str) -> tuple[str, ...]:
    """The numbers for a kind, the first the likeliest; none where nobody outside is needed."""
    return ("110", "120") if violent(kind) else _BY_KIND.get(kind, ())
