"""What is counted of the rules at work. No identity in a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class DeskMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.signals = Counter(
            "ringward_alerts_signals", "What rules said.", ["rule", "severity"], registry=registry
        )
        self.incidents = Counter(
            "ringward_alerts_incidents", "Incidents raised.", ["rule", "ring", "severity"], registry=registry
        )
        self.latency = Histogram(
            "ringward_alerts_happened_to_raised_seconds",
            "From event time to the incident's commit.",
            ["rule"],
            registry=registry,
            buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120),
        )
        self.faults = Counter(
            "ringward_alerts_rule_faults", "Times a rule failed on something.", ["rule"], registry=registry
        )
        self.failed = Counter(
            "ringward_alerts_failed_turns",
            "Times a compound's time could not pass, or its rules could not be read again.",
            ["compound"],
            registry=registry,
        )
        self.muted = Counter(
            "ringward_alerts_muted", "What rules would have said but for a mute.", ["rule"], registry=registry
        )
        self.odd = Counter(
            "ringward_alerts_odd_observations",
            "Events that contradict the register or the clock: judged as far as they go.",
            ["why"],
            registry=registry,
        )
        self.passed_over = Counter(
            "ringward_alerts_passed_over",
            "Messages that no rule saw: older than any rule looks back, or not to be understood.",
            ["why"],
            registry=registry,
        )
        self.compounds = Gauge(
            "ringward_alerts_compounds", "Compounds whose rules this process evaluates.", registry=registry
        )
        self.behind = Gauge(
            "ringward_alerts_behind_seconds",
            "How far the clock of the compound that is furthest behind lies back: a backlog is being read.",
            registry=registry,
        )
