"""A holder that is stopped in the middle of the transaction that prolongs its lease, with its row locked.

Until somebody ends that transaction nobody else can take the lease; on PostgreSQL the server does. On SQLite
the whole file is locked, by a process of the same machine: there nobody takes over before it is gone.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from storage.clock import SystemClock
from storage.leases import Claim, Lease, acquire, database_time
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.alone]
RELAY = Claim("relay")

SLEEPER = """
import sys
from storage import Database, SystemClock
from storage.leases import Claim, acquire, database_time, hold, RoleLostError
database, tell = Database(sys.argv[1]), database_time(SystemClock())
with database.write() as session:
    lease = acquire(session, Claim("relay"), "sleeper", tell(session))
assert lease is not None
try:
    with database.write() as session:
        hold(session, lease)
        print("locked", flush=True)
        input()
        hold(session, lease)
except Exception as error:
    print(type(error).__name__, flush=True)
try:
    with database.write() as session:
        hold(session, lease)
except RoleLostError:
    print("lost", flush=True)
"""


def test_its_lease_is_taken_over_and_it_writes_nothing_when_it_wakes(postgres: Postgres) -> None:
    tell = database_time(SystemClock())
    with postgres.database() as database:
        sleeper = subprocess.Popen(
            [sys.executable, "-c", SLEEPER, database.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        assert sleeper.stdin
        assert sleeper.stdout
        assert sleeper.stdout.readline() == "locked\n"
        os.kill(sleeper.pid, signal.SIGSTOP)

        def taken() -> Lease | None:
            with database.write() as session:
                return acquire(session, RELAY, "standby", tell(session))

        lease = wait_until(taken, "the standby has it")
        assert lease.epoch == 2
        os.kill(sleeper.pid, signal.SIGCONT)
        sleeper.stdin.write("\n")
        sleeper.stdin.close()
        said = sleeper.stdout.read().split()
        assert sleeper.wait(60) == 0
        # Its session is over, and in a new one the lease is another's.
        assert said[1:] == ["lost"], said
        assert said[0] != "lost"
