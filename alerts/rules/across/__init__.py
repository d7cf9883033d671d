"""Rules that join what other rules say: one thing that goes through the rings is one incident."""

from alerts.rules.across.escort_gap import EscortGap
from alerts.rules.rule import Rule

ACROSS: tuple[type[Rule], ...] = (EscortGap,)
