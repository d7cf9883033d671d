"""What was measured as one Markdown page: promises first, then each benchmark's own table and plots.

Of several runs the median stands in the tables, and beside it the least and the most. The plots lie as SVG
files in a folder beside the page.
"""

import json
import math
import statistics
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ringward.bench import plots
from ringward.bench.programme import PROGRAMME
from ringward.bench.report import Report
from ringward.bench.suite import Run
from ringward.bench.targets import TARGETS, Target, targets_of

PLOTS: Final = "plots"
QUIET_CORES: Final = 0.1
"""With more than this kept busy by others, a run is not called quiet."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A key's value in each of the runs that have it."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def told(self) -> str:
        if len(self.values) == 1 or min(self.values) == max(self.values):
            return number(self.median)
        return f"{number(self.median)} ({number(min(self.values))} – {number(max(self.values))})"


def write(path: Path, runs: Sequence[Run], trail: Path | None = None) -> None:
    """The page, and its plots in the folder `plots` beside it. `runs` holds at least one.

    `trail` is what a soak left, if there is one. Plots of what was not measured this time go away.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.parent / PLOTS
    folder.mkdir(exist_ok=True)
    for former in folder.glob("bench-*.svg"):
        former.unlink()
    samples = trail.read_text().splitlines() if trail is not None and trail.exists() else []
    for name, drawn in plots.of(_reports(runs), [json.loads(line) for line in samples]).items():
        (folder / f"bench-{name}.svg").write_text(drawn)
    path.write_text("\n".join(_page(runs, folder)) + "\n")


def _page(runs: Sequence[Run], folder: Path) -> Iterator[str]:
    yield "# Performance"
    yield ""
    yield "<!-- Written by `ringward bench page`. Measure again instead of changing it here. -->"
    yield ""
    yield _prose(
        """Each figure stands beside its ceiling or its peer of the same run: what the same machine does at
        best without what is ours. Ratios are what to compare between machines; times are this machine's.
        `make bench` measures yours and writes this page; `ringward bench --help` names each benchmark, and
        `ringward bench page a.json b.json` puts the medians of several runs here. With
        `--models DIR`, a folder of face models, the ONNX engine is measured end to end, else dlib's."""
    )
    yield ""
    yield from _runs(runs)
    yield from _targets(runs)
    told = {one.name for run in runs for one in run.outcomes}
    for entry in PROGRAMME:
        if entry.name in told:
            yield from _bench(entry.name, entry.about, runs, folder)


def _runs(runs: Sequence[Run]) -> Iterator[str]:
    yield "## The runs"
    yield ""
    yield "| when | revision | form | machine | others kept busy | minutes |"
    yield "|---|---|---|---|---|---|"
    for run in runs:
        elsewhere = max((one.elsewhere_cores for one in run.outcomes), default=0.0)
        spent = sum(one.seconds for one in run.outcomes)
        mean = sum(one.elsewhere_cores * one.seconds for one in run.outcomes) / max(1.0, spent)
        yield (
            f"| {run.at} | {run.revision} | {'full' if run.full else 'quick'} | {_machine(run)} "
            f"| {mean:.2f} cores, at most {elsewhere:.2f} | {spent / 60:.0f} |"
        )
    yield ""
    if any(one.elsewhere_cores > QUIET_CORES for run in runs for one in run.outcomes):
        yield _prose(
            """Others used the machine meanwhile: times and rates are worse than they would be alone, and
            whatever wants two cores had less. Above the table of each benchmark stands how much."""
        )
        yield ""
    if not all(run.full for run in runs):
        yield "The quick form is a look at whether anything is far off, with too few samples for a p99."
        yield ""


def _targets(runs: Sequence[Run]) -> Iterator[str]:
    rows = [(target, found) for target in TARGETS if (found := _target(target, runs)) is not None]
    met = sum(target.met(found.median) for target, found in rows)
    yield "## What is promised"
    yield ""
    others = len(TARGETS) - len(rows)
    yield f"{met} of {len(rows)} are met." + (f" {others} more were not measured here." if others else "")
    yield ""
    missing = [f"`{one.name}`" for one in PROGRAMME if one.name not in _reports(runs)]
    if missing:
        yield _prose(f"Without a figure here: {', '.join(missing)}.")
        yield ""
    if rows:
        yield f"![Each promise, and how far from it the figure is]({PLOTS}/bench-targets.svg)"
        yield ""
    yield "| benchmark | what | promised | measured | |"
    yield "|---|---|---|---|---|"
    for target, found in rows:
        verdict = "met" if target.met(found.median) else "**missed**"
        yield (
            f"| [{target.bench}](#{target.bench}) | {target.what} | {target.way} {number(target.bound)} "
            f"| {found.told} | {verdict} |"
        )
    yield ""
    failed = [(run, one) for run in runs for one in run.outcomes if one.report is None]
    for run, one in failed:
        last = (one.failed or "").strip().splitlines()[-1:] or [""]
        yield f"- `{one.name}` of {run.at} came to no figure: {last[0]}"
    if failed:
        yield ""


def _bench(name: str, about: str, runs: Sequence[Run], folder: Path) -> Iterator[str]:
    reports = _reports(runs).get(name, [])
    yield f"## {name}"
    yield ""
    yield _prose(about)
    yield ""
    if not reports:
        yield "It came to no figure."
        yield ""
        return
    newest = reports[-1]
    elsewhere = [one.elsewhere_cores for run in runs for one in run.outcomes if one.name == name]
    yield _prose(
        f"`ringward bench {name}` at {newest.revision}: {_settings(newest.settings)}. Others kept "
        f"{max(elsewhere):.2f} cores busy."
    )
    yield ""
    if (folder / f"bench-{name}.svg").exists():
        yield f"![{about}]({PLOTS}/bench-{name}.svg)"
        yield ""
    promised = {target.key: target for target in targets_of(name)}
    yield "| | value | promised |"
    yield "|---|---|---|"
    for heading, part in (("", "figures"), ("ceiling: ", "ceilings"), ("ratio: ", "ratios")):
        for key in getattr(newest, part):
            found = _found(reports, part, key)
            target = promised.get(key)
            said = "" if target is None else f"{target.way} {number(target.bound)}"
            yield f"| {heading}`{key}` | {found.told} | {said} |"
    yield ""


def _reports(runs: Sequence[Run]) -> dict[str, list[Report]]:
    """Reports by benchmark, the oldest run's first."""
    found: dict[str, list[Report]] = {}
    for run in sorted(runs, key=lambda one: one.at):
        for one in run.outcomes:
            if one.report is not None:
                found.setdefault(one.name, []).append(one.report)
    return found


def _found(reports: Sequence[Report], part: str, key: str) -> _Found:
    kept: list[Mapping[str, float]] = [getattr(report, part) for report in reports]
    return _Found(tuple(values[key] for values in kept if key in values))


def _target(target: Target, runs: Sequence[Run]) -> _Found | None:
    reports = _reports(runs).get(target.bench, [])
    for part in ("figures", "ratios"):
        found = _found(reports, part, target.key)
        if found.values:
            return found
    return None


def _machine(run: Run) -> str:
    for one in run.outcomes:
        if one.report is not None:
            kept = one.report.machine
            memory = f", {kept['memory_gb']:g} GB" if "memory_gb" in kept else ""
            return f"{kept['cores']} cores {kept['arch']}{memory}, Python {kept['python']}"
    return "unknown"


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key} {value if isinstance(value, int | float | str) else json.dumps(value)}"
        for key, value in settings.items()
    )


def _prose(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def number(value: float) -> str:
    """Three digits that count, and no more; whole numbers as they are."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
