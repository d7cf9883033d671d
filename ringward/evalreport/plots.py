"""The plots of an evaluation as SVG: text stays text, nothing is loaded from anywhere."""

import io
from collections.abc import Callable, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recognition.evaluation.faces import FPIRS, WHOLE, Evaluation, Point
from recognition.evaluation.labels import Kind
from recognition.evaluation.metrics import BINS

_SIZE: Final = (7.2, 4.2)
_COLOURS: Final = ("#1f6f8b", "#d1495b", "#8a9a5b", "#edae49", "#5f4b8b")


def roc(evaluation: Evaluation) -> str:
    """True accept rate over false accept rate, pairs of single pictures, by group."""

    def draw(axes: Axes) -> None:
        for colour, pairs in zip(_COLOURS, evaluation.pairs, strict=False):
            if pairs.roc:
                axes.plot(
                    [far for far, _ in pairs.roc],
                    [tar for _, tar in pairs.roc],
                    color=colour,
                    label=pairs.group,
                )
        axes.set(xscale="log", xlabel="false accept rate of pairs", ylabel="true accept rate", ylim=(0, 1.02))
        _legend(axes)

    return _svg("ROC of picture pairs", draw)


def over_gallery(evaluation: Evaluation) -> str:
    """TPIR over gallery size at measured thresholds, up to three photos and three frames."""

    def draw(axes: Axes) -> None:
        for colour, target in zip(_COLOURS, FPIRS, strict=False):
            for group, style in (
                (WHOLE, "-"),
                *((g.group, "--") for g in evaluation.pairs if g.group != WHOLE),
            ):
                points = [p for p in _measured(evaluation, group) if p.fpir_target == target]
                _line(axes, points, colour, style, f"{group}, FPIR {target:g}")
        axes.set(xscale="log", xlabel="people enrolled", ylabel="TPIR", ylim=(0, 1.02))
        _legend(axes)

    return _svg("Residents named rightly (whoever has two photos)", draw)


def promises(evaluation: Evaluation) -> str:
    """Observed over promised FPIR on people the calibration did not see; the band is a factor of two."""

    def draw(axes: Axes) -> None:
        axes.plot([5e-4, 0.2], [5e-4, 0.2], color="#888", linewidth=1)
        axes.fill_between([5e-4, 0.2], [2.5e-4, 0.1], [1e-3, 0.4], color="#888", alpha=0.15, linewidth=0)
        frames = sorted({kept.frames for kept in evaluation.promises})
        for place, (colour, count) in enumerate(zip(_COLOURS, frames, strict=False)):
            seen = [kept for kept in evaluation.promises if kept.frames == count and kept.fpir.value]
            for number, kept in enumerate(seen):
                value, low, high = kept.fpir.value or 0.0, kept.fpir.low or 0.0, kept.fpir.high or 0.0
                x = kept.target * (1 + 0.09 * (place - 1) + 0.03 * (number % 3))
                axes.errorbar(
                    x,
                    value,
                    [[value - max(low, 1e-5)], [high - value]],
                    fmt="o",
                    markersize=4,
                    color=colour,
                    label=f"{count} fused" if number == 0 else None,
                )
        axes.set(xscale="log", yscale="log", xlabel="promised FPIR", ylabel="observed FPIR", ylim=(1e-4, 0.4))
        _legend(axes)

    return _svg("Promised and observed false names", draw)


def histogram(evaluation: Evaluation, group: str) -> str:
    """Distances of the same person's pairs and of different people's, one group."""
    pairs = next(one for one in evaluation.pairs if one.group == group)

    def draw(axes: Axes) -> None:
        edges = BINS.tolist()
        axes.stairs(pairs.different, edges, fill=True, color=_COLOURS[1], alpha=0.5, label="different people")
        axes.stairs(pairs.same, edges, fill=True, color=_COLOURS[0], alpha=0.6, label="same person")
        axes.set(xlabel="distance", ylabel="share of pairs", xlim=(0, 1.7))
        _legend(axes)

    return _svg(f"Distances: {group} ({pairs.people} people, {pairs.pictures} pictures)", draw)


def detection(evaluation: Evaluation) -> str | None:
    """What became of pictures in which a face had to be found; None where there were none."""
    looks = {key: found for key, found in evaluation.looks.items() if key[1] is not Kind.ALIGNED}
    if not looks:
        return None

    def draw(axes: Axes) -> None:
        names = [f"{kind.value}, {group or 'no group'}" for group, kind in looks]
        left = [0.0] * len(names)
        for colour, look in zip(
            _COLOURS, sorted({one for found in looks.values() for one in found}), strict=False
        ):
            shares = [found.get(look, 0) / sum(found.values()) for found in looks.values()]
            axes.barh(names, shares, left=left, color=colour, label=look.value.replace("_", " "))
            left = [a + b for a, b in zip(left, shares, strict=True)]
        axes.set(xlabel="share of pictures", xlim=(0, 1))
        _legend(axes)

    return _svg("Faces found", draw)


def _measured(evaluation: Evaluation, group: str) -> list[Point]:
    return [
        point
        for point in evaluation.points
        if point.group == group
        and point.source == "measured"
        and point.protocol.everyone
        and (point.protocol.enrol, point.protocol.frames) == (3, 3)
    ]


def _line(axes: Axes, points: Sequence[Point], colour: str, style: str, label: str) -> None:
    known = [
        (p.gallery_people, p.tpir.value, p.tpir.low, p.tpir.high) for p in points if p.tpir.value is not None
    ]
    if known:
        sizes = [size for size, *_ in known]
        axes.plot(sizes, [float(v or 0) for _, v, *_ in known], style, color=colour, marker=".", label=label)
        axes.fill_between(
            sizes,
            [float(low or 0) for *_, low, _ in known],
            [float(high or 0) for *_, high in known],
            color=colour,
            alpha=0.12,
            linewidth=0,
        )


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8)
    axes.grid(visible=True, alpha=0.25)


def _svg(title: str, draw: Callable[[Axes], None]) -> str:
    """Without pyplot: nothing is kept and no display is asked for."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set_title(title, fontsize=11)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    # Inline, an SVG has no prologue of its own.
    return text[text.index("<svg") :]
