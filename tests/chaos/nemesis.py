"""Who breaks things: faults chosen by a seeded chance, begun and ended at their moments, each written down.

A plan has two sorts of time. In the calm one fault happens by itself, and its effect is over before the next:
those count for what is promised of a single fault. In a storm faults come over each other.
"""

import contextlib
import heapq
import itertools
import math
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psutil

from tests.chaos.estate import Estate
from tests.chaos.history import EFFECT_S, Fault
from tests.chaos.journal import Lines
from tests.chaos.locking import locked

QUIET_S: Final = EFFECT_S + 1.0
"""Around a single fault."""
SINGLE_SHARE: Final = 0.1
"""Of a long plan's faults. Each takes as long as ten in a storm."""
SLOW_FLUSH_US: Final = 50_000
"""What each flush of a slow disk takes longer: a card at the end of its life."""
SKEWS_S: Final = (-600.0, -8.0, 8.0, 600.0)
SINGLE_SKEWS_S: Final = (-8.0, 8.0)
"""By which a clock is wrong that somebody keeps. More than 15 s ahead, ingest takes what comes for old."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of fault and whom it can strike; it lasts `shortest_s` … `longest_s`, alone `single_s` at most."""

    what: str
    targets: tuple[str, ...]
    shortest_s: float = 0.0
    longest_s: float = 0.0
    single_s: float = 0.0


