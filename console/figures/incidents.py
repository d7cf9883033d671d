"""What happened: alarms by day, hour, ring, kind and what they turned out to be."""

from alerts.reporting import alarms, gathering
from alerts.review.counting import Outcome
from console.figures.document import Figure, Section, Table
from console.figures.ground import Ground
from console.plots import Bar, Part, Plot, bars, columns, heat

_MOST_KINDS = 12
_KINDS = {
    Outcome.CONFIRMED: "fill-a",
    Outcome.FALSE: "fill-b",
    Outcome.CLEARED: "fill-c",
    Outcome.UNDECIDED: "fill-d",
    Outcome.NO_ALARM: "fill-e",
}
_SEVERITIES = ("1", "2", "3", "4")


def section(ground: Ground) -> Section:
    """Numbers, the days, the hours, the rings and the kinds."""
    found = gathering.alarms(ground.session, ground.scope)
    before = gathering.alarms(ground.session, ground.scope.before())
    raised = gathering.raised(ground.session, ground.scope)
    number, earlier = alarms.total(found), alarms.total(before)
    ends, earlier_ends = alarms.outcomes(found), alarms.outcomes(before)
    figures = [Figure(ground.t("stats.alarms"), f"{number:,}", ground.than_before(number, earlier))]
    figures += [
        Figure(
            ground.t(f"stats.ended.{one}"), f"{ends[one]:,}", ground.than_before(ends[one], earlier_ends[one])
        )
        for one in (Outcome.CONFIRMED, Outcome.FALSE, Outcome.UNDECIDED)
    ]
    held = alarms.held(found)
    figures.append(Figure(ground.t("stats.held"), f"{held:,}", ground.t("stats.held_hint")))
    by_ring = alarms.split(found, lambda one: one.ring, lambda one: str(one.severity))
    by_kind = alarms.split(found, lambda one: one.kind, lambda one: str(one.outcome))
    return Section(
        "incidents",
        ground.t("stats.incidents"),
        figures=figures,
        plots=[
            _days(ground, raised),
            _hours(ground, raised),
            _rings(ground, by_ring),
            _kinds(ground, by_kind),
        ],
        tables=[_ring_table(ground, by_ring), _kind_table(ground, by_kind), _day_table(ground, raised)],
        hint=ground.t("stats.apart"),
        nothing=ground.t("stats.quiet"),
    )


def _days(ground: Ground, raised: gathering.Quarters) -> Plot:
    days = alarms.daily(raised, ground.choice.first, ground.choice.last, ground.view.zone)
    word = ground.t("stats.alarms")
    found = [Bar(ground.day(day), (Part(number, "fill-a", word),)) for day, number in days]
    title = ground.t("stats.by_day")
    return columns(title, _said(ground, title, found), found, named_every=max(1, -(-len(found) // 10)))


def _hours(ground: Ground, raised: gathering.Quarters) -> Plot:
    grid = alarms.heat(raised, ground.view.zone)
    rows = [(ground.t(f"stats.weekday.{day}"), line) for day, line in enumerate(grid)]
    title = ground.t("stats.by_hour")
    worst = max(
        ((number, day, hour) for day, line in enumerate(grid) for hour, number in enumerate(line)),
        key=lambda one: (one[0], -one[1], -one[2]),
    )
    when = f"{ground.t(f'stats.weekday.{worst[1]}')} {worst[2]:02d}:00"
    said = ground.t("stats.said_most", title=title, name=when, n=worst[0])
    return heat(title, said, rows, [f"{hour:02d}" for hour in range(alarms.HOURS)])


def _rings(ground: Ground, found: dict[str, dict[str, int]]) -> Plot:
    rows = [
        Bar(
            ground.view.t.code("ring", ring),
            tuple(
                Part(counts.get(one, 0), f"severity-{one}", ground.view.t.code("severity", one))
                for one in _SEVERITIES
            ),
        )
        for ring, counts in found.items()
    ]
    title = ground.t("stats.by_ring")
    return bars(title, _said(ground, title, rows), rows)


def _kinds(ground: Ground, found: dict[str, dict[str, int]]) -> Plot:
    rows = [
        Bar(
            ground.view.t.code("kind", kind),
            tuple(
                Part(counts.get(str(one), 0), colour, ground.t(f"stats.ended.{one}"))
                for one, colour in _KINDS.items()
            ),
        )
        for kind, counts in list(found.items())[:_MOST_KINDS]
    ]
    title = ground.t("stats.by_kind")
    return bars(title, _said(ground, title, rows), rows)


def _said(ground: Ground, title: str, found: list[Bar]) -> str:
    """What a plot shows, for who does not see it: the largest of it."""
    most = max(found, key=lambda bar: bar.total, default=None)
    if most is None or not most.total:
        return title
    return ground.t("stats.said_most", title=title, name=most.name, n=round(most.total))


def _ring_table(ground: Ground, found: dict[str, dict[str, int]]) -> Table:
    heads = (ground.t("figures.ring"), *(ground.view.t.code("severity", one) for one in _SEVERITIES))
    rows = [
        (
            ground.view.t.code("ring", ring),
            *(str(counts.get(one, 0)) for one in _SEVERITIES),
            str(sum(counts.values())),
        )
        for ring, counts in found.items()
    ]
    return Table(
        "rings",
        ground.t("stats.by_ring"),
        (*heads, ground.t("figures.total")),
        rows,
        frozenset(range(1, 6)),
    )


def _kind_table(ground: Ground, found: dict[str, dict[str, int]]) -> Table:
    heads = (ground.t("figures.kind"), *(ground.t(f"stats.ended.{one}") for one in _KINDS))
    rows = [
        (
            ground.view.t.code("kind", kind),
            *(str(counts.get(str(one), 0)) for one in _KINDS),
            str(sum(counts.values())),
        )
        for kind, counts in found.items()
    ]
    return Table(
        "kinds",
        ground.t("stats.by_kind"),
        (*heads, ground.t("figures.total")),
        rows,
        frozenset(range(1, 7)),
    )


def _day_table(ground: Ground, raised: gathering.Quarters) -> Table:
    days = alarms.daily(raised, ground.choice.first, ground.choice.last, ground.view.zone)
    rows = [(day.isoformat(), str(number)) for day, number in days]
    heads = (ground.t("stats.day"), ground.t("stats.alarms"))
    return Table("days", ground.t("stats.by_day"), heads, rows, frozenset({1}), shown=0)
