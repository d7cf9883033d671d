"""One clock for all processes of a deployment: PostgreSQL's, and between two looks the machine's steady one.

Rows say until when something is held, when it is due, and how far somebody has come. Processes on several
machines compare these moments, and a machine whose clock is minutes ahead would hold for minutes what it
took, or find nothing due. Where all of them ask the same database anyway, its clock is everybody's.
"""

import datetime as dt
import threading
import time
from typing import Final

import structlog
from sqlalchemy import func, select

from storage.clock import Clock, SystemClock
from storage.database import Database

log = structlog.get_logger(__name__)

EVERY_S: Final = 5.0
"""Between two looks. A steady clock drifts by less than a millisecond in that time."""

SURE_S: Final = 0.25
"""An answer that took longer says too little of when it was given, where there was one before."""


class CommonClock:
    """A `Clock`. Before `start`, and until the database has answered once, the machine's own."""

    def __init__(self, database: Database, own: Clock | None = None) -> None:
        self._database = database
        self._own = own or SystemClock()
        # The database's moment, and the steady clock's reading that belongs to it: exchanged as a whole.
        self._anchor: tuple[dt.datetime, float] | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def now(self) -> dt.datetime:
        """The present moment by the database's clock, to about half of the time that an answer takes."""
        anchor = self._anchor
        if anchor is None:
            return self._own.now()
        moment, steady = anchor
        return moment + dt.timedelta(seconds=time.monotonic() - steady)

    def start(self) -> None:
        """Looks once, and then again and again until it is stopped."""
        self._try()
        self._thread = threading.Thread(target=self._keep, name="common-clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Looks no more; goes on by the last look."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(EVERY_S)

    def look(self) -> None:
        """Asks the database. Raises what a database that is away raises."""
        with self._database.read() as session:
            # The connection is there when the time is taken.
            session.connection()
            before = time.monotonic()
            moment = session.scalar(select(func.clock_timestamp()))
            after = time.monotonic()
        if moment is None or (self._anchor is not None and after - before > SURE_S):
            return
        self._anchor = (moment.astimezone(dt.UTC), (before + after) / 2)

    def _keep(self) -> None:
        while not self._ending.wait(EVERY_S):
            self._try()

    def _try(self) -> None:
        try:
            self.look()
        except Exception as error:  # noqa: BLE001 - the steady clock goes on; whoever needs the rows finds out
            log.info("clock.not_compared", error=type(error).__name__)
