"""The machine: who may read the data directory, how fast it is on disk, clocks, certificates."""

import datetime as dt
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ringward.checkup.finding import Finding
from ringward.measures import machine
from ringward.settings import Settings

SYNCS: Final = 15
SLOW_SYNC_S: Final = 0.05
"""An event is answered after one: more than this, and no batch is small any more."""

HANGING_SYNC_S: Final = 0.5
CLOCK_OFF_S: Final = 0.5
SOON: Final = dt.timedelta(days=21)
_NO_CHRONY_S: Final = 5


def findings(loaded: Settings, now: dt.datetime) -> Iterator[Finding]:
    """Nothing of a directory that is not there yet."""
    if loaded.data_dir.is_dir():
        yield rights(loaded.data_dir)
        if os.access(loaded.data_dir, os.W_OK):
            yield disk(sync_times(loaded.data_dir))
    yield clock()
    yield from certificates(loaded, now)


def rights(folder: Path) -> Finding:
    """Whoever can write there can do everything; whoever can read sees what is not sealed."""
    state = folder.stat()
    mode = state.st_mode & 0o777
    name = "data directory, rights"
    if mode & 0o022:
        return Finding(name, False, f"mode {mode:04o}: others may write into it", f"chmod 700 {folder}")
    if os.geteuid() not in {state.st_uid, 0}:
        seen = f"belongs to uid {state.st_uid}, and this is {os.geteuid()}"
        return Finding(name, False, seen, "Run as the user of the service.", grave=False)
    if mode & 0o005:
        return Finding(
            name, False, f"mode {mode:04o}: everybody may look into it", f"chmod 700 {folder}", grave=False
        )
    return Finding(name, True, f"mode {mode:04o}")


def sync_times(folder: Path, times: int = SYNCS) -> list[float]:
    """Seconds that a small write took until it was on disk, with a file that is gone afterwards."""
    taken = []
    with tempfile.TemporaryFile(dir=folder, prefix=".doctor-") as file:
        for _ in range(times):
            begun = time.perf_counter()
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - begun)
    return taken


def disk(taken: list[float]) -> Finding:
    """Judges by the middle one: a single slow one is another program's."""
    middle, longest = statistics.median(taken), max(taken)
    seen = f"{middle * 1000:.1f} ms, the slowest of {len(taken)}: {longest * 1000:.0f} ms"
    advice = "Every event waits for one before it is answered. An SSD, or a disk that nobody else writes to."
    return Finding("disk, time to sync", middle < SLOW_SYNC_S, seen, advice, grave=middle >= HANGING_SYNC_S)


def clock() -> Finding:
    """What the kernel says, and chrony where it is there."""
    name = "clock"
    follows = machine.synchronised()
    offset = chrony_offset()
    if offset is not None and abs(offset) > CLOCK_OFF_S:
        seen = f"chrony: {offset:+.3f} s off"
        return Finding(name, False, seen, "`chronyc makestep`, once nobody is at work.", grave=False)
    if follows is None:
        return Finding(name, True, "the system does not say whether it follows a time service")
    seen = "follows a time service" if follows else "follows no time service"
    if offset is not None:
        seen += f", chrony: {offset:+.6f} s off"
    advice = (
        "Start chrony and let UDP 123 out: what counts as late depends on it. A container has its host's."
    )
    return Finding(name, follows, seen, advice, grave=False)


def chrony_offset() -> float | None:
    """Seconds that the system is off by chrony's word; None where there is no chrony or no source."""
    found = shutil.which("chronyc")
    if found is None:
        return None
    try:
        done = subprocess.run(
            [found, "-c", "tracking"], check=True, capture_output=True, text=True, timeout=_NO_CHRONY_S
        )
        fields = done.stdout.strip().split(",")
        # Reference, its name, stratum, time of the last update, offset of the system's clock.
        return float(fields[4]) if int(fields[2]) else None
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def certificates(loaded: Settings, now: dt.datetime) -> Iterator[Finding]:
    """Each that a setting names: whether it can be read, and until when it holds."""
    advice = "`ringward ca renew` makes a new one; who uses it reads it at its next start."
    for name, path in machine.certificates(loaded).items():
        what = f"certificate {name}"
        try:
            ends = machine.ends(path)
        except OSError as error:
            yield Finding(what, False, f"{path}: {error.strerror}", "Put it there, readable for this user.")
        except ValueError:
            yield Finding(what, False, f"{path} holds no certificate in PEM", advice)
        else:
            seen = f"until {ends:%Y-%m-%d}"
            yield Finding(what, ends - now > SOON, seen, advice, grave=ends <= now)
