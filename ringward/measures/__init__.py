"""What an operator of the system has to know and no role sees by itself: how old what waits is, how full
places are, how far clocks and copies lie back.

The keeper measures, every 15 seconds or more seldom, and shows what it found last in its process's
`/metrics`. What a role does it counts itself, where it does it; `catalogue` lists both.
"""

from ringward.measures.board import Board
from ringward.measures.definitions import MEASURES, Measure, Sample
from ringward.measures.measuring import Measuring

__all__ = ["MEASURES", "Board", "Measure", "Measuring", "Sample"]
