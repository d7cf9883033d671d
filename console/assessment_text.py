"""An impact assessment as one Markdown document, in the language of whoever has to read it."""

import enum
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from privacy.models import PiaReport


class Language(enum.StrEnum):
    """Of the document; codes of classes and devices stay what they are in the API."""

    CHINESE = "zh-CN"
    ENGLISH = "en"


_WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("个人信息保护影响评估报告", "Personal information protection impact assessment"),
    "made": ("编制时间", "Made at"),
    "by": ("编制人", "Made by"),
    "hash": ("事实摘要(SHA-256)", "Digest of the facts (SHA-256)"),
    "purposes": ("处理目的与同意", "Purposes and consent"),
    "active": ("有效同意", "Active consents"),
    "withdrawn": ("已撤回", "Withdrawn"),
    "classes": ("数据类别", "Classes of data"),
    "rows": ("数据量", "Rows"),
    "retention_days": ("保存期限", "Retention"),
    "days": ("天", "Days"),
    "recipients": ("提供对象", "Recipients"),
    "disclosures": ("依申请提供", "By disclosure"),
    "watchlist": ("布控接收人", "Of watch-list hits"),
    "devices": ("设备与区域", "Devices and zones"),
    "recognition": ("识别引擎与阈值", "Recognition: engines and thresholds"),
    "measured": ("实测错误率", "Measured error rates"),
    "fmr": ("误识率", "False-match rate of a pair"),
    "distance": ("距离", "Distance"),
    "assessment": ("评估结论:必要性、风险与措施", "Assessment: necessity, risks, measures"),
    "name": ("项目", "Item"),
    "count": ("数量", "Count"),
    "ring": ("防控圈", "Ring"),
    "zone": ("区域", "Zone"),
    "kind": ("类型", "Kind"),
    "none": ("无", "none"),
}


def markdown(report: PiaReport, language: Language) -> str:
    """The whole document; tables for what is a list, the assessment as it was written."""

    def word(key: str) -> str:
        return _WORDS[key][0 if language is Language.CHINESE else 1]

    return "\n".join(_lines(report, word)) + "\n"


def _lines(report: PiaReport, word: Any) -> Iterator[str]:
    facts, counts = report.facts, report.facts["counts"]
    yield f"# {word('title')} · {report.compound} · v{report.version}\n"
    yield f"- {word('made')}: {report.made_at:%Y-%m-%d %H:%M} UTC"
    yield f"- {word('by')}: {report.made_by}"
    yield f"- {word('hash')}: `{report.facts_hash}`\n"
    yield f"## {word('purposes')}\n"
    consents: Mapping[str, Mapping[str, int]] = counts["consents"]
    rows = [(name, one["active"], one["withdrawn"]) for name, one in sorted(consents.items())]
    yield from _table((word("name"), word("active"), word("withdrawn")), rows, word)
    yield f"## {word('classes')}\n"
    yield from _table((word("name"), word("rows")), sorted(counts["rows"].items()), word)
    yield f"## {word('retention_days')}\n"
    yield from _table((word("name"), word("days")), sorted(facts["retention_days"].items()), word)
    yield f"## {word('recipients')}\n"
    for kind in ("disclosures", "watchlist"):
        named = "、".join(facts["recipients"][kind]) or word("none")
        yield f"- {word(kind)}: {named}"
    yield f"\n## {word('devices')}\n"
    devices = [(one["ring"], one["name"], one["kind"], one["devices"]) for one in facts["devices"]]
    yield from _table((word("ring"), word("zone"), word("kind"), word("count")), devices, word)
    yield f"## {word('recognition')}\n"
    known: Mapping[str, Any] = facts["recognition"]
    for name, value in sorted({**known, **counts["gallery_thresholds"]}.items()):
        if name != "measured_error_rates":
            yield f"- `{name}`: {value}"
    yield f"\n### {word('measured')}\n"
    measured = [
        (name, rate, distance)
        for name, points in sorted(known["measured_error_rates"].items())
        for rate, distance in points
    ]
    yield from _table((word("name"), word("fmr"), word("distance")), measured, word)
    yield f"## {word('assessment')}\n"
    yield report.assessment


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]], word: Any) -> Iterator[str]:
    titles, body = list(head), [list(row) for row in rows]
    if not body:
        yield f"{word('none')}\n"
        return
    yield _row(titles)
    yield _row("---" for _ in titles)
    yield from (_row(row) for row in body)
    yield ""


def _row(cells: Iterable[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
