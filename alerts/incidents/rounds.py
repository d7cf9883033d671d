"""Looking every second whether a timer ran out, and whether something put aside comes back."""

import datetime as dt
from typing import Final

from alerts.incidents import putting_aside, timers
from alerts.rounds import Round

ROUND: Final = Round("incident_timers", dt.timedelta(seconds=1), timers.sweep, version=1)
ASIDE: Final = Round("incident_asides", dt.timedelta(seconds=1), putting_aside.sweep)
