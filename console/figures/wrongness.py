"""How often rules and devices were wrong, and what the alert budget held back."""

from collections.abc import Sequence

from alerts.reporting import alarms, gathering
from alerts.reporting.alarms import Wrongness
from alerts.rulebook import heldback
from console.figures.document import Section, Table
from console.figures.ground import Ground
from console.plots import Interval, Plot, intervals

_MOST = 12
_NUMBERS = frozenset({1, 2, 3, 4})


def section(ground: Ground) -> Section:
    """By rule and by device, each with its interval: 1 of 2 is not 50 %."""
    found = gathering.alarms(ground.session, ground.scope)
    rules = alarms.wrongness(found, lambda one: one.rule)
    devices = alarms.wrongness(found, lambda one: one.device)
    by_rule, by_device = ground.t("stats.false_by_rule"), ground.t("stats.false_by_device")
    rule_names = [(ground.view.t.code("rule", one.key), one) for one in rules]
    device_names = [(ground.places.device(one.key), one) for one in devices]
    return Section(
        "false_alarms",
        ground.t("stats.false_alarms"),
        plots=[_plot(ground, by_rule, rule_names), _plot(ground, by_device, device_names)],
        tables=[
            _table(ground, "false_by_rule", by_rule, ground.t("figures.rule"), rule_names),
            _table(ground, "false_by_device", by_device, ground.t("stats.device"), device_names),
        ],
        hint=ground.t("stats.interval_hint"),
        nothing=ground.t("stats.unjudged"),
    )


def held(ground: Ground) -> Section:
    """What nobody was shown, because nobody could have looked at it."""
    scope = ground.scope
    found = heldback.report(ground.session, scope.compound, scope.start, scope.end)
    rows = [
        (
            ground.view.t.code("rule", one.rule),
            ground.places.device(one.device),
            ground.view.t.code("severity", str(one.severity)),
            ground.view.t.code("held_back", one.reason),
            str(one.count),
            str(one.still),
        )
        for one in found.groups
    ]
    heads = tuple(
        ground.t(f"stats.{head}")
        for head in ("rule", "device", "severity", "why_held", "count", "still_held")
    )
    words = [ground.t("stats.held_sum", held=found.held, raised=found.raised, out=found.came_out)]
    return Section(
        "held",
        ground.t("stats.budget"),
        words=words if found.held else [],
        tables=[Table("held", ground.t("stats.budget"), heads, rows, frozenset({4, 5}))],
        hint=ground.t("stats.budget_hint"),
        nothing=ground.t("stats.none_held"),
    )


def _plot(ground: Ground, title: str, found: Sequence[tuple[str, Wrongness]]) -> Plot:
    shown = [
        Interval(name, one.rate.low, one.rate.value, one.rate.high, ground.counted(one.rate))
        for name, one in found[:_MOST]
        if one.rate.value is not None
    ]
    said = title
    if shown:
        worst = shown[0]
        said = ground.t(
            "stats.said_rate", title=title, name=worst.name, counted=worst.counted, low=f"{worst.low:.0%}"
        )
    return intervals(title, said, shown)


def _table(ground: Ground, name: str, title: str, head: str, found: Sequence[tuple[str, Wrongness]]) -> Table:
    rows = [
        (key, str(one.alarms), str(one.rate.of), str(one.rate.count), ground.rate(one.rate))
        for key, one in found
    ]
    heads = (head, *(ground.t(f"stats.{key}") for key in ("alarms", "judged", "false", "share")))
    return Table(name, title, heads, rows, _NUMBERS)
