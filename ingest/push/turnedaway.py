"""Dead letters of pushes that were not let in: no bytes, no secret, and one for many alike."""

import threading
from typing import Any, Final

import structlog

from bus import deadletters
from bus.embedded import is_safe_name
from ingest.metrics import IntakeMetrics
from storage import Clock, Database

log = structlog.get_logger(__name__)

# Kinds that wait to be written; whoever invents names must not fill our memory.
_MOST: Final = 500
_INTEGER_MAX: Final = 2**31 - 1


class TurnedAway:
    """Collects what was refused at the door; `write` brings it into the database from time to time."""

    def __init__(self, database: Database, clock: Clock, metrics: IntakeMetrics) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._lock = threading.Lock()
        self._pending: dict[str, dict[str, Any]] = {}

    def note(self, reason: str, device_id: str, address: str, *, detail: str = "", size: int = 0) -> None:
        """Counts a refusal. `device_id` is what somebody said, `address` where it came from."""
        self._metrics.refused.labels(reason).inc()
        now = self._clock.now()
        named = device_id if is_safe_name(device_id) else None
        # One a day: what is refused today is news even where it was refused last week.
        mark = deadletters.fingerprint(reason, named or "", address, now.date().isoformat())
        with self._lock:
            known = self._pending.get(mark)
            if known is not None:
                known["count"] += 1
                return
            if len(self._pending) >= _MOST:
                log.warning("push.many_refusals", waiting=len(self._pending))
                return
            letter = deadletters.letter(
                "http",
                reason,
                now,
                detail=detail,
                device_id=named,
                known_by=mark,
                context={"client": address},
            )
            self._pending[mark] = letter | {"size": min(size, _INTEGER_MAX)}

    def write(self) -> None:
        """Raises what the database raises; nothing is lost then."""
        with self._lock:
            taken, self._pending = self._pending, {}
        if not taken:
            return
        try:
            with self._database.write() as session:
                deadletters.record(session, list(taken.values()))
        except Exception:
            with self._lock:
                for mark, letter in taken.items():
                    meanwhile = self._pending.get(mark)
                    if meanwhile is not None:
                        letter["count"] += meanwhile["count"]
                    self._pending[mark] = letter
            raise
