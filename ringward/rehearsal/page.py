"""A rehearsal as one HTML page: self-contained, without a script, every text escaped, nobody named."""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from alerts.rehearsal import Change
from alerts.rehearsal.comparing import Count
from console.texts import Texts
from ringward.rehearsal.showing import Rehearsal, identity, place_of
from ringward.rehearsal.timeline import KINDS, hours, kind_of, sign, timeline

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
# A page that lists more is not read; the JSON has all of them.
_MOST: Final = 400
_STYLE: Final = """
:root{color-scheme:light}
body{font:15px/1.55 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;color:#1c2126;
max-width:70rem;margin:1.5rem auto;padding:0 1rem;background:#fff}
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.3rem 0}.quiet{color:#59626b}
.sum{display:grid;grid-template-columns:repeat(auto-fit,minmax(6.4rem,1fr));gap:.6rem;margin:1rem 0;padding:0}
.sum div{border:1px solid #d8dde2;border-radius:.4rem;padding:.5rem .7rem}
.sum dd{font-size:1.5rem;margin:0;font-variant-numeric:tabular-nums}.sum dt{color:#59626b;font-size:.85rem}
.wide{overflow-x:auto;-webkit-overflow-scrolling:touch}
.timeline{display:block;width:100%;min-width:46rem;height:auto}
.timeline text{font:12px system-ui,sans-serif;fill:#59626b}.timeline text.rule{fill:#1c2126}
.timeline .tick{stroke:#e3e7ea}.timeline .row{stroke:#eef0f2}
.sign{width:1rem;height:1rem;vertical-align:-.15rem;margin-right:.25rem}
.legend span{display:inline-block;margin-right:1.1rem;white-space:nowrap}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.28rem .6rem;border-bottom:1px solid #e3e7ea;text-align:right;white-space:nowrap}
th{font-weight:600;color:#59626b}td:first-child,th:first-child,.text td,.text th{text-align:left}
.warn{border-left:4px solid #b5460f;padding:.3rem .8rem;background:#fdf3ee}
@media print{.wide{overflow:visible}.timeline{min-width:0}}
"""


def page(rehearsal: Rehearsal, texts: Texts) -> str:
    """The page in the texts' language."""
    return "\n".join(_page(rehearsal, texts))


def _page(rehearsal: Rehearsal, texts: Texts) -> Iterator[str]:
    found = rehearsal.comparison
    zone = found.time_zone
    title = texts("rehearsal.title", compound=rehearsal.compound)
    yield f"<!doctype html><html lang='{texts.lang}'><head><meta charset='utf-8'>"
    yield "<meta name='viewport' content='width=device-width,initial-scale=1'>"
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
    yield f"<h1>{escape(title)}</h1>"
    start, end = (moment.astimezone(zone) for moment in (rehearsal.start, rehearsal.end))
    span = f"{start:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M} ({zone})"
    yield f"<p>{escape(span)}</p>"
    yield f"<p>{escape(_what(rehearsal, texts))}</p>"
    yield f"<p class='quiet'>{escape(texts('rehearsal.read', count=f'{rehearsal.observations:,}'))}</p>"
    yield from _failed(rehearsal, texts)
    yield from _sum(rehearsal, texts)
    yield f"<h2>{escape(texts('rehearsal.timeline'))}</h2><p class='legend'>"
    for kind in KINDS if rehearsal.against else KINDS[:1]:
        yield f"<span>{sign(kind)}{escape(texts(f'rehearsal.{kind}'))}</span>"
    yield f"</p><div class='wide' tabindex='0'>{timeline(rehearsal, texts)}</div>"
    yield f"<h2>{escape(texts('rehearsal.by_rule'))}</h2>"
    rules = {texts.code("rule", rule): count for rule, count in found.by_rule().items()}
    yield from _counts(rehearsal, texts("rehearsal.rule"), rules, texts)
    yield f"<h2>{escape(texts('rehearsal.by_ring'))}</h2>"
    rings = {texts.code("ring", ring): count for ring, count in found.by_ring().items()}
    yield from _counts(rehearsal, texts("rehearsal.ring"), rings, texts)
    yield f"<h2>{escape(texts('rehearsal.by_hour'))}</h2>"
    yield f"<div class='wide' tabindex='0'>{hours(rehearsal, texts)}</div>"
    yield from _list(rehearsal, texts)
    yield "</main></body></html>"


