"""The plots of the performance page, as SVG: text stays text, nothing is loaded from anywhere."""

import io
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ringward.bench.report import Report
from ringward.bench.targets import TARGETS, Target

COLOURS: Final = ("#1f6f8b", "#d1495b", "#8a9a5b", "#edae49", "#5f4b8b", "#444444")
_WIDTH: Final = 7.6
_LEAST: Final = 0.01
_MOST: Final = 100.0

Reports = Mapping[str, Sequence[Report]]


def of(reports: Reports, soak: Sequence[dict[str, Any]] = ()) -> dict[str, str]:
    """SVG by name, of whatever was measured."""
    drawn = {
        "targets": _targets(reports),
        "scale": _scale(reports.get("scale", ())),
        "fairness": _fairness(reports.get("fairness", ())),
    }
    if "soak" in reports:
        drawn["soak"] = _soak(soak)
    return {name: svg for name, svg in drawn.items() if svg is not None}


def _targets(reports: Reports) -> str | None:
    """How much of its promise each figure uses up: left of one is kept, right of it missed."""
    rows = []
    for target in TARGETS:
        value = _value(target, reports.get(target.bench, ()))
        if value is not None and target.bound != 0:
            rows.append((f"{target.bench}: {target.what}", _used(target, value), target.met(value)))
    if not rows:
        return None
    rows.reverse()

    def draw(axes: Axes) -> None:
        axes.barh(
            [what for what, _, _ in rows],
            [min(_MOST, max(_LEAST, used)) for _, used, _ in rows],
            color=[COLOURS[0] if met else COLOURS[1] for _, _, met in rows],
        )
        axes.axvline(1.0, color="#222", linewidth=1)
        axes.set(xscale="log", xlabel="measured over promised (left of 1 is kept)")
        axes.tick_params(axis="y", labelsize=8)

    return svg("Promises", draw, height=1.2 + 0.27 * len(rows))


def _scale(reports: Sequence[Report]) -> str | None:
    """The cost at each size over that of the least, by what grows; the band is what is promised."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for key in reports[-1].figures if reports else ():
        axis, size, what = key.split("_", 2)
        if what in ("cpu_an_event_ms", "cpu_a_picture_ms"):
            cost = statistics.median(one.figures[key] for one in reports if key in one.figures)
            lines.setdefault(axis, []).append((int(size), cost))
    if not lines:
        return None

    def draw(axes: Axes) -> None:
        axes.axhspan(0.9, 1.1, color="#888", alpha=0.15, linewidth=0)
        for colour, (axis, points) in zip(COLOURS, lines.items(), strict=False):
            (least, first), *_ = points
            axes.plot(
                [size / least for size, _ in points],
                [cost / first for _, cost in points],
                marker="o",
                markersize=4,
                color=colour,
                label=f"{axis}, {least:,} – {points[-1][0]:,}",
            )
        axes.set(xscale="log", xlabel="times as many", ylabel="cost over that of the least", ylim=(0, None))

    return svg("Processor time of an event while a deployment grows", draw)


def _fairness(reports: Sequence[Report]) -> str | None:
    """How long neighbours wait for their answer, alone and beside each nuisance."""
    if not reports:
        return None
    scenes = ("calm", "mad_camera", "mad_compound", "stuck_worker")

    def draw(axes: Axes) -> None:
        for shift, (share, colour) in enumerate((("p50", COLOURS[0]), ("p99", COLOURS[1]))):
            waits = [
                statistics.median(one.figures[f"{scene}_answer_{share}_ms"] for one in reports)
                for scene in scenes
            ]
            places = [place + 0.38 * shift for place in range(len(scenes))]
            axes.barh(places, waits, height=0.36, color=colour, label=share)
        axes.set_yticks([place + 0.19 for place in range(len(scenes))])
        axes.set_yticklabels([scene.replace("_", " ") for scene in scenes])
        axes.invert_yaxis()
        axes.set(xscale="log", xlabel="milliseconds from publish to answer")

    return svg("What neighbours feel", draw)


def _soak(samples: Sequence[dict[str, Any]]) -> str | None:
    """Each process's memory over the hours."""
    if not samples:
        return None

    def draw(axes: Axes) -> None:
        for colour, name in zip(COLOURS, samples[-1]["processes"], strict=False):
            kept = [one for one in samples if name in one["processes"]]
            axes.plot(
                [one["s"] / 3600 for one in kept],
                [one["processes"][name]["memory_mb"] for one in kept],
                color=colour,
                label=name,
            )
        axes.set(xlabel="hours", ylabel="megabytes", ylim=(0, None))

    return svg("Memory over time", draw)


def _used(target: Target, value: float) -> float:
    if target.way == "at most":
        return value / target.bound
    return target.bound / value if value > 0 else _MOST


def _value(target: Target, reports: Sequence[Report]) -> float | None:
    values = [kept[target.key] for one in reports for kept in (one.figures, one.ratios) if target.key in kept]
    return statistics.median(values) if values else None


def svg(title: str, draw: Callable[[Axes], None], *, height: float = 3.6) -> str:
    """Without pyplot: nothing is kept and no display is asked for."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set_title(title, fontsize=11)
        axes.grid(visible=True, alpha=0.25)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()
