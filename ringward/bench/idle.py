"""What a compound costs while nothing happens there: each role's share of the processor, by their number.

The roles run as processes of their own against a broker and a database of their own, with one compound and
then with many. Nobody publishes anything.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from alerts.leases import AlertLease
from registry.models import Compound, Ring, Zone
from ringward import schema
from ringward.bench.machine import used_s
from ringward.bench.postgres import postgres_url
from ringward.bench.report import Report, report
from ringward.brokerchild import BrokerChild
from ringward.environment import environment_for
from ringward.foundation import Foundation, lay
from ringward.ports import free_port
from ringward.settings import Settings
from storage import migrate

ROLES: Final = ("alerts", "notify", "keeper", "devices", "relay")
DEADLINE_S: Final = 120.0
_STEP_S: Final = 0.1


def run(*, compounds: int, seconds: float, on: str) -> Report:
    """`on` is `sqlite` or `postgresql`. Raises `TimeoutError` where a role does not come up."""
    one = _measure(1, seconds, on)
    many = _measure(compounds, seconds, on)
    figures = {f"one_compound_{role}_percent": share for role, share in one.items()}
    figures |= {f"all_compounds_{role}_percent": share for role, share in many.items()}
    figures["one_compound_percent"] = sum(one.values())
    figures["all_compounds_percent"] = sum(many.values())
    more = figures["all_compounds_percent"] - figures["one_compound_percent"]
    figures["each_further_compound_percent"] = more / max(1, compounds - 1)
    return report(
        "idle",
        {"compounds": compounds, "seconds": seconds, "database": on},
        figures,
        {},
        {"all_over_one": figures["all_compounds_percent"] / max(0.001, figures["one_compound_percent"])},
    )


def _measure(compounds: int, seconds: float, on: str) -> dict[str, float]:
    """Role → percent of a core, over the given time."""
    with _ground(compounds, on) as ground, _processes(ground) as processes:
        _wait_for_leases(ground, compounds)
        # What a start brings with it (surveys, first looks) is not what it costs to stand there.
        time.sleep(min(10.0, seconds))
        before, began = _used(processes), time.monotonic()
        time.sleep(seconds)
        lasted = time.monotonic() - began
        return {role: 100 * (used - before[role]) / lasted for role, used in _used(processes).items()}


@contextmanager
def _ground(compounds: int, on: str) -> Iterator[Foundation]:
    with tempfile.TemporaryDirectory(prefix="ringward-bench-") as folder:
        if on == "postgresql":
            with postgres_url(None) as url:
                if url is None:
                    raise LookupError("no PostgreSQL to measure on")
                with _laid(Path(folder), compounds, url) as ground:
                    yield ground
        else:
            with _laid(Path(folder), compounds, None) as ground:
                yield ground


@contextmanager
def _laid(folder: Path, compounds: int, url: str | None) -> Iterator[Foundation]:
    foundation = lay(
        Settings(
            data_dir=folder,
            database_url=url,
            nats_port=free_port("127.0.0.1", 15222),
            mqtt_port=free_port("127.0.0.1", 15883),
            compound="bench-0",
        )
    )
    assert schema.metadata.tables
    migrate.upgrade(foundation.database)
    with foundation.database.write() as session:
        for number in range(compounds):
            name = f"bench-{number}"
            session.add(Compound(id=name, name=name))
            session.flush()
            session.add(
                Zone(
                    id=f"gate-{number}",
                    compound=name,
                    name="gate",
                    ring=Ring.ENTRANCE,
                    kind="gate",
                    outline=[],
                )
            )
    broker = BrokerChild(foundation)
    broker.start()
    try:
        yield foundation
    finally:
        broker.child.stop(10)
        foundation.database.close()


@contextmanager
def _processes(ground: Foundation) -> Iterator[dict[str, int]]:
    environment = environment_for(ground.settings)
    if ground.settings.database_url is not None:
        environment["RINGWARD_DATABASE_URL"] = ground.settings.database_url
    started = {
        role: subprocess.Popen(
            [sys.executable, "-m", "ringward", "run", role], env=environment, stderr=subprocess.DEVNULL
        )
        for role in ROLES
    }
    try:
        yield {role: child.pid for role, child in started.items()}
    finally:
        for child in started.values():
            child.terminate()
        for child in started.values():
            child.wait(30)


def _wait_for_leases(ground: Foundation, compounds: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        with ground.database.read() as session:
            query = select(func.count()).where(AlertLease.position.is_not(None))
            if session.scalar(query) == compounds:
                return
        if time.monotonic() > deadline:
            raise TimeoutError("the compounds were not taken in time")
        time.sleep(_STEP_S)


def _used(processes: dict[str, int]) -> dict[str, float]:
    """Seconds of processor time so far."""
    return {role: used_s(pid) for role, pid in processes.items()}
