"""The role that brings incidents to people: what follows from a change, what is due, what is to be sent.

Any number of processes may run it: whatever is done is taken by its row first.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter

from alerts import reactions, rounds
from alerts.reactions import Reaction
from alerts.rounds import Round
from alerts.routing.current import REFUSED
from alerts.routing.reaching import FELL
from ringward.delivery import Delivery, Make, engine
from ringward.followups import REACTIONS, ROUNDS
from ringward.foundation import Foundation
from ringward.roles import Role

log = structlog.get_logger(__name__)

LOOK_S: Final = 0.04
"""Between two looks for changes: what is raised is routed within a tenth of a second."""

ROUND_S: Final = 0.5
_AWAY_S: Final = 1.0


class NotifyMetrics:
    """Of nobody: names of our own parts alone."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.failed = Counter(
            "ringward_notify_failed_reactions",
            "What should have followed from a change or a moment and could not, by its name.",
            ["name"],
            registry=registry,
        )
        for of_process in (FELL, REFUSED):
            registry.register(of_process)


class NotifyRole(Role):
    """Reacts to changes, keeps rounds, and brings to people what they are to hear."""

    name = "notify"

    def __init__(
        self,
        foundation: Foundation,
        *,
        follow: Sequence[tuple[str, Reaction]] = REACTIONS,
        kept: Sequence[Round] = ROUNDS,
        make: Make = engine,
    ) -> None:
        self._foundation = foundation
        self._metrics = NotifyMetrics(foundation.metrics)
        self._follow = follow
        self._rounds = kept
        self._tasks: list[asyncio.Task[None]] = []
        self._delivery = Delivery(foundation, make)
        self._has_looked = False
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Something may have changed: looks at once. From any thread; another process's changes it finds."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks = [
            asyncio.create_task(self._react(), name="notify-react"),
            asyncio.create_task(self._keep(), name="notify-rounds"),
        ]
        self._delivery.start()

    async def stop(self) -> None:
        self._loop = None
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._delivery.stop()

    def ready(self) -> bool:
        return self._has_looked and self._delivery.ready()

    async def _react(self) -> None:
        while True:
            try:
                done = await asyncio.to_thread(self._take)
                self._has_looked = True
            except Exception:
                # The database comes back, and what waited is still there.
                log.exception("notify.react_failed")
                done = 0
                await asyncio.sleep(_AWAY_S)
            if done:
                self._delivery.wake()
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), LOOK_S)
                self._changed.clear()

    def _take(self) -> int:
        ground = self._foundation
        if not reactions.waiting(ground.database):
            return 0
        return reactions.react(ground.database, self._follow, ground.clock.now, self._count)

    async def _keep(self) -> None:
        ground = self._foundation
        keeper = rounds.Keeper(ground.database, self._rounds, ground.clock.now, self._count)
        while True:
            await asyncio.sleep(ROUND_S)
            try:
                await asyncio.to_thread(keeper.keep)
            except Exception:
                log.exception("notify.rounds_failed")
                await asyncio.sleep(_AWAY_S)

    def _count(self, name: str) -> None:
        self._metrics.failed.labels(name).inc()
