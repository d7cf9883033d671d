"""An evaluation of faces as one flat object, in the shape that every benchmark has."""

from collections.abc import Mapping
from typing import Any

from recognition.evaluation.faces import HEADLINE, WHOLE, Evaluation, Point
from recognition.evaluation.labels import Kind
from recognition.evaluation.metrics import Estimate
from ringward.bench.report import Report, report


class FacesReport(Report):
    """``figures`` holds what could be measured; ``not_measured`` says why of what could not.

    ``corrected`` is the same object made with corrected labels; it stands beside and replaces nothing.
    """

    operating_points: list[dict[str, Any]]
    promises: list[dict[str, Any]]
    detection: list[dict[str, Any]]
    suspects: list[dict[str, Any]]
    not_measured: dict[str, str]
    corrected: "FacesReport | None" = None


def faces_report(
    evaluation: Evaluation, settings: dict[str, Any], corrected: Evaluation | None = None
) -> FacesReport:
    engine = evaluation.calibration.engine
    figures: dict[str, float] = {"people": evaluation.people, "pictures": evaluation.pictures}
    ceilings: dict[str, float] = {}
    ratios: dict[str, float] = {}
    missing: dict[str, str] = {}
    for pairs in evaluation.pairs:
        for far, (tar, distance) in pairs.tar.items():
            _put(figures, missing, f"{pairs.group}_pairs_tar_at_far_{_word(far)}", tar)
            if distance is not None:
                figures[f"{pairs.group}_pairs_distance_at_far_{_word(far)}"] = distance
    for everyone in (False, True):
        point = evaluation.headline(everyone=everyone)
        if point is not None:
            key = f"{WHOLE}_{point.protocol.name}_tpir_at_fpir_{_word(HEADLINE[2])}"
            _put(figures, missing, key, point.tpir)
            if point.first_place is not None and point.tpir.value is not None:
                ceilings[f"{WHOLE}_{point.protocol.name}_first_place_share"] = point.first_place
                ratios[f"{key}_over_first_place"] = point.tpir.value / point.first_place
    for kept in evaluation.promises:
        if kept.fpir.value is not None:
            name = f"{kept.gallery_people}_people_{kept.frames}_frames_fpir_{_word(kept.target)}"
            ratios[f"observed_over_promised_{name}"] = kept.fpir.value / kept.target
    base = report("eval faces", settings, figures, ceilings, ratios)
    return FacesReport(
        **{name: getattr(base, name) for name in Report.__struct_fields__},
        operating_points=[_point(engine, point) for point in evaluation.points],
        promises=[
            {
                "engine": engine,
                "gallery_people": kept.gallery_people,
                "fused_frames": kept.frames,
                "fpir_target": kept.target,
                "threshold": round(kept.threshold, 4),
                **_estimate("fpir", kept.fpir),
            }
            for kept in evaluation.promises
        ],
        detection=_detection(evaluation),
        suspects=[
            {"first": one.first, "second": one.second, "distance": round(one.distance, 4)}
            for one in evaluation.suspects
        ],
        not_measured=missing,
        corrected=faces_report(corrected, settings) if corrected else None,
    )


def _point(engine: str, point: Point) -> dict[str, Any]:
    """``threshold`` is that of passages with as many frames as the protocol has, where they have one."""
    thresholds: Mapping[int, float] = point.thresholds
    longest = max(thresholds, default=None)
    return {
        "engine": engine,
        "group": point.group,
        "protocol": point.protocol.name,
        "threshold_source": point.source,
        "gallery_people": point.gallery_people,
        "enrol_photos": point.protocol.enrol,
        "fused_frames": point.protocol.frames,
        "fpir_target": point.fpir_target,
        **_estimate("fpir", point.fpir),
        **_estimate("tpir", point.tpir),
        "threshold": None if longest is None else round(thresholds[longest], 4),
        "thresholds_by_frames": {str(k): round(value, 4) for k, value in sorted(thresholds.items())},
        "tpir_single_threshold": _rounded(point.single),
        "tpir_clear_of_next": _rounded(point.clear),
        "first_place": _rounded(point.first_place),
        "people_coming": point.people or None,
        "strangers": point.strangers or None,
    }


def _detection(evaluation: Evaluation) -> list[dict[str, Any]]:
    rows = []
    for (group, kind), looks in evaluation.looks.items():
        if kind is Kind.ALIGNED:
            continue
        pictures = sum(looks.values())
        rows.append(
            {
                "group": group or "none",
                "kind": kind.value,
                "pictures": pictures,
                **{f"{look.value}_share": round(count / pictures, 4) for look, count in looks.items()},
            }
        )
    return rows


def _put(figures: dict[str, float], missing: dict[str, str], key: str, value: Estimate) -> None:
    if value.value is None or value.low is None or value.high is None:
        missing[f"{key}_share"] = value.reason or "not measured"
        return
    figures[f"{key}_share"] = value.value
    figures[f"{key}_low_share"] = value.low
    figures[f"{key}_high_share"] = value.high


def _estimate(name: str, value: Estimate) -> dict[str, Any]:
    found: dict[str, Any] = {name: _rounded(value.value)}
    if name == "tpir" or value.low is not None:
        found |= {f"{name}_low": _rounded(value.low), f"{name}_high": _rounded(value.high)}
    if value.value is None:
        found[f"{name}_reason"] = value.reason
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _word(rate: float) -> str:
    """0.01 as ``1e_2``: keys are words."""
    return f"{rate:.0e}".replace("e-0", "e_").replace("e-", "e_")
