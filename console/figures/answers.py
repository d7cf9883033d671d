"""How quickly: from the alarm to each step, by severity, shift and kind; exercises apart."""

import datetime as dt
from collections.abc import Mapping, Sequence

from alerts.reporting import gathering
from alerts.reporting.answers import Answered, Mark, Shift, Times, grouped, limit, times
from alerts.review.responses import percentile
from console.figures.document import Section, Table
from console.figures.ground import Ground
from console.plots import Plot, Point, line
from console.plots.scales import time_ticks

_NUMBERS = frozenset(range(1, 7))
_ASKED = (Mark.DECIDED, Mark.ARRIVED)


def section(ground: Ground) -> Section:
    """Percentiles of all, and of each severity, shift and kind."""
    found = gathering.answered(ground.session, ground.scope, ground.view.zone)
    before = {
        one.mark: one
        for one in times(gathering.answered(ground.session, ground.scope.before(), ground.view.zone))
    }
    all_of_it = times(found)
    t = ground.view.t
    tables = [_table(ground, "answers", ground.t("stats.answers"), all_of_it, before)]
    groups: Sequence[tuple[str, Mapping[str, list[Times]]]] = (
        ("severity", grouped((t.code("severity", str(one.severity)), one) for one in found)),
        ("shift", _shifts(ground, found)),
        ("kind", _most(grouped((t.code("kind", one.kind), one) for one in found))),
    )
    tables += [_grouped(ground, name, rows) for name, rows in groups]
    return Section(
        "answers",
        ground.t("stats.answers"),
        words=_words(ground, all_of_it),
        plots=[_daily(ground, found)],
        tables=[table for table in tables if table.rows],
        hint=ground.t("stats.answers_hint"),
        nothing=ground.t("stats.unanswered"),
    )


def drills(ground: Ground) -> Section:
    """The same of exercises, which count nowhere else. `ground.scope` is of exercises."""
    found = gathering.answered(ground.session, ground.scope, ground.view.zone)
    number = len(found)
    table = _table(ground, "drills", ground.t("stats.drills"), times(found), {})
    return Section(
        "drills",
        ground.t("stats.drills"),
        words=[ground.t("stats.drills_number", n=number)] if number else [],
        tables=[table] if table.rows else [],
        hint=ground.t("stats.drills_hint"),
        nothing=ground.t("stats.no_drills"),
    )


def _words(ground: Ground, found: list[Times]) -> list[str]:
    """The one sentence that people ask for."""
    arrived = next((one for one in found if one.mark is Mark.ARRIVED), None)
    first = next((one for one in found if one.mark is Mark.ACKNOWLEDGED), None)
    words = []
    if first is not None:
        p50, p90 = ground.view.lasted(first.p50_s), ground.view.lasted(first.p90_s)
        words.append(ground.t("stats.seen_within", half=p50, most=p90))
    if arrived is not None:
        p50, p90 = ground.view.lasted(arrived.p50_s), ground.view.lasted(arrived.p90_s)
        words.append(ground.t("stats.there_within", half=p50, most=p90))
    return words


def _shifts(ground: Ground, found: list[Answered]) -> dict[str, list[Times]]:
    by = grouped((one.shift, one) for one in found)
    return {ground.t(f"stats.shift.{one}"): by[one] for one in Shift if one in by}


def _most(groups: dict[str, list[Times]], most: int = 8) -> dict[str, list[Times]]:
    ranked = sorted(groups.items(), key=lambda pair: -max((one.count for one in pair[1]), default=0))
    return dict(ranked[:most])


def _table(
    ground: Ground, name: str, title: str, found: Sequence[Times], before: Mapping[Mark, Times]
) -> Table:
    """Every step with its percentiles, and what nine in ten took in the span before."""
    lasted = ground.view.lasted
    rows = [
        (
            ground.t(f"stats.mark.{one.mark}"),
            str(one.count),
            lasted(one.p50_s),
            lasted(one.p90_s),
            lasted(one.p95_s),
            ground.rate(one.in_time),
            lasted(before[one.mark].p90_s) if one.mark in before else "–",
        )
        for one in found
    ]
    heads = ("mark", "count", "p50", "p90", "p95", "in_time", "earlier")
    return Table(name, title, tuple(ground.t(f"stats.{head}") for head in heads), rows, _NUMBERS)


def _grouped(ground: Ground, name: str, groups: Mapping[str, Sequence[Times]]) -> Table:
    """One line a group: of the steps that are asked about what nine in ten took, and how often in time."""
    lasted = ground.view.lasted
    rows = []
    for group, found in groups.items():
        by = {one.mark: one for one in found}
        cells = [group, str(by[Mark.ACKNOWLEDGED].count) if Mark.ACKNOWLEDGED in by else "–"]
        for mark in _ASKED:
            one = by.get(mark)
            cells += [lasted(one.p90_s), ground.rate(one.in_time)] if one is not None else ["–", "–"]
        rows.append(tuple(cells))
    heads = [ground.t(f"stats.group.{name}"), ground.t("stats.mark.acknowledged")]
    for mark in _ASKED:
        step = ground.t(f"stats.mark.{mark}")
        heads += [ground.t("stats.step_p90", step=step), ground.t("stats.step_in_time", step=step)]
    title = ground.t(f"stats.answers_{name}")
    return Table(f"answers_{name}", title, tuple(heads), rows, frozenset(range(1, 2 + 2 * len(_ASKED))))


def _daily(ground: Ground, found: list[Answered]) -> Plot:
    """From the alarm to somebody's word whether it is real: the median of a day, and 10 to 90 %."""
    title = ground.t("stats.decided_by_day")
    by_day: dict[dt.date, list[float]] = {}
    for one in found:
        if Mark.DECIDED in one.seconds:
            day = one.at.astimezone(ground.view.zone).date()
            by_day.setdefault(day, []).append(one.seconds[Mark.DECIDED])
    points = [
        Point(
            ground.day(day),
            percentile(values, 0.5) if (values := by_day.get(day)) else None,
            percentile(values, 0.1) if values else 0.0,
            percentile(values, 0.9) if values else 0.0,
        )
        for day in ground.days
    ]
    tops = [one.high for one in points if one.value is not None]
    marks = time_ticks(max(tops, default=0.0), 4)
    usual = limit(Mark.DECIDED, 2)
    said = ground.t(
        "stats.said_limit", title=title, most=ground.view.lasted(usual.total_seconds()) if usual else "–"
    )
    return line(title, said, points, marks, ground.view.lasted, named_every=max(1, -(-len(points) // 10)))
