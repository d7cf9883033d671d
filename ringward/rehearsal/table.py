"""A rehearsal on the terminal."""

from rich.console import Console
from rich.table import Table

from alerts.rehearsal.comparing import Count
from console.texts import Texts
from ringward.rehearsal.page import change_words, severity_words
from ringward.rehearsal.showing import Rehearsal, identity, place_of
from ringward.rehearsal.timeline import kind_of

_MOST = 40


def show(console: Console, rehearsal: Rehearsal, texts: Texts) -> None:
    """By rule, ring and hour, and the first of what would be otherwise."""
    found = rehearsal.comparison
    _counts(console, rehearsal, texts, "rule", found.by_rule())
    _counts(console, rehearsal, texts, "ring", {texts.code("ring", n): c for n, c in found.by_ring().items()})
    _counts(console, rehearsal, texts, "hour", {f"{hour:02}": c for hour, c in found.by_hour().items()})
    changes = [c for c in found.changes if rehearsal.against is None or kind_of(c) != "kept"]
    if changes:
        table = Table(title=texts("rehearsal.changes" if rehearsal.against else "rehearsal.all"))
        for name in ("when", "rule", "change", "severity", "where", "id"):
            table.add_column(texts(f"rehearsal.{name}"))
        for change in changes[:_MOST]:
            told = change.one
            table.add_row(
                f"{told.raised_at.astimezone(found.time_zone):%m-%d %H:%M:%S}",
                told.rule,
                change_words(change, texts) if rehearsal.against else texts("rehearsal.raised"),
                severity_words(change, texts),
                place_of(told),
                identity(told),
            )
        console.print(table)
        if len(changes) > _MOST:
            console.print(texts("rehearsal.first", most=_MOST, count=f"{len(changes):,}"))
    failed = sorted({fault.rule for outcome in rehearsal.outcomes for fault in outcome.faults})
    if failed:
        console.print(f"[red]{texts('rehearsal.failed', rules=', '.join(failed))}[/red]")
    read = texts("rehearsal.read", count=f"{rehearsal.observations:,}")
    console.print(f"{read} {rehearsal.seconds:.1f} s")


def _counts(
    console: Console, rehearsal: Rehearsal, texts: Texts, group: str, counts: dict[str, Count]
) -> None:
    names: tuple[str, ...] = ("draft",)
    if rehearsal.against is not None:
        names = ("against", "draft", "new", "gone", "earlier", "later", "graver", "milder")
    table = Table(title=texts(f"rehearsal.by_{group}"), show_footer=group == "rule")
    table.add_column(texts(f"rehearsal.{group}"), footer=texts("rehearsal.whole"))
    fields = ["current" if name == "against" else name for name in names]
    for name, field in zip(names, fields, strict=True):
        whole = getattr(rehearsal.comparison.whole, field)
        table.add_column(texts(f"rehearsal.{name}"), justify="right", footer=str(whole))
    for name, count in counts.items():
        table.add_row(name, *(str(getattr(count, field) or "–") for field in fields))
    console.print(table)
