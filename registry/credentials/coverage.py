"""L-03 as arithmetic: at every moment from now on somebody has something besides a face that opens."""

import datetime as dt
from collections.abc import Iterable

Validity = tuple[dt.datetime | None, dt.datetime | None]


def covered(validities: Iterable[Validity], at: dt.datetime) -> bool:
    """Whether every moment from `at` on lies in one of the periods.

    A period is from its start up to its end, which no longer belongs to it; None is
    "since ever" and "for good". So at least one has to have no end.
    """
    reached = at
    for starts_at, ends_at in sorted(validities, key=lambda v: (v[0] is not None, v[0] or at)):
        if starts_at is not None and starts_at > reached:
            return False
        if ends_at is None:
            return True
        reached = max(reached, ends_at)
    return False
