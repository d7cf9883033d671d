"""One run: an estate, devices that speak, a nemesis beside them, and a verdict at the end."""

import math
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos import nemesis
from tests.chaos.cable import Cable
from tests.chaos.disk import Disk
from tests.chaos.estate import ORDINARY, WIRED, Estate
from tests.chaos.history import Fault, Verdict
from tests.chaos.work import Kind
from tests.support.postgres import Postgres

SHARE: Final[dict[Kind, float]] = {"native": 0.9, "facesluice": 0.05, "haan": 0.05}
# A door is not forced again before this is over: within five minutes it would be one incident, rightly.
# The clock of whoever takes it in may be wrong by ten.
DOOR_AGAIN_S: Final = 1500.0
POISON_EVERY: Final = 500
"""Of what a device says, or more where it says little: one of so many is none that can be read."""


@dataclass(frozen=True)
class Given:
    """How much is said, and how much of it in what trouble. Rates are a second."""

    events: int
    rate: float
    doors: int
    faults: int
    seed: int
    database: str = "sqlite"
    single: float = nemesis.SINGLE_SHARE
    longest_s: float = math.inf
    disk_mb: int = 512
    settle_s: float = 60.0
    at_most_s: float = math.inf

    @property
    def seconds(self) -> float:
        """For how long devices speak."""
        return min(self.events / self.rate, self.at_most_s)


@dataclass
class Outcome:
    """`happened` are the faults, `seconds` how long devices spoke, `took_s` the whole of it."""

    verdict: Verdict
    happened: list[Fault]
    seconds: float
    took_s: float
    waits_ms: dict[str, list[float]]


@contextmanager
def standing(given: Given, *, migrated: Path | None = None) -> Iterator[Estate]:
    """An estate with a disk and cables of its own. Needs root."""
    with ExitStack() as stack:
        # Ends last: what is mounted in it goes first.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringward-chaos-")))
        disk = stack.enter_context(Disk.mounted(folder / "disk", given.disk_mb))
        cables = {name: stack.enter_context(Cable.laid(str(number))) for number, name in enumerate(WIRED)}
        postgres = None
        if given.database == "postgresql":
            where = stack.enter_context(tempfile.TemporaryDirectory(prefix="ringward-pg-"))
            postgres = Postgres(Path(where))
            stack.callback(postgres.stop)
        lanes = min(given.doors, int(given.doors / given.seconds * DOOR_AGAIN_S) + 1)
        estate = Estate(
            folder / "site", doors=lanes, postgres=postgres, cables=cables, disk=disk, migrated=migrated
        )
        stack.enter_context(closing(estate))
        yield estate


def run(
    given: Given, estate: Estate, tell: Callable[[Estate, list[Fault]], None] = lambda _estate, _faults: None
) -> Outcome:
    """Returns when everything has settled. `tell` is called now and then; it may raise to end the run early.

    Ended early it settles all the same, with what was said until then.
    """
    began = time.monotonic()
    estate.start()
    chance = random.Random(given.seed)
    planned = nemesis.plan(
        chance,
        nemesis.kinds_of(estate),
        faults=given.faults,
        seconds=given.seconds,
        single=given.single,
        longest_s=given.longest_s,
    )
    breaking = nemesis.Nemesis(estate, planned, estate.folder / "faults.ndjson")
    spoke = time.monotonic()
    for kind, devices in ORDINARY.items():
        each, speed = round(given.events * SHARE[kind] / devices), given.rate * SHARE[kind] / devices
        more = (
            {"says": "face.captured", "poison_every": min(POISON_EVERY, max(each // 3, 1))}
            if kind == "native"
            else {}
        )
        estate.speak(kind, each, speed, **more)
    estate.speak("doors", given.doors, given.doors / given.seconds)

    def going_on() -> bool:
        tell(estate, breaking.happened)
        return estate.busy()

    hushed = False
    try:
        breaking.rage(going_on)
        while going_on():
            time.sleep(0.2)
    except StoppedError:
        estate.hush()
        hushed = True
    seconds = time.monotonic() - spoke
    estate.settle(given.settle_s, hushed=hushed)
    verdict = estate.verdict(breaking.happened)
    return Outcome(verdict, breaking.happened, seconds, time.monotonic() - began, dict(estate.waits_ms()))


class StoppedError(Exception):
    """Somebody has asked for an end."""
