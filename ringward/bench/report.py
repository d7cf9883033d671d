"""The one shape of every benchmark's result: flat keys, units at the end, ratios beside."""

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from ringward.bench.machine import machine


class Report(msgspec.Struct):
    """`ratios` are figures over their ceiling or peer of the same run."""

    name: str
    at: str
    revision: str
    machine: dict[str, Any]
    settings: dict[str, Any]
    figures: dict[str, float]
    ceilings: dict[str, float]
    ratios: dict[str, float]


def report(
    name: str,
    settings: dict[str, Any],
    figures: dict[str, float],
    ceilings: dict[str, float],
    ratios: dict[str, float],
) -> Report:
    """Adds what the reader of a figure must know: when, which code, which machine."""
    return Report(
        name,
        dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        revision(),
        machine(),
        settings,
        {key: round(value, 3) for key, value in figures.items()},
        {key: round(value, 3) for key, value in ceilings.items()},
        {key: round(value, 3) for key, value in ratios.items()},
    )


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0…1) of the sorted values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def revision() -> str:
    root = Path(__file__).resolve().parents[2]
    # Where files differ from it, it says so: `-dirty`.
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude", "*"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
