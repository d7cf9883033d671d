"""What of duty comes back with time."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from alerts.duty import checkins, gaps, planning, swapping, told
from alerts.rounds import Round

ROUNDS: Final[Sequence[Round]] = (
    Round("rosters", dt.timedelta(minutes=5), planning.keep),
    Round("duty_limits", dt.timedelta(seconds=30), checkins.keep),
    Round("shift_notices", dt.timedelta(seconds=30), told.keep),
    Round("swaps", dt.timedelta(minutes=1), swapping.expire),
    Round("roster_gaps", dt.timedelta(minutes=5), gaps.keep),
)
