"""What is counted of deliveries: kinds and results, never who or where."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class DeliveryMetrics:
    """The numbers of one engine."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.attempts = Counter(
            "ringward_notify_attempts",
            "Tries to bring a letter to somebody, by kind of channel and what came of them.",
            ["kind", "result"],
            registry=registry,
        )
        self.handed_over = Histogram(
            "ringward_notify_handed_over_seconds",
            "From the asking until a channel had the first letter.",
            ["kind"],
            registry=registry,
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
        )
        self.ended = Counter(
            "ringward_notify_ended",
            "Notifications that came to their end, by how.",
            ["state"],
            registry=registry,
        )
        self.held = Counter(
            "ringward_notify_held",
            "Notifications that wait for quiet hours, a cap or a pause to end.",
            ["by"],
            registry=registry,
        )
        self.backlog = Gauge(
            "ringward_notify_backlog", "Notifications that are due at this moment.", registry=registry
        )
        self.oldest = Gauge(
            "ringward_notify_oldest_seconds",
            "For how long the oldest of them has been due.",
            registry=registry,
        )
        self.dead = Gauge(
            "ringward_notify_dead_contacts",
            "Ways to reach somebody that are enabled and do not work any more, by kind.",
            ["kind"],
            registry=registry,
        )
