"""What was pushed is taken in, in the order in which it came; a file goes after its commit.

A failure is taken for one that passes: the message stays, and its turn comes again. Whether
it is the message's own fault shows only when another one goes through meanwhile; a message
that fails again and again beside others that do not is set aside, so that it blocks nobody.
A long outage sets nothing aside. Age does.
"""

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from bus import deadletters
from ingest.arrival import Arrival
from ingest.intake import Intake
from ingest.push.spool import Spool, SpoolFileError
from ingest.timing import LIVE_WINDOW
from storage import Clock, Database

log = structlog.get_logger(__name__)

# Smaller than the broker's batches: those wait for the intake meanwhile.
BATCH_MESSAGES: Final = 50
BATCH_BYTES: Final = 4 * 1024 * 1024
RETRY_S: Final = 1.0
IDLE_S: Final = 5.0
# Failures in a row of the oldest message until others are tried before it, and how often it
# then has to fail beside one that goes through.
PATIENCE: Final = 3
STRIKES: Final = 3
PROBED: Final = 1000

Waiting = tuple[int, Arrival]


class SpoolMetrics:
    def __init__(self, registry: CollectorRegistry, spool: Spool) -> None:
        self.failures = Counter(
            "ringward_ingest_spool_failures", "Pushed messages not taken in at first.", registry=registry
        )
        Gauge("ringward_ingest_spool_messages", "Pushed, not committed.", registry=registry).set_function(
            lambda: spool.state().messages
        )
        Gauge("ringward_ingest_spool_bytes", "Pushed, not committed.", registry=registry).set_function(
            lambda: spool.state().size
        )
        Gauge(
            "ringward_ingest_spool_oldest_seconds", "Age of the oldest pushed message.", registry=registry
        ).set_function(lambda: spool.state().oldest_s)
        Gauge(
            "ringward_ingest_spool_aside", "Files set aside, not yet deleted.", registry=registry
        ).set_function(lambda: spool.state().aside)


class Drainer:
    """One thread that empties an open spool into the intake."""

    def __init__(
        self,
        spool: Spool,
        intake: Intake,
        database: Database,
        clock: Clock,
        metrics: SpoolMetrics,
        on_commit: Callable[[], None],
        *,
        max_age_days: int,
    ) -> None:
        self._spool = spool
        self._intake = intake
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._on_commit = on_commit
        self._max_age = dt.timedelta(days=max_age_days)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-drainer", daemon=True)
        # Dead letters of files that were set aside; written when the database takes them.
        self._owed: list[dict[str, Any]] = []
        # The oldest message while it fails: how often in a row, and how often beside one that did not.
        self._failing: int | None = None
        self._failures = 0
        self._strikes = 0

    def start(self, strange: Sequence[str] = ()) -> None:
        """Begins with what the last process left. `strange` are files that `Spool.open` set aside."""
        for name in strange:
            self._owe("spool_corrupt", f"{name}: no name of the spool's")
        self._thread.start()

    def stop(self) -> None:
        """Ends after the batch under way; the rest waits on the disk."""
        self._stopping.set()
        self._spool.news.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._spool.news.clear()
            try:
                busy = self.drain()
            except Exception as error:  # noqa: BLE001 - whatever it is: the message stays, and comes again
                self._metrics.failures.inc()
                # Its text may show what the message holds; its kind does not.
                log.warning("spool.waits", error=type(error).__name__, messages=self._spool.state().messages)
                self._stopping.wait(RETRY_S)
                continue
            if not busy:
                self._spool.news.wait(IDLE_S)

    def drain(self) -> bool:
        """Takes in the next batch; False when nothing waited. Raises what the intake raises."""
        self._tell()
        numbers = self._spool.waiting(BATCH_MESSAGES, BATCH_BYTES)
        batch = [waiting for number in numbers if (waiting := self._read(number)) is not None]
        self._tell()
        if not batch:
            return bool(numbers)
        if batch[0][0] == self._failing:
            self._one_by_one(batch)
        else:
            try:
                self._commit(batch)
            except Exception:  # noqa: BLE001 - one message of it may be the cause; alone each shows itself
                self._one_by_one(batch)
        return True

    def _one_by_one(self, batch: Sequence[Waiting]) -> None:
        """Up to the first that fails; raises what it failed with."""
        for waiting in batch:
            try:
                self._commit([waiting])
            except Exception:
                self._failed(waiting[0])
                raise

    def _failed(self, number: int) -> None:
        if number != self._failing:
            self._failing, self._failures, self._strikes = number, 0, 0
        self._failures += 1
        if self._failures <= PATIENCE or not self._another_goes_through(number):
            return
        self._strikes += 1
        if self._strikes >= STRIKES:
            self._set_aside(number, "spool_not_stored", "others went through")

    def _another_goes_through(self, number: int) -> bool:
        others = [other for other in self._spool.waiting(PROBED) if other != number]
        if not others:
            return False
        # Each time another one, since the next may be no better.
        waiting = self._read(others[self._failures % len(others)])
        if waiting is None:
            return False
        try:
            self._commit([waiting])
        except Exception:  # noqa: BLE001 - nothing goes through: nobody's fault
            return False
        return True

    def _commit(self, batch: Sequence[Waiting]) -> None:
        self._intake.process([arrival for _, arrival in batch])
        for number, _ in batch:
            self._spool.done(number)
        self._on_commit()

    def _read(self, number: int) -> Waiting | None:
        try:
            arrival = self._spool.read(number)
        except SpoolFileError as error:
            self._set_aside(number, "spool_corrupt", error.why)
            return None
        if arrival is None:
            log.warning("spool.file_gone")
            self._spool.done(number)
            return None
        age = self._clock.now() - arrival.received_at
        if age > self._max_age:
            self._set_aside(number, "spool_expired", f"waited {age.days} days")
            return None
        if age > LIVE_WINDOW:
            # Nobody can still be met there.
            arrival = msgspec.structs.replace(arrival, late=True)
        return number, arrival

    def _set_aside(self, number: int, reason: str, why: str) -> None:
        name = self._spool.set_aside(number)
        self._owe(reason, f"{name}: {why}")

    def _owe(self, reason: str, detail: str) -> None:
        log.error("spool.set_aside", reason=reason)
        self._owed.append(deadletters.letter("http", reason, self._clock.now(), detail=detail))

    def _tell(self) -> None:
        if self._owed:
            with self._database.write() as session:
                deadletters.record(session, self._owed)
            self._owed.clear()
