"""Hours of steady traffic: do memory, file handles or threads of a process grow?

A deployment runs as processes with a console and a recognition process; devices publish, a camera shows
faces. Each minute goes to a trail of JSON lines, so that hours are not lost with the last one. What grows is
told by its slope after the first quarter, in which caches fill; a slope counts where it is surely above
what is allowed. SIGTERM ends it with what it has.
"""

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ringward.bench.estate import Crowd, Estate, estate
from ringward.bench.gatecamera import GateCamera
from ringward.bench.machine import open_files, pss_mb, threads
from ringward.bench.report import Report, percentile, report
from ringward.bench.slopes import slope
from ringward.demo import DemoPictures
from ringward.demo.portraits import STRANGER

RATE: Final = 20.0
PICTURE_EVERY_S: Final = 2.0
ALLOWED_SHARE_PER_H: Final = 0.01
"""Of a process's memory: more than this each hour is growth."""
ALLOWED_COUNT_PER_H: Final = 1.0
"""File handles or threads."""

LEAST_H: Final = 0.5
"""Within less, what a start still fills up looks like growth: then there is no verdict."""

_COMPOUNDS: Final = 3
_DEVICES: Final = 31
_WARM_SHARE: Final = 0.25
_STRETCH_S: Final = 5.0
_KINDS: Final = ("memory_mb", "files", "threads")


def run(*, hours: float, trail: Path, every_s: float = 60.0, portraits: Path | None = None) -> Report:
    """Raises `RuntimeError` where a process ends."""
    trail.parent.mkdir(parents=True, exist_ok=True)
    pictures = _pictures(portraits)
    samples: list[dict[str, Any]] = []
    acknowledged = sent = 0
    with (
        _asked_to_end() as ending,
        estate(
            compounds=_COMPOUNDS,
            devices=_DEVICES,
            beside={"recognition": "recognition", "console": "console"},
        ) as here,
        trail.open("w") as file,
    ):
        camera = GateCamera(here, here.devices[-1], pictures, PICTURE_EVERY_S)
        camera.start()
        began = time.monotonic()
        try:
            with Crowd(here, here.devices[:-1]) as crowd:
                while time.monotonic() - began < hours * 3600 and not ending.is_set():
                    waits: list[float] = []
                    due = time.monotonic() + every_s
                    while time.monotonic() < due and not ending.is_set():
                        crowd.begin(rate=RATE, seconds=min(_STRETCH_S, every_s))
                        said = crowd.end()
                        sent, acknowledged = sent + said.sent, acknowledged + said.acknowledged
                        waits += said.waits_ms
                    sample = _sample(here, time.monotonic() - began, waits)
                    samples.append(sample)
                    file.write(json.dumps(sample) + "\n")
                    file.flush()
        finally:
            camera.stop()
        here.await_(here.told, "all is told")
        lost = max(0, acknowledged - here.stored())
    figures = _figures(samples) | {
        "hours": samples[-1]["s"] / 3600 if samples else 0.0,
        "events": float(acknowledged),
        "pictures": float(len(camera.tracks)),
        "unanswered": float(sent - acknowledged),
        "lost": float(lost),
    }
    settings = {
        "hours": hours,
        "every_s": every_s,
        "rate_per_s": RATE,
        "picture_every_s": PICTURE_EVERY_S,
        "compounds": _COMPOUNDS,
        "devices": _DEVICES,
        "ended_early": ending.is_set(),
    }
    return report("soak", settings, figures, {}, _ratios(samples))


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """Set when the process is asked to end; what was set up for that before comes back afterwards."""
    ending = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, lambda *_: ending.set())
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sample(here: Estate, passed: float, waits: Sequence[float]) -> dict[str, Any]:
    return {
        "s": round(passed, 1),
        "answer_p50_ms": percentile(list(waits), 0.5) if waits else None,
        "answer_p99_ms": percentile(list(waits), 0.99) if waits else None,
        "processes": {
            name: {
                "memory_mb": round(pss_mb(pid), 2),
                "files": open_files(pid),
                "threads": threads(pid),
            }
            for name, pid in here.processes().items()
        },
    }


def _figures(samples: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Slopes an hour, and how many of them are growth. Without enough samples there are none to tell."""
    kept = samples[int(len(samples) * _WARM_SHARE) :]
    found: dict[str, float] = {}
    growing = 0
    if not kept:
        return found
    times = [one["s"] / 3600 for one in kept]
    for name in kept[-1]["processes"]:
        for kind in _KINDS:
            values = [float(one["processes"][name][kind]) for one in kept]
            found[f"{name}_{kind}_last"] = values[-1]
            grows = slope(times, values)
            if grows is None:
                continue
            allowed = ALLOWED_SHARE_PER_H * values[0] if kind == "memory_mb" else ALLOWED_COUNT_PER_H
            growing += grows.low > allowed
            found[f"{name}_{kind}_per_h"] = grows.median
            found[f"{name}_{kind}_per_h_at_least"] = grows.low
    if times[-1] - times[0] >= LEAST_H and any(key.endswith("_per_h") for key in found):
        found["growing"] = float(growing)
    return found


def _ratios(samples: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Answers of the last third over those of the first."""
    waits = [one["answer_p50_ms"] for one in samples if one["answer_p50_ms"] is not None]
    third = len(waits) // 3
    if third == 0:
        return {}
    return {"answer_p50_last_over_first": percentile(waits[-third:], 0.5) / percentile(waits[:third], 0.5)}


def _pictures(portraits: Path | None) -> list[bytes]:
    drawn = DemoPictures(portraits or Path(sys.prefix) / "share" / "ringward" / "portraits")
    return [drawn.face(STRANGER) for _ in range(4)]
