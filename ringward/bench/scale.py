"""How the cost of an event grows when a deployment does: more devices, compounds, people, workers.

The cost is the processor time of all processes, broker included, while events come in at a calm rate, over
the events: what passes the clock says more of the machine than of us. It holds what the deployment does for
its compounds anyway; that is told beside, and the cost without it.
"""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ringward.bench.estate import Crowd, estate
from ringward.bench.machine import pss_mb
from ringward.bench.report import Report, report
from ringward.bench.rig import rig
from ringward.bench.street import COMMUNITIES
from ringward.bench.workers import CAMERAS, costs

AXES: Final = ("devices", "compounds", "people", "workers")
RATE: Final = 50.0
COMMUNITY_PEOPLE: Final = 4737
_DEVICES: Final = (25, 50, 100, 200)
_COMPOUNDS: Final = (1, 2, 4, 8, 16, 32, 64, 100)
_COMMUNITIES: Final = (1, 2, 4, 8, COMMUNITIES)
_WORKERS: Final = (1, 2, 4)
_WARM_S: Final = 2.0
_OTHERS: Final = 100
_OTHERS_QUICK: Final = 20


def run(
    *,
    seconds: float,
    full: bool,
    axes: Sequence[str] = AXES,
    portraits: Path | None = None,
    pictures: int = 60,
) -> Report:
    """Each axis from its least to its most; without `full` only those two, and smaller ones."""
    figures: dict[str, float] = {}
    ratios: dict[str, float] = {}
    for axis in axes:
        sizes = _sizes(axis, full=full)
        if axis == "workers":
            found = _workers(sizes, pictures, portraits)
        else:
            found = {}
            # Neither the first nor the last has the quiet of the machine to itself.
            for size in random.Random(axis).sample(sizes, len(sizes)):  # noqa: S311 - an order, no secret
                found[size] = _events(axis, size, seconds, _OTHERS if full else _OTHERS_QUICK)
        keys = list(found[sizes[0]])
        told = [size * COMMUNITY_PEOPLE if axis == "people" else size for size in sizes]
        for size, named in zip(sizes, told, strict=True):
            figures |= {f"{axis}_{named}_{key}": found[size][key] for key in keys}
        for key in keys:
            if key.startswith("cpu") and found[sizes[0]][key] > 0:
                ratios[f"{axis}_{key.removesuffix('_ms')}_growth"] = (
                    found[sizes[-1]][key] / found[sizes[0]][key]
                )
    settings = {
        "seconds": seconds,
        "rate_per_s": RATE,
        "axes": ", ".join(axes),
        "devices_of_the_other_axes": _OTHERS if full else _OTHERS_QUICK,
        "people_of_a_compound": COMMUNITY_PEOPLE,
        "pictures": pictures,
    }
    return report("scale", settings, figures, {}, ratios)


def _sizes(axis: str, *, full: bool) -> tuple[int, ...]:
    every = {
        "devices": _DEVICES,
        "compounds": _COMPOUNDS,
        "people": _COMMUNITIES,
        "workers": _WORKERS,
    }[axis]
    if full:
        return every
    return {"devices": (10, 40), "compounds": (1, 8), "people": (1, 2), "workers": (1, 2)}[axis]


def _events(axis: str, size: int, seconds: float, others: int) -> dict[str, float]:
    """Milliseconds of processor time an event, in all and without what goes on anyway; and memory."""
    devices = size if axis == "devices" else others
    compounds = size if axis == "compounds" else 1
    with (
        estate(compounds=compounds, devices=devices, communities=size if axis == "people" else 0) as here,
        Crowd(here) as crowd,
    ):
        crowd.begin(rate=RATE, seconds=_WARM_S)
        said = crowd.end().sent
        here.await_(lambda: here.stored() >= said and here.told(), "the first events are stored and told")
        time.sleep(_WARM_S)
        idle = _busy(here.used_s, seconds)
        before, began = here.used_s(), time.monotonic()
        crowd.begin(rate=RATE, seconds=seconds)
        sent = crowd.end().sent
        here.await_(lambda: here.stored() >= said + sent and here.told(), "all events are stored and told")
        # What follows from the last ones is theirs, too.
        time.sleep(1.0)
        worked, passed = here.used_s() - before, time.monotonic() - began
        memory = sum(pss_mb(pid) for pid in here.processes().values())
    return {
        "cpu_an_event_ms": worked / sent * 1000,
        "cpu_an_event_beyond_idle_ms": max(0.0, worked - idle * passed) / sent * 1000,
        "idle_cores": idle,
        "memory_mb": memory,
    }


def _busy(used: Callable[[], float], seconds: float) -> float:
    """Cores that are busy while nothing comes."""
    before, began = used(), time.monotonic()
    time.sleep(seconds)
    return (used() - before) / (time.monotonic() - began)


def _workers(sizes: Sequence[int], pictures: int, portraits: Path | None) -> dict[int, dict[str, float]]:
    with rig(more=CAMERAS) as ground:
        return {
            size: {"cpu_a_picture_ms": cost}
            for size, cost in costs(ground, sizes, pictures, portraits).items()
        }