KILL = Kind("kill", ("ingest", "relay", "alerts-a", "alerts-b", "notify", "devices", "keeper", "nats"))
PAUSE = Kind("pause", ("ingest", "relay", "alerts-a", "alerts-b", "notify", "nats"), 0.5, 12.0, 5.0)
CUT = Kind("cut", ("ingest", "relay", "alerts-a", "alerts-b", "notify"), 0.5, 20.0, 5.0)
FULL = Kind("full", ("disk",), 1.0, 8.0, 5.0)
SLOW = Kind("slow", ("ingest", "nats"), 1.0, 10.0, 5.0)
SKEW = Kind("skew", ("ingest", "relay", "alerts-a", "alerts-b", "notify"), 2.0, 10.0, 6.0)
LOCK = Kind("lock", ("database",), 1.0, 12.0, 5.0)
POSTGRES = (
    Kind("kill", ("postgres",)),
    Kind("pause", ("postgres",), 0.5, 10.0, 5.0),
    Kind("slow", ("postgres",), 1.0, 10.0, 5.0),
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault to come, `at_s` after the beginning; `amount` is a clock's error in seconds."""

    at_s: float
    what: str
    target: str
    lasts_s: float = 0.0
    amount: float = 0.0

    @property
    def ends_s(self) -> float:
        return self.at_s + self.lasts_s


def kinds_of(estate: Estate) -> list[Kind]:
    """What can be done to it, here and by this user."""
    kinds = [KILL, PAUSE]
    if estate.cables:
        kinds.append(CUT)
    if estate.disk is not None:
        kinds.append(FULL)
    if shutil.which("strace"):
        kinds.append(SLOW)
    if estate.database_name == "sqlite":
        # One machine, one clock: everything that runs on it jumps together.
        kinds += [Kind("skew", ("machine",), SKEW.shortest_s, SKEW.longest_s, SKEW.single_s), LOCK]
    else:
        kinds += [SKEW, *POSTGRES]
    return kinds


def plan(
    chance: random.Random,
    kinds: Sequence[Kind],
    *,
    faults: int,
    seconds: float,
    single: float = SINGLE_SHARE,
    longest_s: float = math.inf,
) -> list[Planned]:
    """So many faults within so many seconds, of which the share `single` has nothing near.

    None lasts longer than `longest_s`, which is at least the shortest that there is. Each kind strikes each of its targets once before chance decides alone, as far as there are so many.
    """
    short = [replace(kind, longest_s=min(kind.longest_s, longest_s)) for kind in kinds]
    each = [(kind, target) for kind in short for target in kind.targets]
    alone = min(round(faults * single), int(seconds * 0.6 / (QUIET_S + 4.0)))
    singles = _drawn(chance, each, alone)
    stormy = _drawn(chance, each, faults - alone)
    found: list[Planned] = []
    # A few singles, then a storm, and so on.
    rounds = max(1, alone // 4)
    calm_s = sum(_single_s(kind) + QUIET_S for kind, _ in singles)
    storm_s = max(0.0, seconds - calm_s - rounds * QUIET_S) / rounds
    now = 0.0
    for number in range(rounds):
        for kind, target in singles[number::rounds]:
            lasts = chance.uniform(min(kind.shortest_s, kind.single_s), kind.single_s)
            found.append(Planned(now, kind.what, target, lasts, _amount(chance, kind, SINGLE_SKEWS_S)))
            now += lasts + QUIET_S
        of_storm = stormy[number::rounds]
        found += _storm(chance, of_storm, now, storm_s)
        now = max([now + storm_s, *(one.ends_s for one in found)]) + QUIET_S
    return sorted(found, key=lambda one: one.at_s)


def _single_s(kind: Kind) -> float:
    return (min(kind.shortest_s, kind.single_s) + kind.single_s) / 2


def _storm(
    chance: random.Random, drawn: Sequence[tuple[Kind, str]], begins: float, lasts_s: float
) -> list[Planned]:
    found: list[Planned] = []
    busy: dict[tuple[str, str], float] = {}
    moments = sorted(begins + chance.uniform(0.0, lasts_s) for _ in drawn)
    for moment, (kind, target) in zip(moments, drawn, strict=True):
        lasts = min(chance.uniform(kind.shortest_s, kind.longest_s), max(lasts_s / 2, kind.shortest_s))
        # What is broken already is not broken in the same way again.
        at = max(moment, busy.get((kind.what, target), 0.0))
        busy[kind.what, target] = at + lasts + 0.1
        found.append(Planned(at, kind.what, target, lasts, _amount(chance, kind, SKEWS_S)))
    return found


def _drawn(chance: random.Random, each: Sequence[tuple[Kind, str]], count: int) -> list[tuple[Kind, str]]:
    drawn = chance.sample(each, min(count, len(each)))
    return drawn + [chance.choice(each) for _ in range(count - len(drawn))]


def _amount(chance: random.Random, kind: Kind, of: Sequence[float]) -> float:
    return chance.choice(of) if kind.what == "skew" else 0.0


class Nemesis:
    """Carries out a plan on an estate; what happened lies in `log`, a line a fault."""

    def __init__(self, estate: Estate, planned: Iterable[Planned], log: Path) -> None:
        self._estate = estate
        self._planned = sorted(planned, key=lambda one: one.at_s)
        self._log = Lines(log)
        self.happened: list[Fault] = []
        self._begin: dict[str, Callable[[Planned, ExitStack], None]] = {
            "kill": self._kill,
            "pause": self._pause,
            "cut": self._cut,
            "full": self._full,
            "slow": self._slow,
            "skew": self._skew,
            "lock": self._lock,
        }

    def rage(self, going_on: Callable[[], bool]) -> None:
        """Until the plan is through or `going_on` says no more; whatever is broken then is mended."""
        begun = time.monotonic()
        order = itertools.count()
        ends: list[tuple[float, int, Planned, float, ExitStack]] = []
        coming = list(reversed(self._planned))
        try:
            while (coming or ends) and going_on():
                now = time.monotonic() - begun
                while ends and ends[0][0] <= now:
                    self._end(*heapq.heappop(ends)[2:])
                if coming and coming[-1].at_s <= now:
                    one = coming.pop()
                    mending = ExitStack()
                    start = time.time()
                    self._begin[one.what](one, mending)
                    heapq.heappush(ends, (now + one.lasts_s, next(order), one, start, mending))
                    continue
                time.sleep(0.02)
        finally:
            for _, _, one, start, mending in ends:
                self._end(one, start, mending)

    def _end(self, one: Planned, start: float, mending: ExitStack) -> None:
        mending.close()
        fault = Fault(one.what, one.target, start, time.time() if one.lasts_s else start)
        self._log.add(fault)
        self.happened.append(fault)

    # ── faults ──────────────────────────────────────────────────────────────

    def _kill(self, one: Planned, _mending: ExitStack) -> None:
        """kill -9. Who looks after it starts it again."""
        service = self._estate.services[one.target]
        if service.alive:
            service.kill()

    def _pause(self, one: Planned, mending: ExitStack) -> None:
        """Stopped in the middle of whatever it does, as a machine does that hibernates or swaps."""
        for process in self._processes(one.target):
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGSTOP)
                mending.callback(_go_on, process)

    def _cut(self, one: Planned, mending: ExitStack) -> None:
        cable = self._estate.cables[one.target]
        cable.pull()
        mending.callback(cable.plug)

    def _full(self, _one: Planned, mending: ExitStack) -> None:
        disk = self._estate.disk
        assert disk is not None
        disk.fill()
        mending.callback(disk.free)

    def _slow(self, one: Planned, mending: ExitStack) -> None:
        """Each flush to the disk takes longer. strace holds the calls up, which works for every program."""
        pids = [process.pid for process in self._processes(one.target)]
        if not pids:
            return
        held = f"fsync,fdatasync:delay_enter={SLOW_FLUSH_US}"
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", f"inject={held}"]
            + [part for pid in pids for part in ("-p", str(pid))],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        mending.callback(tracer.wait)
        mending.callback(tracer.terminate)

    def _skew(self, one: Planned, mending: ExitStack) -> None:
        names = self._estate.programs if one.target == "machine" else (one.target,)
        for name in names:
            self._estate.jump(name, one.amount)
            mending.callback(self._estate.jump, name, 0.0)

    def _lock(self, _one: Planned, mending: ExitStack) -> None:
        """Somebody else holds SQLite's write lock, as a copy tool does.

        Beside the nemesis: a writer that it has put to sleep may have the lock, and would never wake.
        """
        path, over = self._estate.ground.settings.data_dir / "ringward.db", threading.Event()

        def hold() -> None:
            with contextlib.suppress(sqlite3.OperationalError), locked(path):
                over.wait()

        threading.Thread(target=hold, name="nemesis-lock", daemon=True).start()
        mending.callback(over.set)

    def _processes(self, name: str) -> list[psutil.Process]:
        service = self._estate.services[name]
        if not service.alive:
            return []
        found = []
        for pid in service.pids:
            with contextlib.suppress(psutil.Error):
                found.append(psutil.Process(pid))
        return found


def _go_on(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        # Its number may be another's by now, which psutil knows by the time it began.
        if process.is_running():
            os.kill(process.pid, signal.SIGCONT)
