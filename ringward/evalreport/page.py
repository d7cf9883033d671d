"""An evaluation as one HTML page: self-contained, without a script, every text escaped."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any, Final

from recognition.evaluation.faces import FPIRS, WHOLE, Evaluation, Point
from recognition.evaluation.labels import Kind
from recognition.evaluation.metrics import Estimate
from ringward.evalreport import plots
from ringward.evalreport.facesjson import FacesReport

_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:68rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.6rem 0 1.6rem}
th,td{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:right}
td{white-space:nowrap}
th:first-child,td:first-child{text-align:left}
svg{max-width:100%;height:auto}
caption{text-align:left;font-weight:600}
"""

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def faces_page(report: FacesReport, evaluation: Evaluation, corrected: Evaluation | None = None) -> str:
    return "\n".join(_page(report, evaluation, corrected))


def _page(report: FacesReport, evaluation: Evaluation, corrected: Evaluation | None) -> Iterator[str]:
    file = evaluation.calibration
    title = f"Faces: {file.engine} {file.engine_version}"
    yield "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
    yield (
        f"<p>{escape(report.at)}, revision {escape(report.revision)}. {evaluation.people} people, "
        f"{evaluation.pictures} pictures: {escape(file.data)}. Intervals are 95 %, people drawn again.</p>"
    )
    yield from _figures("As labelled", evaluation)
    if corrected is not None:
        yield from _figures("With corrected labels", corrected)
    yield "<h2>False names promised and observed</h2>"
    yield "<p>Calibrated on half of the people, tested on the other half, ten times.</p>"
    yield plots.promises(evaluation)
    yield from _promises(evaluation)
    yield f"<h2>Gallery size</h2>{plots.over_gallery(evaluation)}"
    yield f"<h2>Pairs of pictures</h2>{plots.roc(evaluation)}"
    yield from _pairs(evaluation)
    for pairs in evaluation.pairs:
        yield plots.histogram(evaluation, pairs.group)
    found = plots.detection(evaluation)
    if found is not None:
        yield f"<h2>Faces found</h2>{found}"
        yield from _detection(evaluation)
    yield "<h2>Calibration</h2>"
    yield (
        f"<p>Nobody is named beyond {file.identify_cap:.3f}: {escape(file.identify_cap_reason)}. "
        f"Margin {file.margin:.3f}: {escape(file.margin_reason)}.</p>"
    )
    yield "<h2>Identities that the engine takes for one person</h2>"
    rows = [(one.first, one.second, f"{one.distance:.3f}") for one in evaluation.suspects]
    yield from _table(
        "Nearer than chance explains; a person has to look", ("one", "the other", "distance"), rows
    )
    yield "</body></html>"


def _figures(heading: str, evaluation: Evaluation) -> Iterator[str]:
    yield f"<h2>{escape(heading)}: residents named rightly (TPIR)</h2>"
    points = [point for point in evaluation.points if point.protocol.enrol == point.protocol.frames]
    largest: dict[tuple[str, str, Any], int] = {}
    for point in points:
        key = (point.group, point.source, point.protocol)
        largest[key] = max(largest.get(key, 0), point.gallery_people)
    shown = [p for p in points if p.gallery_people == largest[p.group, p.source, p.protocol]]
    yield from _points("The largest gallery", shown)
    rest = [
        p
        for p in evaluation.points
        if p.group == WHOLE and p.source == "measured" and p.fpir_target in FPIRS[:2] and p not in shown
    ]
    yield "<details><summary>All sizes, photos and frames</summary>"
    yield from _points("Measured thresholds", rest)
    yield "</details>"


def _points(caption: str, points: Sequence[Point]) -> Iterator[str]:
    head = (
        "group",
        "who comes again",
        "photos",
        "frames",
        "enrolled",
        "threshold",
        "FPIR wanted",
        "FPIR",
        "TPIR",
        "one threshold",
        "clear of next",
    )
    rows = [
        (
            p.group,
            p.protocol.name,
            p.protocol.enrol,
            p.protocol.frames,
            p.gallery_people,
            p.source,
            f"{p.fpir_target:g}",
            _value(p.fpir),
            _value(p.tpir),
            _percent(p.single),
            _percent(p.clear),
        )
        for p in points
    ]
    yield from _table(caption, head, rows)
    yield from _missing([p.fpir for p in points] + [p.tpir for p in points])


def _promises(evaluation: Evaluation) -> Iterator[str]:
    rows = [
        (f"{k.gallery_people}", k.frames, f"{k.target:g}", _value(k.fpir), _times(k.fpir, k.target))
        for k in evaluation.promises
    ]
    yield from _table("", ("enrolled", "frames", "promised", "observed", "observed ÷ promised"), rows)
    yield from _missing([k.fpir for k in evaluation.promises])


def _pairs(evaluation: Evaluation) -> Iterator[str]:
    rows = [
        (
            pairs.group,
            pairs.people,
            pairs.pictures,
            f"{far:g}",
            _value(tar),
            "" if at is None else f"{at:.3f}",
        )
        for pairs in evaluation.pairs
        for far, (tar, at) in pairs.tar.items()
    ]
    yield from _table("", ("group", "people", "pictures", "FAR", "TAR", "distance"), rows)
    yield from _missing([tar for pairs in evaluation.pairs for tar, _ in pairs.tar.values()])


def _detection(evaluation: Evaluation) -> Iterator[str]:
    rows = [
        (f"{kind.value}, {group or 'no group'}", look.value.replace("_", " "), count)
        for (group, kind), looks in evaluation.looks.items()
        if kind is not Kind.ALIGNED
        for look, count in looks.items()
    ]
    yield from _table("", ("pictures", "what was found", "count"), rows)


def _table(caption: str, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    yield f"<table><caption>{escape(caption)}</caption><tr>"
    yield "".join(f"<th>{escape(name)}</th>" for name in head) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in row) + "</tr>"
    yield "</table>"


def _missing(estimates: Iterable[Estimate]) -> Iterator[str]:
    """Why there is a dash: what too few people carry is not estimated."""
    reasons = sorted({one.reason for one in estimates if one.value is None and one.reason})
    if reasons:
        yield f"<p>–: too few to measure. {escape('; '.join(reasons))}.</p>"


def _value(found: Estimate) -> str:
    if found.value is None:
        return "–"
    if found.low is None or found.high is None:
        return f"{100 * found.value:.2f} %"
    return f"{100 * found.value:.2f} % [{100 * found.low:.2f}, {100 * found.high:.2f}]"


def _times(found: Estimate, target: float) -> str:
    return "–" if found.value is None else f"{found.value / target:.2f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"
