"""What ingest counts; no identity in a label."""

from prometheus_client import CollectorRegistry, Counter, Histogram


class IntakeMetrics:
    """Counted after the commit: a batch that failed comes again and would be counted twice."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.stored = Counter("ringward_ingest_events", "Events committed.", ["live"], registry=registry)
        self.resent = Counter("ringward_ingest_resent", "Events that were there already.", registry=registry)
        self.amended = Counter(
            "ringward_ingest_amended", "Events of which more became known.", registry=registry
        )
        self.suppressed = Counter(
            "ringward_ingest_suppressed",
            "Events that were counted and not stored: their device sent too many.",
            ["type"],
            registry=registry,
        )
        self.refused = Counter("ringward_ingest_refused", "Dead letters.", ["reason"], registry=registry)
        self.batch = Histogram(
            "ringward_ingest_batch_messages",
            "Messages a commit.",
            registry=registry,
            buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
        )
