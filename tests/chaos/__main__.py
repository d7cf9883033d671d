"""The long form: random faults at random moments while devices of three kinds speak.

python -m tests.chaos --events 100000 [--faults ingest,broker] [--seed 7] [--database postgresql]

Needs root, for a disk and a cable of its own. Prints a report as JSON, in the shape of the benchmarks, and ends with 1
when anything acknowledged is lost, or anything is there twice.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import msgspec

from ringward.bench.report import Report, percentile, report
from tests.chaos.cable import Cable
from tests.chaos.disk import Disk
from tests.chaos.faults import FAULTS, ONLY_ON, Surroundings
from tests.chaos.site import Site
from tests.chaos.work import Kind
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until

DISK_MB = 2048
# Devices of each kind, and which share of the events they say.
DEVICES: dict[Kind, int] = {"native": 10, "facesluice": 5, "haan": 5}
SHARE: dict[Kind, float] = {"native": 0.9, "facesluice": 0.05, "haan": 0.05}
# Between two faults.
CALM_S = (2.0, 8.0)
SETTLE_S = 1800.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=400.0, help="events a second of all devices together")
    parser.add_argument("--faults", default=",".join(FAULTS), help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args()
    faults = [name for name in given.faults.split(",") if ONLY_ON.get(name, given.database) == given.database]
    with surroundings(given.database) as around:
        found, clean = run(around, given.events, given.rate, faults, given.seed, given.database)
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    return 0 if clean else 1


@contextmanager
def surroundings(database: str) -> Iterator[Surroundings]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringward-chaos-")))
        disk = stack.enter_context(Disk.mounted(folder / "disk", DISK_MB))
        cable = stack.enter_context(Cable.laid())
        postgres = None
        if database == "postgresql":
            where = stack.enter_context(tempfile.TemporaryDirectory(prefix="ringward-pg-"))
            postgres = Postgres(Path(where))
            stack.callback(postgres.stop)
        site = Site(
            folder / "site",
            devices=DEVICES,
            data=disk.folder / "data",
            database_url=postgres.migrated() if postgres is not None else None,
            cable=cable,
        )
        stack.enter_context(closing(site))
        yield Surroundings(site, cable, disk, postgres)


def run(
    around: Surroundings, events: int, rate: float, faults: list[str], seed: int, database: str
) -> tuple[Report, bool]:
    site = around.site
    site.start()
    wait_until(site.listening, "ingest listens", 60)
    started = time.monotonic()
    for kind, count in DEVICES.items():
        each = round(events * SHARE[kind] / count)
        speed = rate * SHARE[kind] / count
        more = {"picture_every": 25, "poison_every": 1000} if kind == "native" else {}
        site.devices(kind, each, rate=speed, **more)
    happened = rage(around, faults, random.Random(seed))
    said_s = time.monotonic() - started
    verdict = site.settle(SETTLE_S)
    amiss, blind = site.announced_amiss(), site.unreadable()
    for difference in [*verdict.differences, *(f"on the bus {n} times: {one}" for one, n in amiss.items())]:
        sys.stderr.write(f"{difference}\n")
    latencies = {
        by: [entry.ms for entry in site.entries() if entry.by == by and entry.ms is not None]
        for by in ("puback", "answer", "http")
    }
    figures = {
        "events_said": verdict.happened + verdict.broken,
        "events_acknowledged": verdict.acknowledged,
        "events_stored": verdict.stored,
        "messages_refused": verdict.letters,
        "lost": verdict.lost + verdict.lost_letters,
        "doubled": verdict.doubled,
        "invented": verdict.invented,
        "pictures_unreadable": len(blind),
        "missing_on_the_bus": sum(times == 0 for times in amiss.values()),
        "repeated_on_the_bus": sum(times > 1 for times in amiss.values()),
        "faults": sum(happened.values()),
        "seconds": said_s,
        **{f"faults_of_{name}": times for name, times in sorted(happened.items())},
        **{f"said_to_{by}_p50_ms": percentile(found, 0.5) for by, found in latencies.items()},
        **{f"said_to_{by}_p99_ms": percentile(found, 0.99) for by, found in latencies.items()},
    }
    settings = {"events": events, "rate_per_s": rate, "seed": seed, "database": database}
    return report("chaos", settings, figures, {}, {}), verdict.clean and not amiss and not blind


def rage(around: Surroundings, faults: list[str], chance: random.Random) -> Counter[str]:
    """Lets faults happen for as long as devices speak: each once in turn, then by chance."""
    happened: Counter[str] = Counter()
    first = chance.sample(faults, len(faults))
    while around.site.busy():
        around.site.keep_alive()
        time.sleep(chance.uniform(*CALM_S))
        name = first.pop() if first else chance.choice(faults)
        fault = FAULTS[name]
        lasts_s = chance.uniform(fault.shortest_s, fault.longest_s) if happened[name] else fault.longest_s
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {name} for {lasts_s:.1f} s\n")
        fault.happen(around, lasts_s)
        happened[name] += 1
    return happened


if __name__ == "__main__":
    sys.exit(main())
