"""What the machine and its processes take, read from /proc: time, memory, files, threads."""

import os
import platform
from pathlib import Path
from typing import Any, Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_GIGABYTE: Final = 1e9


def machine() -> dict[str, Any]:
    """What the reader of a figure must know of where it was measured; `load_1min` is when it is asked."""
    return {
        "cores": os.cpu_count(),
        "arch": platform.machine(),
        "python": platform.python_version(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIGABYTE, 1),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def busy_s() -> float:
    """Seconds that all cores together have worked since the machine started."""
    numbers = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    idle, waiting = numbers[3], numbers[4]
    return (sum(numbers[:8]) - idle - waiting) / _TICKS


def used_s(pid: int) -> float:
    """Seconds that a process has worked, all its threads together. Raises `OSError` where it is gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """What a process has in memory, what it shares included, in megabytes of 10⁶ bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def pss_mb(pid: int) -> float:
    """Its proportional share: what several processes have together is counted once, a part for each."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(f"no Pss of process {pid}")


def open_files(pid: int) -> int:
    """File handles that a process holds, sockets included."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def threads(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
