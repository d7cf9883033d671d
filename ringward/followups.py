"""What follows from a change of an incident, and what comes back with time: the two lists, in their order."""

from collections.abc import Sequence
from typing import Final

from alerts.intake import reaction as intake
from alerts.intake import upkeep
from alerts.reactions import Reaction
from alerts.rounds import Round

REACTIONS: Final[Sequence[tuple[str, Reaction]]] = (("intake", intake.follow),)
"""In the order in which they follow a change."""

ROUNDS: Final[Sequence[Round]] = (upkeep.ROUND,)
