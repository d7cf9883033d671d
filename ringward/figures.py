"""What recognition processes count, where it is asked for: they have no port, the console has `/metrics`.

Each process says its figures on the bus every few seconds, beside the stream and kept by nobody.
The console shows the last ones of each with the process's name, and forgets a process that is silent.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
import nats
import structlog
from nats.aio.msg import Msg
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from bus.address import BusAddress

log = structlog.get_logger(__name__)

SUBJECT: Final = "figures.recognition"
PREFIX: Final = "ringward_recognition"
PROCESS: Final = "RINGWARD_PROCESS"
"""The variable by which the supervisor names its children."""

EVERY_S: Final = 5.0
GONE_AFTER_S: Final = 30.0


class Figures(msgspec.Struct):
    """Of one process, in Prometheus' text format."""

    process: str
    text: str


def figures_of(registry: CollectorRegistry) -> bytes:
    """What this process says."""
    process = os.environ.get(PROCESS) or socket.gethostname()
    return msgspec.json.encode(Figures(process, generate_latest(_Recognition(registry)).decode()))


class _Recognition(Collector):
    """The part of a registry that is recognition's."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        return (family for family in self._registry.collect() if family.name.startswith(PREFIX))


class OtherProcesses(Collector):
    """The last figures of each process, as families with one more label."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._heard: dict[str, tuple[float, list[Metric]]] = {}

    def take(self, payload: bytes) -> None:
        """What a process said. Raises `ValueError` for what is no figures."""
        figures = msgspec.json.decode(payload, type=Figures)
        families = list(text_string_to_metric_families(figures.text))
        self._heard[figures.process] = self._now(), families

    def describe(self) -> Iterable[Metric]:
        """Nothing is known before somebody speaks."""
        return ()

    def collect(self) -> Iterable[Metric]:
        now = self._now()
        merged: dict[str, Metric] = {}
        for process, (heard_at, families) in sorted(self._heard.items()):
            if now - heard_at > GONE_AFTER_S:
                continue
            for family in families:
                whole = merged.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    labels = {**sample.labels, "process": process}
                    whole.add_sample(sample.name, labels, sample.value, sample.timestamp, sample.exemplar)
        return merged.values()


class Listener:
    """Hears what processes say, from its start to its stop, however often the bus is away."""

    def __init__(self, address: BusAddress, others: OtherProcesses) -> None:
        self._address = address
        self._others = others
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns at once: the console serves also while the bus is away."""
        self._task = asyncio.create_task(self._listen(), name="figures")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        async def heard(message: Msg) -> None:
            try:
                self._others.take(message.data)
            except ValueError as error:
                log.warning("figures.not_understood", error=type(error).__name__)

        client: Any = None
        while client is None:
            try:
                client = await nats.connect(self._address.servers, **self._address.options())
            except Exception as error:  # noqa: BLE001 - figures are worth no more than another try
                log.warning("figures.bus_away", error=type(error).__name__)
                await asyncio.sleep(EVERY_S)
        try:
            await client.subscribe(SUBJECT, cb=heard)
            await asyncio.Event().wait()
        finally:
            await client.close()
