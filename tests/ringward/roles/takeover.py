"""How long another process of a role takes to do the work, by role and fault: `python -m tests.ringward.roles.takeover`.

The median of a few times each (`--times`), on PostgreSQL and one broker, by the health address of the one that takes
over. What is killed is seen to be dead on the same machine; what sleeps stands for another machine that is gone.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from storage.keys import KeyRing, install_ring
from tests.ringward.roles.processes import FAULTS, ROLES, Fault, Pair, pair
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until


def measure(two: Pair, fault: Fault, times: int) -> list[float]:
    """Seconds, from one process to the other and back."""
    found = []
    names = ("first", "second")
    for _ in range(times):
        one, other = names if two.is_active("first") else names[::-1]
        found.append(two.takes_over(other, two.strike(one, fault)))
        if fault == "pause":
            two.wake(one)
        else:
            two.start(one)
        wait_until(lambda one=one: two.says(one, "/readyz") == 200, f"{one} stands by\n{two.said()}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--roles", nargs="*", default=list(ROLES))
    given = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {given.times} times each; seconds")
    print("| role | kill -9 | SIGSTOP | SIGTERM |\n|---|---:|---:|---:|")
    with (
        tempfile.TemporaryDirectory(prefix="ringward-pg-") as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        install_ring(KeyRing.load(Path(folder) / "ring.key"))
        postgres = Postgres(Path(server))
        try:
            for role in given.roles:
                with pair(Path(folder) / role, Path(), postgres.migrated(), role) as two:
                    two.begin()
                    medians = [statistics.median(measure(two, fault, given.times)) for fault in FAULTS]
                print(f"| {role} | {' | '.join(f'{one:.1f}' for one in medians)} |", flush=True)
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
