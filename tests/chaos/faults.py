"""What can go wrong at a site: each fault happens, lasts for a while, and is over."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.cable import Cable
from tests.chaos.disk import Disk
from tests.chaos.locking import locked
from tests.chaos.site import Site
from tests.support.postgres import Postgres


@dataclass(frozen=True)
class Surroundings:
    """What stands around a site; `postgres` is None where its database is a SQLite file."""

    site: Site
    cable: Cable
    disk: Disk
    postgres: Postgres | None


def ingest(around: Surroundings, lasts_s: float) -> None:
    """kill -9 of ingest."""
    around.site.ingest.kill()
    time.sleep(lasts_s)
    around.site.ingest.start()


def broker(around: Surroundings, lasts_s: float) -> None:
    """kill -9 of the broker, and the bus with it."""
    around.site.broker.kill()
    time.sleep(lasts_s)
    around.site.broker.start()


def both(around: Surroundings, lasts_s: float) -> None:
    """kill -9 of ingest and broker."""
    around.site.ingest.kill()
    around.site.broker.kill()
    time.sleep(lasts_s)
    around.site.broker.start()
    around.site.ingest.start()


def rest(around: Surroundings, lasts_s: float) -> None:
    """kill -9 of what carries the outbox and watches devices."""
    around.site.rest.kill()
    time.sleep(lasts_s)
    around.site.rest.start()


def postgres(around: Surroundings, lasts_s: float) -> None:
    """kill -9 of the whole PostgreSQL."""
    assert around.postgres is not None
    around.postgres.kill()
    time.sleep(lasts_s)
    around.postgres.revive()


def lock(around: Surroundings, lasts_s: float) -> None:
    """Somebody else holds SQLite's write lock."""
    with locked(around.disk.folder / "data" / "ringward.db"):
        time.sleep(lasts_s)


def full(around: Surroundings, lasts_s: float) -> None:
    """The disk has no byte left."""
    around.disk.fill()
    time.sleep(lasts_s)
    around.disk.free()


def cable(around: Surroundings, lasts_s: float) -> None:
    """The cable between ingest and the broker is pulled."""
    around.cable.pull()
    time.sleep(lasts_s)
    around.cable.plug()


def ahead(around: Surroundings, lasts_s: float) -> None:
    """Ingest's clock jumps an hour ahead, and back."""
    around.site.jump(1)
    time.sleep(lasts_s)
    around.site.jump(0)


def behind(around: Surroundings, lasts_s: float) -> None:
    """Ingest's clock jumps an hour back, and forth."""
    around.site.jump(-1)
    time.sleep(lasts_s)
    around.site.jump(0)


@dataclass(frozen=True)
class Fault:
    """`shortest_s` … `longest_s` it may last; it is `longest_s` the first time."""

    happen: Callable[[Surroundings, float], None]
    shortest_s: float
    longest_s: float


# The lock outlasts SQLite's 30 s of patience, the cable the keep-alive of MQTT.
FAULTS = {
    "ingest": Fault(ingest, 0, 5),
    "broker": Fault(broker, 0, 5),
    "both": Fault(both, 0, 5),
    "rest": Fault(rest, 0, 5),
    "postgres": Fault(postgres, 0, 5),
    "lock": Fault(lock, 1, 33),
    "full": Fault(full, 1, 10),
    "cable": Fault(cable, 1, 50),
    "ahead": Fault(ahead, 3, 15),
    "behind": Fault(behind, 3, 15),
}
ONLY_ON = {"postgres": "postgresql", "lock": "sqlite"}
