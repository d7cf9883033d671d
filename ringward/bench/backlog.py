"""The morning after an outage: a night's events wait at the broker while new ones come in.

Ingest is away while devices say what happened in some hours; the broker keeps it. Then ingest
comes back, and a live device publishes 50 events a second from that moment on. How long its
events wait for their commit while the backlog drains stands beside a calm hour of the same run.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import CollectorRegistry

from devices.directory import DeviceDirectory
from ingest.arrival import Arrival, Settled
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ringward import memory
from ringward.bench.report import Report, percentile, report
from ringward.bench.rig import COMPOUND, PLATE_CAMERA, Rig, rig
from ringward.bench.timed import DEADLINE_S, subscriber, wait_for
from ringward.foundation import CORE_USER
from ringward.settings import Settings

RATE: Final = 50.0
SIZE: Final = 2048
CLIENT: Final = "backlog"


@dataclass(frozen=True, slots=True)
class _Live:
    """Seconds since 1970: when a live event was published, and when it was committed."""

    sent_at: float
    stored_at: float

    @property
    def waited_ms(self) -> float:
        return (self.stored_at - self.sent_at) * 1000


class _WatchedIntake(Intake):
    """Tells live events from the backlog's."""

    def __init__(self, ground: Rig) -> None:
        foundation = ground.foundation
        super().__init__(
            foundation.database,
            foundation.media,
            DeviceDirectory(foundation.database),
            IntakeMetrics(CollectorRegistry()),
            Settings().flood_limit,
        )
        self.live: list[_Live] = []
        self.drained = 0
        self.drained_at = 0.0

    def process(self, arrivals: Sequence[Arrival]) -> list[Settled]:
        settled = super().process(arrivals)
        now = time.time()
        for arrival, one in zip(arrivals, settled, strict=True):
            if PLATE_CAMERA in arrival.topic:
                sent_at = msgspec.json.decode(arrival.payload)["attributes"]["sent_at"]
                self.live.append(_Live(sent_at, now))
            elif one.refused is None:
                self.drained += 1
                self.drained_at = now
        return settled


def run(*, devices: int, events: int, hours: float, live_seconds: int) -> Report:
    """`events` of `devices` devices gather in `hours`; the live device speaks for `live_seconds` twice."""
    memory.settle()
    each = max(1, events // devices)
    events = each * devices
    with rig(more=devices) as ground:
        intake = _WatchedIntake(ground)
        calm = _calm(ground, intake, live_seconds)
        asked = [str(value) for value in (ground.mqtt_port, devices, each, hours)]
        subprocess.run(
            [sys.executable, "-m", "ringward.bench.outage", *asked], check=True, timeout=DEADLINE_S
        )
        drain_s, beside = _drain(ground, intake, events, live_seconds)
    per_s = events / drain_s
    real_per_s = events / (hours * 3600)
    return report(
        "backlog",
        {
            "devices": devices,
            "events": events,
            "hours": hours,
            "live_rate_per_s": RATE,
            "live_size_bytes": SIZE,
        },
        {
            "drained_events_per_s": per_s,
            "drain_s": drain_s,
            "live_events_during_drain": len(beside),
            "calm_publish_to_commit_p50_ms": percentile(calm, 0.5),
            "calm_publish_to_commit_p99_ms": percentile(calm, 0.99),
            "beside_publish_to_commit_p50_ms": percentile(beside, 0.5),
            "beside_publish_to_commit_p99_ms": percentile(beside, 0.99),
        },
        {"real_time_events_per_s": real_per_s},
        {
            "drained_over_real_time": per_s / real_per_s,
            "p99_beside_over_calm": percentile(beside, 0.99) / percentile(calm, 0.99),
        },
    )


def _calm(ground: Rig, intake: _WatchedIntake, seconds: int) -> list[float]:
    receiving = subscriber(ground, intake, CLIENT)
    receiving.start()
    try:
        wait_for(lambda: receiving.connected)
        # The first of all pays for what is done once.
        _live(ground, 1, 0).wait(DEADLINE_S)
        intake.live.clear()
        _live(ground, seconds, 1_000_000).wait(DEADLINE_S)
        return [one.waited_ms for one in intake.live]
    finally:
        receiving.stop()


def _drain(ground: Rig, intake: _WatchedIntake, events: int, seconds: int) -> tuple[float, list[float]]:
    """Seconds until the backlog was stored, and what live events of that time waited, in milliseconds."""
    intake.live.clear()
    receiving = subscriber(ground, intake, CLIENT)
    # It speaks before ingest is there: nothing of the drain passes without a live event.
    live = _live(ground, seconds, 2_000_000)
    _wait_heard(ground)
    began = time.time()
    receiving.start()
    try:
        wait_for(lambda: intake.drained >= events)
        if live.wait(DEADLINE_S) != 0:
            raise RuntimeError("the live device failed")
    finally:
        receiving.stop()
    waits = [one.waited_ms for one in intake.live if began <= one.sent_at <= intake.drained_at]
    return intake.drained_at - began, waits


def _wait_heard(ground: Rig) -> None:
    """Returns when the live device has begun to speak."""
    heard = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="backlog-ear", protocol=mqtt.MQTTv311)
    client.username_pw_set(CORE_USER, ground.foundation.bus.password)

    def listen(connected: mqtt.Client, *_: object) -> None:
        connected.subscribe(f"rw/v1/{COMPOUND}/{PLATE_CAMERA}/up/event", 0)

    client.on_connect = listen
    client.on_message = lambda *_: heard.set()
    client.connect("127.0.0.1", ground.mqtt_port)
    client.loop_start()
    try:
        if not heard.wait(DEADLINE_S):
            raise TimeoutError("the live device says nothing")
    finally:
        client.disconnect()
        client.loop_stop()


def _live(ground: Rig, seconds: int, first: int) -> subprocess.Popen[bytes]:
    """A device that publishes and waits to be told that each event is safe."""
    asked = [str(value) for value in (ground.mqtt_port, round(seconds * RATE), SIZE, first, RATE)]
    return subprocess.Popen([sys.executable, "-m", "ringward.bench.asker", *asked], stdout=subprocess.DEVNULL)
