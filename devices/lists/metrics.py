"""What the keeping of lists counts; no identity in a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class ListMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.pushed = Counter(
            "ringward_devices_list_people_pushed",
            "People sent to terminals, or ordered out.",
            ["kind"],
            registry=registry,
        )
        self.uncertain = Counter(
            "ringward_devices_list_pushes_uncertain", "Batches without an answer.", registry=registry
        )
        self.failing = Gauge(
            "ringward_devices_list_people_failing", "Entries that terminals refuse.", registry=registry
        )
        self.waiting = Gauge(
            "ringward_devices_list_orders_open",
            "Orders to forget that no terminal has confirmed.",
            registry=registry,
        )
