"""A draft of the rules tried on the stored past, in a process of its own.

The past is read from the live database, an hour at a time and reading only, so that neither a live
incident is touched nor a writer held up; what rules make of it is held in memory and forgotten. A
process of its own, since rules would take the console's core for minutes; it yields to everything.
"""

import contextlib
import ctypes
import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from alerts.rehearsal import compare
from alerts.rehearsal.differing import differ
from alerts.rehearsal.running import begins
from alerts.rulebook import trials, versions
from alerts.rulebook.current import current
from registry.days import time_zone
from registry.errors import MissingError
from ringward.rehearsal.staging import Script, stage
from storage import Clock, Database

log = structlog.get_logger(__name__)

TOLD_EVERY_S: Final = 1.0
_NICE: Final = 10
_PR_SET_PDEATHSIG: Final = 1


class _StoppedError(Exception):
    """The trial must not go on; its row says why."""


def run_trial(
    database: Database, compound: str, trial_id: str, clock: Clock, *, every_s: float = TOLD_EVERY_S
) -> None:
    """Reads the past of a trial and puts its result down. Whatever goes wrong, the row says so."""
    database = database.within(compound)
    try:
        result = _tried(database, compound, trial_id, clock, every_s)
    except (_StoppedError, MissingError):
        return
    except Exception:
        log.exception("rules.trial_failed", compound=compound, trial=trial_id)
        result = None
    with database.write() as session, contextlib.suppress(MissingError):
        trials.end(session, compound, trial_id, clock.now(), result)


def _tried(database: Database, compound: str, trial_id: str, clock: Clock, every_s: float) -> dict[str, Any]:
    with database.read() as session:
        row = trials.find(session, compound, trial_id)
        start, end = row.starts_at, row.ends_at
        draft = versions.check(session, compound, row.text).file
        known = current(session, compound, clock.now())
        zone = time_zone(session, compound)
    first = begins(start)
    seen, told_at = 0, time.monotonic()

    def progress(moment: dt.datetime, count: int) -> None:
        nonlocal seen, told_at
        seen = count
        if time.monotonic() - told_at < every_s and count <= trials.SEEN_MOST:
            return
        told_at = time.monotonic()
        done = min(999, int(1000 * (moment - first) / (end - first)))
        with database.write() as session:
            why = trials.hear(session, compound, trial_id, clock.now(), done=done, seen=count)
        if why is not None:
            raise _StoppedError

    scripts = [Script("draft", draft), Script(known.book.version, known.file)]
    outcomes = stage(database, compound, scripts, start, end, progress)
    outlook = differ(compare(outcomes[0].incidents, outcomes[1].incidents, zone), most=trials.SHOWN_MOST)
    with database.read() as session:
        result = trials.plain(session, compound, outlook)
    return result | {
        "seen": seen,
        "faults": sorted({fault.rule for outcome in outcomes for fault in outcome.faults}),
    }


class TrialRunner:
    """Begins trials, each in a child process, and notes where one died."""

    def __init__(self, database: Database, clock: Clock, environment: Mapping[str, str]) -> None:
        self._database = database
        self._clock = clock
        self._environment = dict(environment)

    def __call__(self, compound: str, trial_id: str) -> None:
        """Begins a trial that has been asked for, and returns at once."""
        # A child is told when the thread that made it ends, so that thread is one that waits for it.
        threading.Thread(target=self._watch, args=(compound, trial_id), daemon=True).start()

    def _watch(self, compound: str, trial_id: str) -> None:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "ringward.rehearsal.trial", compound, trial_id],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                # One system call and nothing else between fork and exec.
                preexec_fn=_die_with_parent,  # noqa: PLW1509
            )
            code = process.wait()
        except OSError:
            code = -1
        if not code:
            return
        log.error("rules.trial_died", compound=compound, trial=trial_id, code=code)
        # Of one that was ended meanwhile nothing changes.
        with self._database.within(compound).write() as session, contextlib.suppress(MissingError):
            trials.end(session, compound, trial_id, self._clock.now(), None)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main(lay_ground: Callable[[], tuple[Database, Clock]], compound: str, trial_id: str) -> None:
    """The child: yields to everything else, tries, and ends."""
    os.nice(_NICE)
    database, clock = lay_ground()
    try:
        run_trial(database, compound, trial_id, clock)
    finally:
        database.close()


def _ground() -> tuple[Database, Clock]:
    from ringward import logs
    from ringward.foundation import lay
    from ringward.settings import Settings

    loaded = Settings()
    logs.configure(loaded.log_level, loaded.log_format)
    ground = lay(loaded)
    return ground.database, ground.clock


if __name__ == "__main__":
    main(_ground, sys.argv[1], sys.argv[2])
