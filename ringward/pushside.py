"""The HTTP side of ingest as a part of its role: spool, drainer, streams and the receivers' own server."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ingest.push.pushing import Pushing, SpoolRules
from ingest.push.spool import SpoolLimits
from ingest.streams.cameras import StreamRules
from ringward.foundation import Foundation
from ringward.served import Served

log = structlog.get_logger(__name__)

RETRY_S = 1.0
# A push that is under way at a stop is finished or, where its sender is slow, broken off.
GRACE_S = 5
# A device that pushes every few seconds keeps its connection.
KEEP_ALIVE_S = 30


class PushSide:
    """Starts by itself as soon as it can: what devices publish by MQTT does not wait for it."""

    def __init__(
        self, foundation: Foundation, intake: Intake, metrics: IntakeMetrics, wake: Callable[[], None]
    ) -> None:
        settings = foundation.settings
        limits = SpoolLimits(settings.spool_max_mb * 1024**2, settings.spool_keep_free_mb * 1024**2)
        self._pushing = Pushing(
            SpoolRules(settings.spool_dir, limits, settings.spool_max_age_days),
            foundation.ring,
            foundation.database,
            intake,
            foundation.clock,
            foundation.metrics,
            metrics,
            wake,
            stream_rules=StreamRules(settings.near_networks, settings.stream_most),
        )
        self._served: Served | None = None
        if settings.push_port:
            self._served = Served(
                self._pushing.app,
                settings.push_host,
                settings.push_port,
                timeout_graceful_shutdown=GRACE_S,
                timeout_keep_alive=KEEP_ALIVE_S,
                http="h11",
                ws="none",
                lifespan="off",
            )
        self._opening: asyncio.Task[None] | None = None
        self._open = False

    @property
    def ready(self) -> bool:
        """Whether devices can push; also where no receiver is wanted and the spool is emptied."""
        return self._open and (self._served is None or self._served.listening)

    def start(self) -> None:
        self._opening = asyncio.create_task(self._until_open(), name="push-open")

    async def stop(self) -> None:
        """Nobody may push any more; what was taken waits in the spool."""
        if self._opening is not None:
            self._opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._opening
        if self._served is not None:
            await self._served.stop()
        await asyncio.to_thread(self._pushing.stop)

    async def _until_open(self) -> None:
        while not self._open:
            try:
                await asyncio.to_thread(self._pushing.start)
                if self._served is not None:
                    await self._served.start()
            except (OSError, SQLAlchemyError) as error:
                # A port or a spool that another process still holds, a database that is away.
                log.warning("push.waiting", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
            else:
                self._open = True
                log.info("push.listening", port=0 if self._served is None else self._served.port)
