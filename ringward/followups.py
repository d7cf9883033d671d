"""What follows from a change of an incident, and what comes back with time: the two lists, in their order."""

from collections.abc import Sequence
from typing import Final

from alerts.reactions import Reaction
from alerts.rounds import Round

REACTIONS: Final[Sequence[tuple[str, Reaction]]] = ()
"""In the order in which they follow a change."""

ROUNDS: Final[Sequence[Round]] = ()
