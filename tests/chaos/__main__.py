"""The long form: faults of every sort over a whole site for an hour, and a report.

python -m tests.chaos --events 1000000 --faults 1000 --rate 300 --doors 1800 --minutes 75
                      [--database postgresql] [--seed 7] [--write]

Needs root, for a disk and cables of its own, and 6 GB of free disk. Prints how it goes, then a report as JSON in
the shape of the benchmarks; `--write` puts it into docs/reliability.md too. SIGTERM ends it early, with a
report of what ran. Ends with 1 when a promise was broken; what a single fault delayed is only told.
"""

import argparse
import signal
import sys
import time
from typing import Any

import msgspec

from tests.chaos import reporting, trial
from tests.chaos.estate import Estate
from tests.chaos.history import Fault
from tests.chaos.trial import Given, StoppedError

PROGRESS_S = 30.0
DISK_MB = 4096
SETTLE_S = 900.0


class Progress:
    """Says how it goes, and ends it where somebody asks for that or time is over."""

    def __init__(self, given: Given, seconds: float) -> None:
        self._given = given
        self._began: float | None = None
        self._seconds = seconds
        self._said = 0.0
        self.ended_by: str | None = None
        self._asked = False

    def ask_for_end(self, *_: Any) -> None:
        self._asked = True

    def __call__(self, estate: Estate, happened: list[Fault]) -> None:
        if self._began is None:
            self._began = time.monotonic()
        now = time.monotonic() - self._began
        if self._asked or now > self._seconds:
            self.ended_by = "a signal" if self._asked else "its time"
            raise StoppedError
        if now - self._said >= PROGRESS_S:
            self._said = now
            sys.stderr.write(
                f"{time.strftime('%H:%M:%S')} after {now:.0f} s: {estate.progress()},"
                f" {len(happened)} of {self._given.faults} faults, last {happened[-1].name if happened else '-'}\n"
            )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=300.0, help="events a second of all devices together")
    parser.add_argument("--doors", type=int, default=1800, help="doors that are forced, in all")
    parser.add_argument("--minutes", type=float, default=75.0, help="it ends then, whatever is left")
    parser.add_argument("--single", type=float, default=Given.single, help="share of faults by themselves")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--write", action="store_true", help="puts the report into docs/reliability.md")
    asked = parser.parse_args()
    given = Given(
        events=asked.events,
        rate=asked.rate,
        doors=asked.doors,
        faults=asked.faults,
        seed=asked.seed,
        database=asked.database,
        single=asked.single,
        disk_mb=DISK_MB,
        settle_s=SETTLE_S,
        at_most_s=asked.minutes * 60,
    )
    progress = Progress(given, asked.minutes * 60)
    signal.signal(signal.SIGTERM, progress.ask_for_end)
    signal.signal(signal.SIGINT, progress.ask_for_end)
    with trial.standing(given) as estate:
        outcome = trial.run(given, estate, progress)
    found = reporting.report_of(given, outcome)
    for difference in outcome.verdict.differences:
        sys.stderr.write(f"{difference}\n")
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    if asked.write:
        reporting.write(reporting.page(found, outcome, progress.ended_by))
    return 0 if outcome.verdict.clean else 1


if __name__ == "__main__":
    sys.exit(main())
