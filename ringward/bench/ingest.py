"""Durable events a second, beside the raw paho manual-ack ceiling of the same run.

Both drain the same backlog from the same broker, through a persistent session, so that
the publisher's own speed plays no part. The ceiling receives and acknowledges; ingest
decodes, commits event and outbox to disk, and acknowledges then.
"""

import statistics
import threading
import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ringward import memory
from ringward.bench.report import Report, percentile, report
from ringward.bench.rig import Rig, publisher, rig
from ringward.bench.timed import TimedIntake, subscriber, wait_for
from ringward.foundation import CORE_USER

DEADLINE_S = 300.0
LATENCY_EVENTS = 1000
LATENCY_RATE = 200.0


def run(*, events: int, rounds: int, size: int) -> Report:
    """Alternates ceiling and ingest `rounds` times; medians over the rounds."""
    raw: list[float] = []
    durable: list[float] = []
    # As the core process does.
    memory.settle()
    with rig() as ground:
        first = 0
        for _ in range(rounds):
            raw.append(_drain_raw(ground, events, size, first))
            first += events
            durable.append(_drain_ingest(ground, events, size, first))
            first += events
        latencies = _latencies(ground, size, first)
    ratios = [ours / theirs for ours, theirs in zip(durable, raw, strict=True)]
    return report(
        "ingest",
        {"events": events, "rounds": rounds, "size_bytes": size, "latency_rate_per_s": LATENCY_RATE},
        {
            "durable_events_per_s": statistics.median(durable),
            "publish_to_commit_p50_ms": percentile(latencies, 0.5),
            "publish_to_commit_p99_ms": percentile(latencies, 0.99),
        },
        {"raw_paho_manual_ack_per_s": statistics.median(raw)},
        {"durable_over_raw": statistics.median(ratios)},
    )


def _backlog(ground: Rig, client_id: str, events: int, size: int, first: int) -> None:
    """Makes the persistent session, leaves, and lets the broker queue events for it."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, protocol=mqtt.MQTTv311
    )
    client.username_pw_set(CORE_USER, ground.foundation.bus.password)
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", ground.mqtt_port)
    client.loop_start()
    client.subscribe("rw/v1/+/+/up/#", qos=1)
    if not subscribed.wait(30):
        raise TimeoutError("the broker did not grant the subscription")
    client.disconnect()
    client.loop_stop()
    if publisher(ground.mqtt_port, events, size, first).wait(DEADLINE_S) != 0:
        raise RuntimeError("the publisher failed")


def _drain_raw(ground: Rig, events: int, size: int, first: int) -> float:
    client_id = f"raw-{first}"
    _backlog(ground, client_id, events, size, first)
    done = threading.Event()
    times: list[float] = []
    seen = 0

    def on_message(client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        nonlocal seen
        if not seen:
            times.append(time.monotonic())
        seen += 1
        client.ack(message.mid, message.qos)
        if seen == events:
            times.append(time.monotonic())
            done.set()

    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=False,
        protocol=mqtt.MQTTv311,
        manual_ack=True,
    )
    client.username_pw_set(CORE_USER, ground.foundation.bus.password)
    client.on_message = on_message
    client.connect("127.0.0.1", ground.mqtt_port)
    client.loop_start()
    try:
        if not done.wait(DEADLINE_S):
            raise TimeoutError(f"{seen} of {events} events came")
    finally:
        _forget(client)
    return events / (times[1] - times[0])


def _drain_ingest(ground: Rig, events: int, size: int, first: int) -> float:
    client_id = f"ingest-{first}"
    _backlog(ground, client_id, events, size, first)
    intake = TimedIntake(ground)
    receiving = subscriber(ground, intake, client_id)
    receiving.start()
    try:
        wait_for(lambda: intake.committed >= events)
    finally:
        # Stopping waits for the acknowledgements; the clock was read before.
        receiving.stop()
    return events / (intake.last - (intake.first or intake.last))


def _latencies(ground: Rig, size: int, first: int) -> list[float]:
    """Milliseconds from the device's clock at publish to the commit, at a calm rate."""
    intake = TimedIntake(ground)
    receiving = subscriber(ground, intake, f"calm-{first}")
    receiving.start()
    try:
        wait_for(lambda: receiving.connected)
        publisher(ground.mqtt_port, LATENCY_EVENTS, size, first, LATENCY_RATE).wait(DEADLINE_S)
        wait_for(lambda: intake.committed >= LATENCY_EVENTS)
    finally:
        receiving.stop()
    return intake.latencies_ms


def _forget(client: mqtt.Client) -> None:
    """Leaves the broker for good: a kept session would be served for ever."""
    client.disconnect()
    client.loop_stop()
