"""Ingest as a benchmark needs it: the real one, with a stop-watch at its commits."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry

from bus.login import BrokerLogin
from devices.directory import DeviceDirectory
from ingest.arrival import Arrival, Settled
from ingest.flood import Limit
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ingest.mqtt.subscriber import Subscriber, SubscriberMetrics
from ringward.bench.rig import Rig
from ringward.foundation import CORE_USER

DEADLINE_S: Final = 300.0


class TimedIntake(Intake):
    """Notes when the first message came, when each commit ended, and how old its events were."""

    def __init__(self, ground: Rig, limit: Limit | None = None) -> None:
        foundation = ground.foundation
        super().__init__(
            foundation.database,
            foundation.media,
            DeviceDirectory(foundation.database),
            IntakeMetrics(CollectorRegistry()),
            limit,
        )
        self.first: float | None = None
        self.last = 0.0
        self.committed = 0
        self.latencies_ms: list[float] = []

    def process(self, arrivals: Sequence[Arrival]) -> list[Settled]:
        if self.first is None:
            self.first = arrivals[0].received_at.timestamp()
        settled = super().process(arrivals)
        self.last = time.time()
        self.committed += sum(one.refused is None for one in settled)
        if len(arrivals) < 50:
            # Flat out, age says only how long the backlog was.
            self.latencies_ms += [
                (self.last - msgspec.json.decode(arrival.payload)["attributes"]["sent_at"]) * 1000
                for arrival in arrivals
            ]
        return settled


def subscriber(ground: Rig, intake: Intake, client_id: str) -> Subscriber:
    """Ingest's own receiver on the rig's broker."""
    foundation = ground.foundation
    login = BrokerLogin("127.0.0.1", ground.mqtt_port, CORE_USER, foundation.bus.password, client_id)
    metrics = SubscriberMetrics(CollectorRegistry())
    return Subscriber(login, intake, foundation.clock, metrics, lambda: None)


def wait_for(condition: Callable[[], bool]) -> None:
    """Raises `TimeoutError` after five minutes."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the events did not arrive in time")
        time.sleep(0.05)
