"""Figures of recognition processes in the console's `/metrics`."""

import asyncio

import nats
import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest

from bus.messages import Sighting
from recognition.work.metrics import RecognitionMetrics
from ringward import figures
from ringward.figures import GONE_AFTER_S, Listener, OtherProcesses, figures_of
from tests.support.brokers import NatsServer
from tests.support.clock import NOON


def said(monkeypatch: pytest.MonkeyPatch, process: str, decisions: int) -> bytes:
    registry = CollectorRegistry()
    Counter("ringward_elsewhere", "Not recognition's.", registry=registry).inc()
    metrics = RecognitionMetrics(registry)
    sighting = Sighting(
        "s", "e", "honghua", "cam-1", "face", "unknown", ring="common", zone="z", at=NOON, received_at=NOON
    )
    metrics.looked("face", 0.03, [sighting] * decisions)
    monkeypatch.setenv(figures.PROCESS, process)
    return figures_of(registry)


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


def test_each_process_stands_under_its_name_and_the_silent_one_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, registry = Clock(), CollectorRegistry()
    others = OtherProcesses(clock)
    registry.register(others)
    others.take(said(monkeypatch, "recognition-1", 1))
    others.take(said(monkeypatch, "recognition-2", 2))
    clock.at = GONE_AFTER_S
    others.take(said(monkeypatch, "recognition-2", 5))

    def decisions(process: str) -> float | None:
        labels = {"kind": "face", "outcome": "unknown", "process": process}
        return registry.get_sample_value("ringward_recognition_decisions_total", labels)

    assert (decisions("recognition-1"), decisions("recognition-2")) == (1, 5)
    text = generate_latest(registry).decode()
    assert text.count("# TYPE ringward_recognition_decisions_total counter") == 1
    assert (
        'ringward_recognition_look_seconds_bucket{kind="face",le="0.05",process="recognition-1"} 1.0' in text
    )
    assert "ringward_elsewhere" not in text
    clock.at += 1
    assert (decisions("recognition-1"), decisions("recognition-2")) == (None, 5)


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"process": "x", "text": "a{ b"}'])
def test_what_is_no_figures_is_refused_and_changes_nothing(payload: bytes) -> None:
    others = OtherProcesses()
    with pytest.raises(ValueError):
        others.take(payload)
    assert list(others.collect()) == []


async def test_console_hears_a_process_on_the_bus(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = OtherProcesses()
    listener = Listener(nats_server.bus, others)
    await listener.start()
    client = await nats.connect(nats_server.bus.url, **nats_server.bus.options())
    payload = said(monkeypatch, "recognition-1", 1)

    async with asyncio.timeout(20):
        # Whoever does not listen yet hears nothing: it is said again, as processes do.
        while not list(others.collect()):
            await client.publish(figures.SUBJECT, b"not figures")
            await client.publish(figures.SUBJECT, payload)
            await client.flush()
    labels = {"kind": "face", "outcome": "unknown", "process": "recognition-1"}
    registry = CollectorRegistry()
    registry.register(others)
    assert registry.get_sample_value("ringward_recognition_decisions_total", labels) == 1
    await client.close()
    await listener.stop()
