"""How far a job has come: in its row, and told to whoever watches."""

import time
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import update

from registry.imports.models import ImportJob, ImportState
from storage import Clock, Database

# At least once a second, so that a bar moves; not with every row, which would cost more than it.
EVERY_S: Final = 0.5

Progress = Callable[[ImportState, int, int], None]


class Pulse:
    """Keeps the job's row alive and tells whoever watches, at most twice a second."""

    def __init__(
        self,
        database: Database,
        job: str,
        clock: Clock,
        progress: Progress,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = ImportState.CHECKING
        self.total = 0
        self._database = database
        self._job = job
        self._clock = clock
        self._progress = progress
        self._monotonic = monotonic
        self._last = monotonic()

    def beat(self, done: int) -> None:
        """Says how many rows are done."""
        now = self._monotonic()
        if now - self._last < EVERY_S and done < self.total:
            return
        self._last = now
        self._write(rows_done=done, rows_total=self.total)
        self._progress(self.state, done, self.total)

    def set(self, state: ImportState, **values: Any) -> None:
        """Enters a state."""
        self.state = state
        self._write(state=state, rows_done=0, **values)
        self._progress(state, 0, self.total)

    def _write(self, **values: Any) -> None:
        with self._database.write() as session:
            session.execute(
                update(ImportJob).where(ImportJob.id == self._job).values(beat_at=self._clock.now(), **values)
            )
