"""`ringward bench all`: every benchmark in a process of its own, one after the other, kept as it goes.

A process of its own, because what one benchmark leaves in memory or installs as keys is not the next one's
business; and because one that fails takes nobody along.
"""

import datetime as dt
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ringward.bench.machine import busy_s
from ringward.bench.programme import Entry
from ringward.bench.report import Report

_ERROR_CHARACTERS: Final = 600


class Outcome(msgspec.Struct):
    """What became of one benchmark: its report, or what it said last.

    `elsewhere_cores` is how many cores others kept busy meanwhile: above a few hundredths the machine
    was not quiet, and times are worth less.
    """

    name: str
    seconds: float
    elsewhere_cores: float
    report: Report | None = None
    failed: str | None = None


class Run(msgspec.Struct):
    """One go through the programme. `full` says with which arguments."""

    at: str
    revision: str
    full: bool
    outcomes: list[Outcome] = []

    def outcome(self, name: str) -> Outcome | None:
        return next((one for one in self.outcomes if one.name == name), None)


def run_all(
    entries: Sequence[Entry],
    *,
    revision: str,
    full: bool,
    keep: Path,
    tell: Callable[[Outcome], None],
    go_on: bool = False,
    models: Path | None = None,
) -> Run:
    """Runs the entries in order and writes `keep` after each; with `go_on` what it holds already is kept.

    Only what was measured at the same revision in the same form is gone on with.
    `models` is handed to those that take it.
    """
    run = Run(dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), revision, full)
    if go_on and keep.exists():
        former = read(keep)
        if (former.revision, former.full) == (revision, full):
            run = former
            run.outcomes = [one for one in former.outcomes if one.report is not None]
    for one in entries:
        if run.outcome(one.name) is not None:
            continue
        outcome = _one(one, full=full, models=models, trail=trail_of(keep))
        run.outcomes.append(outcome)
        _write(keep, run)
        tell(outcome)
    return run


def trail_of(keep: Path) -> Path:
    """Where the samples of a run lie that are too many for its report."""
    return keep.with_name(f"{keep.stem}.soak.jsonl")


def read(path: Path) -> Run:
    """Raises `OSError` and `msgspec.DecodeError`."""
    return msgspec.json.decode(path.read_bytes(), type=Run)


def _one(entry: Entry, *, full: bool, models: Path | None, trail: Path) -> Outcome:
    command = [sys.executable, "-m", "ringward", "bench", entry.name]
    command += [*(entry.full if full else entry.quick), "--json"]
    if entry.models and models is not None:
        command += ["--models", str(models)]
    if entry.trail:
        command += ["--trail", str(trail)]
    started, busy, ours = time.monotonic(), busy_s(), _children_s()
    report: Report | None = None
    failed: str | None = None
    # A session of its own: whatever hangs is ended together with what it has started.
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        said, complaint = child.communicate(timeout=entry.deadline_s)
    except subprocess.TimeoutExpired:
        _end(child)
        failed = f"not done in {entry.deadline_s:g} s"
    except BaseException:
        _end(child)
        raise
    else:
        if child.returncode == 0:
            report = msgspec.json.decode(said, type=Report)
        else:
            failed = f"exit code {child.returncode}: {complaint.strip()[-_ERROR_CHARACTERS:]}"
    seconds = time.monotonic() - started
    elsewhere = max(0.0, busy_s() - busy - (_children_s() - ours)) / seconds
    return Outcome(entry.name, round(seconds, 1), round(elsewhere, 2), report, failed)


def _end(child: subprocess.Popen[str]) -> None:
    """As Ctrl-C does first: a benchmark then takes its broker and its folder away."""
    child.send_signal(signal.SIGINT)
    try:
        child.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, 9)
        child.communicate()


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _write(path: Path, run: Run) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")
    beside.replace(path)
