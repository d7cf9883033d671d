"""Who holds a lease: a name for this run of this process, by which others of the machine see its end."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from storage import new_id

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PIDS = Path("/proc/self/ns/pid")


def own_name(pid: int | None = None) -> str:
    """A holder's name: machine, process, its start, and a random end. Nothing in it is of a person."""
    pid = os.getpid() if pid is None else pid
    return f"{socket.gethostname()[:24]}:{_machine()}:{pid}:{_started(pid) or 0}:{new_id()[-8:]}"


def is_gone(holder: str) -> bool:
    """Whether a holder was a process of this machine that has ended; False for whoever may be alive.

    A process that is killed is replaced at once then, without waiting for its lease to run out.
    """
    whose = _read(holder)
    if whose is None or not whose.machine or whose.machine != _machine():
        return False
    started = _started(whose.pid)
    # A process of another user may be hidden in /proc, but not from a signal.
    return started != whose.started if started is not None else not _answers(whose.pid)


@dataclass(frozen=True, slots=True)
class _Holder:
    machine: str
    pid: int
    started: int


def _read(holder: str) -> _Holder | None:
    parts = holder.rsplit(":", 4)
    if len(parts) != 5 or not parts[2].isdigit() or not parts[3].isdigit() or parts[3] == "0":
        return None
    return _Holder(parts[1], int(parts[2]), int(parts[3]))


def _machine() -> str:
    """One boot of one kernel, and among its containers one with processes of its own; empty elsewhere."""
    try:
        boot = _BOOT.read_text().strip()[:8]
        pids = str(_PIDS.readlink()).strip("pid:[]")
    except OSError:
        return ""
    return f"{boot}-{pids}"


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # Ours, and yet without a start: dead, and nobody has asked for it yet.
    return False


def _started(pid: int) -> int | None:
    """When a process started, in the kernel's ticks; None for one that has ended, noticed or not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name before may hold anything, also spaces and brackets.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])
