"""What comes back with time: measures that are late, said to whoever answers for them."""

import datetime as dt
from typing import Final

from alerts.review import measures
from alerts.rounds import Round

ROUND: Final = Round("measures", dt.timedelta(minutes=10), measures.remind)
