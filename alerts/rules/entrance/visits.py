"""Where a visitor was last seen: inside, or on the way out.

Only what a device or a guard told is known. Of a compound whose gates tell of nobody's leaving
(a button opens them from inside) nothing can be concluded from not having seen somebody leave.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from alerts.rules.coverage import blind
from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import Blind, View
from alerts.rules.site import SiteDevice

PASSAGES: Final = frozenset(
    {"access.granted", "visitor.checked_in", "visitor.checked_out", "plate.recognised"}
)
"""What tells that the holder of a pass went through somewhere."""
DAY: Final = dt.timedelta(hours=24)
"""Who was not seen for a day is not known to be here."""

_NOT_INSIDE: Final = frozenset({"out", None})
# Kinds that tell who went through; a scene camera sees that somebody did.
_TELLS_WHO: Final = frozenset({"door", "turnstile", "face_camera", "plate_camera"})


def of_visit(view: View, subjects: Iterable[str], start: dt.datetime, end: dt.datetime) -> list[Observation]:
    """The passages of a pass and of its plate, in order of time, each once."""
    found: dict[str, Observation] = {}
    for subject in subjects:
        if subject.startswith(("pass:", "plate:")):
            for seen in view.of_subject(subject, start, end):
                if seen.type in PASSAGES:
                    found[seen.id] = seen
    return sorted(found.values(), key=by_time)


def is_leaving(seen: Observation) -> bool:
    """Whether somebody told for certain that they went out of the compound."""
    return seen.type == "visitor.checked_out" or (
        seen.type in PASSAGES and seen.ring == "entrance" and seen.direction == "out"
    )


def last_inside(passages: Iterable[Observation]) -> Observation | None:
    """The last passage, in order of time, if it shows the visitor inside.

    A gate that tells no direction let them in the first time; after that it may have let them
    out, and then they are not known to be here.
    """
    inside: Observation | None = None
    known = False
    for seen in passages:
        if is_leaving(seen):
            inside = None
        elif seen.ring != "entrance" or seen.type == "visitor.checked_in" or seen.direction == "in":
            inside = seen
        else:
            inside = None if known else seen
        known = True
    return inside


def ways_out(view: View) -> list[SiteDevice]:
    """Devices of the gates that tell who leaves."""
    return [
        device
        for device in view.site.in_ring("entrance")
        if device.kind in _TELLS_WHO and device.direction in _NOT_INSIDE
    ]


def is_leaving_told(view: View, until: dt.datetime) -> bool:
    """Whether leaving is told of here at all, by a device or by guards who check visitors out."""
    if not view.site.devices or ways_out(view):
        return True
    return next(iter(view.of_type("visitor.checked_out", until - DAY, until)), None) is not None


def unseen_ways_out(view: View, start: dt.datetime, end: dt.datetime) -> tuple[Blind, ...]:
    """When a way out was off the line: somebody may have left and it tells it later."""
    return tuple(one for one in blind(view, ways_out(view), start, end) if one.why == "offline")
