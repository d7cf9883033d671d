"""One mad device beside the others: how long do they wait for their acknowledgement?

A calm device publishes 200 events a second and waits to be told that each is safe; alone, and
while another sends a thousand a second. What that other sends beyond its share is counted,
not stored.
"""

import json
import statistics
import subprocess
import sys
import threading
import time
from typing import Final

from ringward import memory
from ringward.bench.report import Report, percentile, report
from ringward.bench.rig import Rig, publisher, rig
from ringward.bench.timed import DEADLINE_S, TimedIntake, subscriber, wait_for
from ringward.settings import Settings

RATE: Final = 200.0
MAD_RATE: Final = 1000.0
SIZE: Final = 2048
_ROOM: Final = 1_000_000


def run(*, seconds: int, rounds: int) -> Report:
    """Alternates alone and beside the mad device; medians over the rounds."""
    memory.settle()
    limit = Settings().flood_limit
    count = round(seconds * RATE)
    alone: list[list[float]] = []
    beside: list[list[float]] = []
    with rig() as ground:
        intake = TimedIntake(ground, limit)
        receiving = subscriber(ground, intake, "flood")
        receiving.start()
        stopping = threading.Event()
        upkeep = threading.Thread(target=_look_in, args=(ground, intake, stopping))
        upkeep.start()
        try:
            wait_for(lambda: receiving.connected)
            # The first of all pays for what is done once.
            _ask(ground, round(RATE), 0)
            for number in range(1, rounds + 1):
                alone.append(_ask(ground, count, 2 * number * _ROOM))
                beside.append(_beside(ground, intake, count, (2 * number + 1) * _ROOM))
        finally:
            receiving.stop()
            stopping.set()
            upkeep.join()
    figures: dict[str, float] = {}
    for name, waits in (("alone", alone), ("beside_mad_device", beside)):
        for share, label in ((0.5, "p50"), (0.99, "p99")):
            figures[f"{name}_publish_to_ack_{label}_ms"] = statistics.median(
                percentile(one, share) for one in waits
            )
    return report(
        "flood",
        {
            "seconds": seconds,
            "rounds": rounds,
            "rate_per_s": RATE,
            "mad_rate_per_s": MAD_RATE,
            "size_bytes": SIZE,
        },
        figures,
        {},
        {
            "p99_beside_over_alone": figures["beside_mad_device_publish_to_ack_p99_ms"]
            / figures["alone_publish_to_ack_p99_ms"]
        },
    )


def _beside(ground: Rig, intake: TimedIntake, count: int, first: int) -> list[float]:
    before = intake.committed
    # Long enough for the calm one, and for its own burst to be used up before.
    mad = publisher(ground.mqtt_port, _ROOM, SIZE, first, MAD_RATE)
    try:
        wait_for(lambda: intake.committed - before > 3 * MAD_RATE)
        return _ask(ground, count, first)
    finally:
        mad.kill()
        mad.wait()


def _ask(ground: Rig, count: int, first: int) -> list[float]:
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
    waited: list[float] = json.loads(ran.stdout)
    return waited


def _look_in(ground: Rig, intake: TimedIntake, stopping: threading.Event) -> None:
    """As the ingest role does it: floods are told while they go on."""
    while not stopping.is_set():
        time.sleep(1)
        intake.close_floods(ground.foundation.clock.now())
