"""When something was pressed on a phone that had no network, and came in later.

What follows from a press (letters, timers, who is asked next) begins when we hear of it. The dispatch's own
times are those of the presses: who was there at 21:03 was there at 21:03, whenever their phone found a mast.
"""

import datetime as dt
from typing import Final

from alerts.dispatch.models import Dispatch
from registry.errors import RefusedError

OLDEST: Final = dt.timedelta(hours=12)
"""How long a press may have waited: a shift. What is older is nobody's answer any more."""

LATE: Final = dt.timedelta(seconds=30)
"""From when on a press counts as one that waited; before, it is a slow network."""

# The times of a dispatch in the order in which they come about.
_ORDER: Final = ("offered_at", "answered_at", "set_out_at", "arrived_at", "resolved_at")


def moment(
    pressed_at: dt.datetime | None, sent_at: dt.datetime | None, received_at: dt.datetime
) -> dt.datetime:
    """When it was pressed, by our clock: as long before it came as the phone says that it was before sending.

    A phone whose clock is wrong is right about how long it waited. Never later than it came.
    Raises `RefusedError("press_too_old")`.
    """
    if pressed_at is None:
        return received_at
    waited = (sent_at or received_at) - pressed_at
    at = min(received_at, received_at - waited)
    if at < received_at - OLDEST:
        raise RefusedError("press_too_old")
    return at


def date(dispatch: Dispatch, received_at: dt.datetime, pressed_at: dt.datetime) -> None:
    """Gives what the dispatch has just taken in the time of its press, never before what came before it."""
    if pressed_at >= received_at:
        return
    earliest = None
    for name in _ORDER:
        known: dt.datetime | None = getattr(dispatch, name)
        if known is None:
            continue
        if known == received_at and earliest is not None:
            known = max(pressed_at, earliest)
            setattr(dispatch, name, known)
        earliest = known if earliest is None else max(earliest, known)
    if dispatch.help_at == received_at:
        dispatch.help_at = max(pressed_at, dispatch.offered_at)
