"""Looking every second whether a timer ran out."""

import datetime as dt
from typing import Final

from alerts.incidents import timers
from alerts.rounds import Round

ROUND: Final = Round("incident_timers", dt.timedelta(seconds=1), timers.sweep, version=1)