def _what(rehearsal: Rehearsal, texts: Texts) -> str:
    if rehearsal.against is None:
        return texts("rehearsal.alone", draft=rehearsal.draft)
    return texts("rehearsal.beside", draft=rehearsal.draft, against=rehearsal.against)


def _failed(rehearsal: Rehearsal, texts: Texts) -> Iterator[str]:
    failed = sorted({fault.rule for outcome in rehearsal.outcomes for fault in outcome.faults})
    if failed:
        yield f"<p class='warn'>{escape(texts('rehearsal.failed', rules=', '.join(failed)))}</p>"


def _sum(rehearsal: Rehearsal, texts: Texts) -> Iterator[str]:
    count = rehearsal.comparison.whole
    shown = [("draft", count.draft)]
    if rehearsal.against is not None:
        shown = [("against", count.current), ("draft", count.draft), ("new", count.new), ("gone", count.gone)]
        shown += [("earlier", count.earlier), ("later", count.later)]
        shown += [("graver", count.graver), ("milder", count.milder)]
    yield "<dl class='sum'>"
    for name, value in shown:
        yield f"<div><dt>{escape(texts(f'rehearsal.{name}'))}</dt><dd>{value:,}</dd></div>"
    yield "</dl>"


def _counts(rehearsal: Rehearsal, group: str, counts: dict[str, Count], texts: Texts) -> Iterator[str]:
    columns: tuple[str, ...] = ("draft",)
    if rehearsal.against is not None:
        columns = ("against", "draft", "new", "gone", "earlier", "later", "graver", "milder")
    head = [group, *(texts(f"rehearsal.{column}") for column in columns)]
    field = {"against": "current"}
    rows = [
        [name, *(str(getattr(count, field.get(column, column)) or "–") for column in columns)]
        for name, count in counts.items()
    ]
    yield from _table(head, rows)


def _list(rehearsal: Rehearsal, texts: Texts) -> Iterator[str]:
    changes = [change for change in rehearsal.comparison.changes if kind_of(change) != "kept"]
    if rehearsal.against is None:
        changes = list(rehearsal.comparison.changes)
    yield f"<h2>{escape(texts('rehearsal.changes' if rehearsal.against else 'rehearsal.all'))}</h2>"
    if not changes:
        yield f"<p>{escape(texts('rehearsal.nothing'))}</p>"
        return
    if len(changes) > _MOST:
        words = texts("rehearsal.first", most=_MOST, count=f"{len(changes):,}")
        yield f"<p class='quiet'>{escape(words)}</p>"
    names = ("when", "rule", "change", "severity", "where", "id")
    rows = [_row(rehearsal, change, texts) for change in changes[:_MOST]]
    yield from _table([texts(f"rehearsal.{name}") for name in names], rows, kind="text")


def _row(rehearsal: Rehearsal, change: Change, texts: Texts) -> list[str]:
    told = change.one
    at = told.raised_at.astimezone(rehearsal.comparison.time_zone)
    what = change_words(change, texts) if rehearsal.against else texts("rehearsal.raised")
    level = severity_words(change, texts)
    return [
        f"{at:%m-%d %H:%M:%S}",
        told.rule,
        what,
        level,
        place_of(told),
        identity(told),
    ]


def change_words(change: Change, texts: Texts) -> str:
    """What became of it, with how much earlier or later."""
    kind = kind_of(change)
    if kind != "moved":
        return texts(f"rehearsal.{kind}")
    words = []
    if change.later_s:
        name = "later" if change.later_s > 0 else "earlier"
        words.append(texts(f"rehearsal.{name}_by", seconds=f"{abs(change.later_s):.10g}"))
    if change.milder:
        words.append(texts("rehearsal.milder" if change.milder > 0 else "rehearsal.graver"))
    return texts("rehearsal.and").join(words)


def severity_words(change: Change, texts: Texts) -> str:
    """The level; both where they differ."""
    if change.draft is not None and change.current is not None and change.milder:
        before, after = (texts(f"severity.{one.severity}") for one in (change.current, change.draft))
        return f"{before} → {after}"
    return texts(f"severity.{change.one.severity}")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]], kind: str = "") -> Iterator[str]:
    yield f"<div class='wide' tabindex='0'><table class='{kind}'><thead><tr>"
    yield "".join(f"<th scope='col'>{escape(name)}</th>" for name in head) + "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
    yield "</tbody></table></div>"
