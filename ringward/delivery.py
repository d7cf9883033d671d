"""The engine of notifications in a process: begun, kept going, ended cleanly."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from alerts.notify.engine import Engine
from alerts.notify.holding import Cap, Limits
from alerts.notify.metrics import DeliveryMetrics
from ringward import channels, holders, letterwords
from ringward.foundation import Foundation
from ringward.settings import Settings

log = structlog.get_logger(__name__)

LOOK_S: Final = 0.05
"""Between two looks for what is due."""

MEASURE_S: Final = 5.0
_AWAY_S: Final = 1.0

Make = Callable[[Foundation, DeliveryMetrics], Engine]


def limits(settings: Settings) -> Limits:
    """What keeps letters a while, by the settings."""
    return Limits(
        caps={
            3: Cap(settings.notify_cap_warnings, 600.0),
            4: Cap(settings.notify_cap_notices, 3600.0),
        },
        cool_s=float(settings.notify_cool_s),
    )


def engine(foundation: Foundation, metrics: DeliveryMetrics) -> Engine:
    """An engine with every channel that there is, under a name that no other has."""
    return Engine(
        foundation.database,
        foundation.clock,
        channels.build(foundation),
        letterwords.words(foundation),
        holders.own_name(),
        metrics,
        limits(foundation.settings),
        is_gone=holders.is_gone,
    )


class Delivery:
    """Runs an engine until it is stopped. Whatever fails is tried again: nothing waits for a person."""

    def __init__(self, foundation: Foundation, make: Make = engine) -> None:
        self._foundation = foundation
        self._metrics = DeliveryMetrics(foundation.metrics)
        self._make = make
        self._engine: Engine | None = None
        self._task: asyncio.Task[None] | None = None
        self._has_looked = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="notify-deliver")

    async def stop(self) -> None:
        """What is under way is settled; what does not answer in time is left uncertain."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._engine is not None:
            try:
                await self._engine.stop()
            except Exception:
                # It is in the log as under way: whoever comes next finds it lost and asks once more.
                log.exception("notify.stop_failed")

    def ready(self) -> bool:
        return self._has_looked

    def wake(self) -> None:
        """Something has been asked for."""
        if self._engine is not None:
            self._engine.wake()

    async def _run(self) -> None:
        measured = 0.0
        while True:
            try:
                if self._engine is None:
                    self._engine = self._make(self._foundation, self._metrics)
                settled = await self._engine.settle()
                begun = await self._engine.begin()
                self._has_looked = True
                if time.monotonic() - measured >= MEASURE_S:
                    await asyncio.to_thread(self._engine.measure)
                    measured = time.monotonic()
            except Exception:
                # The database comes back, and what waited is still there.
                log.exception("notify.deliver_failed")
                await asyncio.sleep(_AWAY_S)
                continue
            if not begun and not settled:
                await self._engine.wait(LOOK_S)
