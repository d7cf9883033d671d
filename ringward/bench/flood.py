"""One mad device beside the others: how long do they wait for their acknowledgement?

A calm device publishes 200 events a second and waits to be told that each is safe; alone, and
while another sends a thousand a second. What that other sends beyond its share is counted,
not stored. What a message waits at the broker, before ingest has it, is told apart: a broker that
cannot write a thousand messages a second to its disk makes everybody wait, whatever ingest does.
"""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from ingest.arrival import Arrival, Settled
from ingest.flood import Limit
from ringward import memory
from ringward.bench.report import Report, percentile, report
from ringward.bench.rig import PLATE_CAMERA, Rig, publisher, rig
from ringward.bench.timed import DEADLINE_S, TimedIntake, subscriber, wait_for
from ringward.settings import Settings

RATE: Final = 200.0
MAD_RATE: Final = 1000.0
SIZE: Final = 2048
_ROOM: Final = 1_000_000


class _WatchedIntake(TimedIntake):
    """Notes how long the calm device's messages were on their way to ingest, and how long in it."""

    def __init__(self, ground: Rig, limit: Limit | None) -> None:
        super().__init__(ground, limit)
        # Milliseconds: publish → received, received → committed.
        self.waits: list[tuple[float, float]] = []

    def process(self, arrivals: Sequence[Arrival]) -> list[Settled]:
        settled = super().process(arrivals)
        for arrival in arrivals:
            if PLATE_CAMERA in arrival.topic:
                sent_at = msgspec.json.decode(arrival.payload)["attributes"]["sent_at"]
                received_at = arrival.received_at.timestamp()
                self.waits.append(((received_at - sent_at) * 1000, (self.last - received_at) * 1000))
        return settled


class _Waits(NamedTuple):
    """Milliseconds of each event: to the acknowledgement, to ingest, in ingest."""

    to_ack: list[float]
    to_ingest: list[float]
    in_ingest: list[float]


def run(*, seconds: int, rounds: int, mad_qos: int) -> Report:
    """Alternates alone and beside the mad device; medians over the rounds."""
    memory.settle()
    limit = Settings().flood_limit
    count = round(seconds * RATE)
    alone: list[_Waits] = []
    beside: list[_Waits] = []
    with rig() as ground:
        intake = _WatchedIntake(ground, limit)
        receiving = subscriber(ground, intake, "flood")
        receiving.start()
        stopping = threading.Event()
        upkeep = threading.Thread(target=_look_in, args=(ground, intake, stopping))
        upkeep.start()
        try:
            wait_for(lambda: receiving.connected)
            # The first of all pays for what is done once.
            _ask(ground, intake, round(RATE), 0)
            for number in range(1, rounds + 1):
                alone.append(_ask(ground, intake, count, 2 * number * _ROOM))
                beside.append(_beside(ground, intake, count, (2 * number + 1) * _ROOM, mad_qos))
        finally:
            receiving.stop()
            stopping.set()
            upkeep.join()
    figures = {
        f"{name}_publish_to_ack_{label}_ms": _median([one.to_ack for one in waits], share)
        for name, waits in (("alone", alone), ("beside_mad_device", beside))
        for share, label in ((0.5, "p50"), (0.99, "p99"))
    }
    figures |= {
        f"{name}_{part}_p99_ms": _median([getattr(one, part) for one in waits], 0.99)
        for name, waits in (("alone", alone), ("beside_mad_device", beside))
        for part in ("to_ingest", "in_ingest")
    }
    return report(
        "flood",
        {
            "seconds": seconds,
            "rounds": rounds,
            "rate_per_s": RATE,
            "mad_rate_per_s": MAD_RATE,
            "mad_qos": mad_qos,
            "size_bytes": SIZE,
        },
        figures,
        {},
        {
            "p99_beside_over_alone": figures["beside_mad_device_publish_to_ack_p99_ms"]
            / figures["alone_publish_to_ack_p99_ms"],
            "in_ingest_p99_beside_over_alone": figures["beside_mad_device_in_ingest_p99_ms"]
            / figures["alone_in_ingest_p99_ms"],
        },
    )


def _median(rounds: list[list[float]], share: float) -> float:
    return statistics.median(percentile(one, share) for one in rounds)


def _beside(ground: Rig, intake: _WatchedIntake, count: int, first: int, mad_qos: int) -> _Waits:
    before = intake.committed
    # Long enough for the calm one, and for its own burst to be used up before.
    mad = publisher(ground.mqtt_port, _ROOM, SIZE, first, MAD_RATE, mad_qos)
    try:
        wait_for(lambda: intake.committed - before > 3 * MAD_RATE)
        return _ask(ground, intake, count, first)
    finally:
        mad.kill()
        mad.wait()


def _ask(ground: Rig, intake: _WatchedIntake, count: int, first: int) -> _Waits:
    intake.waits.clear()
    asked = [str(value) for value in (ground.mqtt_port, count, SIZE, first, RATE)]
    ran = subprocess.run(
        [sys.executable, "-m", "ringward.bench.asker", *asked],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    if ran.returncode != 0:
        raise RuntimeError(f"the calm device failed: {ran.stderr[-500:]}")
    to_ingest, in_ingest = zip(*intake.waits, strict=True)
    return _Waits(json.loads(ran.stdout), list(to_ingest), list(in_ingest))


def _look_in(ground: Rig, intake: TimedIntake, stopping: threading.Event) -> None:
    """As the ingest role does it: floods are told while they go on."""
    while not stopping.is_set():
        time.sleep(1)
        intake.close_floods(ground.foundation.clock.now())
