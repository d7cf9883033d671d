"""Everything between HTTP and the intake: receiver, streams, spool, drainer, and their upkeep."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ingest.push.drain import Drainer, SpoolMetrics
from ingest.push.pushers import Pushers
from ingest.push.receiver import PushMetrics, Receiver
from ingest.push.spool import Spool, SpoolLimits
from ingest.push.turnedaway import TurnedAway
from ingest.streams.cameras import StreamRules, Streams
from storage import Clock, Database, KeyRing

log = structlog.get_logger(__name__)

# How long a new device or a changed secret may wait until it counts.
REFRESH_S: Final = 2.0
SWEEP_S: Final = 3600.0
_NEAR: Final = StreamRules()


@dataclass(frozen=True, slots=True)
class SpoolRules:
    """Where the spool lies, what it may take, and after how many days a message is too old."""

    folder: Path
    limits: SpoolLimits
    max_age_days: int


class Pushing:
    """`app` is to be served while this is started."""

    def __init__(
        self,
        rules: SpoolRules,
        ring: KeyRing,
        database: Database,
        intake: Intake,
        clock: Clock,
        registry: CollectorRegistry,
        intake_metrics: IntakeMetrics,
        on_commit: Callable[[], None],
        *,
        stream_rules: StreamRules = _NEAR,
    ) -> None:
        self._rules = rules
        self._spool = Spool(rules.folder, ring, clock, rules.limits)
        self._pushers = Pushers(database, clock)
        self._turned_away = TurnedAway(database, clock, intake_metrics)
        self._receiver = Receiver(self._pushers, self._spool, self._turned_away, PushMetrics(registry))
        self._drainer = Drainer(
            self._spool,
            intake,
            database,
            clock,
            SpoolMetrics(registry, self._spool),
            on_commit,
            max_age_days=rules.max_age_days,
        )
        self._streams = Streams(stream_rules, self._spool, database, clock, self._turned_away, registry)
        self._started = False
        self._stopping = threading.Event()
        self._upkeep = threading.Thread(target=self._keep_up, name="push-upkeep", daemon=True)

    @property
    def app(self) -> ASGIApp:
        return self._receiver.app

    @property
    def streams(self) -> Streams:
        return self._streams

    def start(self) -> None:
        """Opens the spool and begins to empty it; a second call does nothing.

        Raises `OSError` (`ingest.push.spool.SpoolBusyError` among them) and what the database raises;
        it may then be called again.
        """
        if self._started:
            return
        # Without the registry nobody could sign in.
        self._pushers.refresh()
        strange = self._spool.open()
        self._drainer.start(strange)
        self._streams.start()
        self._upkeep.start()
        self._started = True

    def stop(self) -> None:
        """Finishes what is under way; nobody may push any more. The rest stays in the spool."""
        self._stopping.set()
        self._receiver.close()
        self._streams.stop()
        if self._started:
            self._drainer.stop()
            self._upkeep.join(10)
            self._spool.close()

    def _keep_up(self) -> None:
        swept = float("-inf")
        while not self._stopping.is_set():
            try:
                self._pushers.refresh()
                self._turned_away.write()
                if time.monotonic() - swept > SWEEP_S:
                    swept = time.monotonic()
                    self._spool.sweep_aside(self._rules.max_age_days)
            except (OSError, SQLAlchemyError) as error:
                # What was read before goes on to hold, and pushes are taken in.
                log.warning("push.upkeep_failed", error=type(error).__name__)
            self._stopping.wait(REFRESH_S)
        with contextlib.suppress(SQLAlchemyError):
            self._turned_away.write()
