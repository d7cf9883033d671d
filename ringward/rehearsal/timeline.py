"""The timeline of a rehearsal as SVG: a row a rule, a mark an incident, no script and no font of its own."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from html import escape
from typing import Final

from alerts.rehearsal import Change, Kind
from console.texts import Texts
from ringward.rehearsal.showing import Rehearsal

_WIDTH: Final = 1060
_LEFT: Final = 64
_RIGHT: Final = 12
_TOP: Final = 26
_ROW: Final = 24
# Marks of one rule in one of so many slots of the time are one, the larger the more there are.
_SLOTS: Final = 260
# Told apart by their shape too, not by colour alone.
_COLOURS: Final = {"new": "#0b5fa5", "gone": "#b5460f", "moved": "#6a3d9a", "kept": "#8d939a"}
KINDS: Final = tuple(_COLOURS)


def kind_of(change: Change) -> str:
    """new, gone, moved (earlier, later, graver or milder) or kept as it was."""
    if change.kind is not Kind.KEPT:
        return str(change.kind)
    return "moved" if change.later_s or change.milder else "kept"


def timeline(rehearsal: Rehearsal, texts: Texts) -> str:
    """Every incident of both rehearsals over the time that was rehearsed."""
    return "".join(_timeline(rehearsal, texts))


def hours(rehearsal: Rehearsal, texts: Texts) -> str:
    """Incidents by the hour of the compound's clock, both rehearsals beside each other."""
    return "".join(_hours(rehearsal, texts))


def sign(kind: str) -> str:
    """A mark by itself, for a legend."""
    return f"<svg class='sign' viewBox='0 0 16 16' aria-hidden='true'>{_mark(kind, 8, 8, 5.0)}</svg>"


def _timeline(rehearsal: Rehearsal, texts: Texts) -> Iterator[str]:
    zone = rehearsal.comparison.time_zone
    span = (rehearsal.end - rehearsal.start).total_seconds()
    inner = _WIDTH - _LEFT - _RIGHT
    rules = sorted({change.one.rule for change in rehearsal.comparison.changes}, key=_order)
    rows = {rule: _TOP + _ROW * number + _ROW / 2 for number, rule in enumerate(rules)}
    height = _TOP + _ROW * max(len(rules), 1) + 8

    def across(moment: dt.datetime) -> float:
        return _LEFT + inner * min(1.0, max(0.0, (moment - rehearsal.start).total_seconds() / span))

    yield (
        f"<svg class='timeline' viewBox='0 0 {_WIDTH} {height}' role='img' "
        f"aria-label='{escape(texts('rehearsal.timeline'), quote=True)}'>"
    )
    for moment, label in _ticks(rehearsal.start, rehearsal.end, zone):
        x = across(moment)
        yield f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{_TOP - 4}' y2='{height - 8}' class='tick'/>"
        yield f"<text x='{x + 3:.1f}' y='14'>{escape(label)}</text>"
    for rule, y in rows.items():
        yield f"<line x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{y:.1f}' y2='{y:.1f}' class='row'/>"
        yield f"<text x='4' y='{y + 4:.1f}' class='rule'>{escape(rule)}</text>"
    slots: defaultdict[tuple[str, str, int], list[Change]] = defaultdict(list)
    for change in rehearsal.comparison.changes:
        share = (change.one.raised_at - rehearsal.start).total_seconds() / span
        slots[change.one.rule, kind_of(change), int(_SLOTS * share)].append(change)
    # What stays as it is lies below what does not.
    for (rule, kind, _), changes in sorted(
        slots.items(), key=lambda slot: (-KINDS.index(slot[0][1]), slot[0][2])
    ):
        first = changes[0].one.raised_at.astimezone(zone)
        words = f"{rule} {texts(f'rehearsal.{kind}')} {first:%m-%d %H:%M}"
        yield "<g>"
        yield f"<title>{escape(words)}{f' ×{len(changes)}' if len(changes) > 1 else ''}</title>"
        radius = min(9.0, 3.2 + 1.1 * (len(changes) - 1) ** 0.5)
        yield _mark(kind, across(changes[0].one.raised_at), rows[rule], radius)
        yield "</g>"
    yield "</svg>"


def _hours(rehearsal: Rehearsal, texts: Texts) -> Iterator[str]:
    counts = rehearsal.comparison.by_hour()
    most = max((max(one.current, one.draft) for one in counts.values()), default=0) or 1
    width, height, base = 1060, 170, 146
    slot = (width - 60) / 24
    yield (
        f"<svg class='timeline' viewBox='0 0 {width} {height}' role='img' "
        f"aria-label='{escape(texts('rehearsal.by_hour'), quote=True)}'>"
    )
    for value in sorted({most, (most + 1) // 2, 0}):
        y = base - 124 * value / most
        yield f"<line x1='40' x2='{width - 10}' y1='{y:.1f}' y2='{y:.1f}' class='row'/>"
        yield f"<text x='34' y='{y + 4:.1f}' text-anchor='end'>{value}</text>"
    for hour in range(24):
        x = 46 + slot * hour
        yield f"<text x='{x + slot / 2 - 4:.1f}' y='{height - 8}' text-anchor='middle'>{hour:02}</text>"
        found = counts.get(hour)
        if found is None:
            continue
        bars = (
            [("kept", found.current), ("new", found.draft)] if rehearsal.against else [("new", found.draft)]
        )
        for number, (kind, count) in enumerate(bars):
            tall = 124 * count / most
            word = "rehearsal.against" if kind == "kept" else "rehearsal.draft"
            yield (
                f"<rect x='{x + number * slot * 0.42:.1f}' y='{base - tall:.1f}' width='{slot * 0.38:.1f}' "
                f"height='{tall:.1f}' fill='{_COLOURS[kind]}'>"
                f"<title>{hour:02}:00 {escape(texts(word))}: {count}</title></rect>"
            )
    yield "</svg>"


def _mark(kind: str, x: float, y: float, r: float) -> str:
    colour = _COLOURS[kind]
    if kind == "new":
        return f"<path d='M{x:.1f} {y - r - 1:.1f}l{r + 1:.1f} {r + 1:.1f}l-{r + 1:.1f} {r + 1:.1f}l-{r + 1:.1f} -{r + 1:.1f}z' fill='{colour}'/>"  # noqa: E501
    if kind == "gone":
        return (
            f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{r:.1f}' fill='#fff' stroke='{colour}' stroke-width='2'/>"
        )
    if kind == "moved":
        return f"<path d='M{x - r:.1f} {y + r:.1f}h{2 * r:.1f}l-{r:.1f} -{2 * r:.1f}z' fill='{colour}'/>"
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{r:.1f}' fill='{colour}'/>"


def _ticks(start: dt.datetime, end: dt.datetime, zone: dt.tzinfo) -> Iterator[tuple[dt.datetime, str]]:
    """Midnights of a long time, hours of a short one."""
    span = end - start
    hours = next((step for step in (1, 2, 6, 24, 48, 168) if span / dt.timedelta(hours=step) <= 14), 720)
    moment = start.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    while moment < end:
        whole = (moment.hour % hours if hours < 24 else moment.hour) == 0
        if whole and moment >= start and (hours <= 24 or moment.toordinal() % (hours // 24) == 0):
            yield moment, f"{moment:%m-%d}" if hours >= 24 or moment.hour == 0 else f"{moment:%H:%M}"
        moment += dt.timedelta(hours=1)


def _order(rule: str) -> tuple[int, str]:
    """Rules from the outer ring inwards, as their table has them."""
    ring = rule[2:3]
    return ("ECBXD".find(ring), rule)
