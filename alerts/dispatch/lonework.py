"""How long somebody may be alone on the spot before they are asked whether all is well. Pure.

The figures are our own choice: five minutes where somebody may be in danger, twenty where a lamp is out. Too
short: people walk with a telephone in their hand. Too long: nobody knows that somebody lies there.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Final

EVERY: Final[Mapping[int, dt.timedelta]] = {
    1: dt.timedelta(minutes=5),
    2: dt.timedelta(minutes=10),
    3: dt.timedelta(minutes=20),
    4: dt.timedelta(minutes=20),
}

ANSWER: Final = dt.timedelta(minutes=2)
"""No answer for so long is a call for help."""


def first(severity: int, at: dt.datetime) -> dt.datetime:
    """When they are asked next, who said something at `at`."""
    return at + EVERY.get(severity, EVERY[4])
