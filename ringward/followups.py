"""What follows from a change of an incident, and what comes back with time: the two lists, in their order."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from alerts.dispatch import positions, waiting
from alerts.dispatch import reaction as dispatching
from alerts.drills import playing
from alerts.duty import rounds as duty
from alerts.escalation import reaction as escalating
from alerts.handover import rounds as handover
from alerts.incidents import rounds as timing
from alerts.intake import reaction as intake
from alerts.intake import upkeep
from alerts.reactions import Reaction
from alerts.review import reaction as review
from alerts.review import rounds as measures
from alerts.rounds import Round
from alerts.routing import reaction as routing
from alerts.routing import rounds
from alerts.routing.telling import ROUND
from console.desk import hands
from ringward import patrolside

REACTIONS: Final[Sequence[tuple[str, Reaction]]] = (
    # First: whoever is told is told before anything else is begun.
    ("routing", routing.follow),
    ("dispatch", dispatching.follow),
    ("escalation", escalating.follow),
    ("intake", intake.follow),
    ("review", review.follow),
)
"""In the order in which they follow a change."""

ROUNDS: Final[Sequence[Round]] = (
    timing.ROUND,
    timing.ASIDE,
    Round("desk_hands", dt.timedelta(minutes=1), hands.forget),
    *waiting.ROUNDS,
    positions.ROUND,
    Round(ROUND, dt.timedelta(seconds=0.5), rounds.groups),
    Round("groups_swept", dt.timedelta(hours=1), rounds.sweep),
    upkeep.ROUND,
    playing.ROUND,
    patrolside.ROUND,
    *duty.ROUNDS,
    handover.ROUND,
    *measures.ROUNDS,
)
