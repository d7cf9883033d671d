"""Rules that join what other rules say: one thing that goes through the rings is one incident."""

from alerts.rules.across.clustering import Clustering
from alerts.rules.across.escort_gap import EscortGap
from alerts.rules.across.ring_escalation import RingEscalation
from alerts.rules.across.watch_progress import WatchProgress
from alerts.rules.rule import Rule

ACROSS: tuple[type[Rule], ...] = (RingEscalation, Clustering, WatchProgress, EscortGap)
