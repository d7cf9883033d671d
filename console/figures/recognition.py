"""How recognition did: what it decided, what people said of it, and which thresholds were in force."""

from alerts.reporting.intervals import Rate
from console.figures.document import Figure, Section, Table
from console.figures.ground import Ground
from console.plots import Bar, Interval, Part, bars, intervals
from recognition.feedback import outcomes
from recognition.feedback.intervals import Share
from recognition.feedback.score import score, tallies

_MOST = 12


def section(ground: Ground) -> Section:
    """Decisions by outcome, answers with their intervals, thresholds by gallery."""
    scope = ground.scope
    passages = outcomes.passages(ground.session, scope.compound, scope.start, scope.end)
    earlier_ones = outcomes.passages(ground.session, scope.compound, scope.before().start, scope.before().end)
    decided, in_force = outcomes.decided(passages), outcomes.in_force(passages)
    found = tallies(ground.session, scope.compound, scope.start, scope.end)
    scores = [score(looked, found[looked]) for looked in sorted(found)]
    excluded = outcomes.excluded(ground.session, scope.compound)
    t = ground.view.t
    number, earlier = (sum(one.count for one in some) for some in (passages, earlier_ones))
    near = sum(one.near_misses for one in in_force)
    figures = [
        Figure(ground.t("stats.decisions"), f"{number:,}", ground.than_before(number, earlier)),
        Figure(ground.t("stats.near"), f"{near:,}", ground.t("stats.near_hint")),
        Figure(ground.t("stats.excluded"), str(excluded), ground.t("stats.excluded_hint")),
    ]
    names = [
        (t.code("picture", one.kind), t.code(f"outcome.{one.kind}", one.outcome), one) for one in decided
    ]
    title = ground.t("stats.by_outcome")
    word = ground.t("stats.passages")
    plot = bars(
        title,
        title,
        [Bar(f"{kind} · {name}", (Part(one.count, "fill-a", word),)) for kind, name, one in names[:_MOST]],
    )
    rated = [
        (ground.places.device(one.looked.device), one)
        for one in scores
        if one.false_of_judged.value is not None or one.missed_of_judged.value is not None
    ]
    answered = ground.t("stats.false_names")
    answers = intervals(
        answered,
        answered,
        [
            Interval(name, share.low, share.value, share.high, f"{share.count}/{share.of}")
            for name, one in rated[:_MOST]
            if (share := one.false_of_judged).value is not None
        ],
    )
    return Section(
        "recognition",
        ground.t("stats.recognition"),
        figures=figures if number else [],
        plots=[plot, answers],
        tables=[
            Table(
                "outcomes",
                title,
                (ground.t("stats.picture"), ground.t("stats.outcome"), ground.t("stats.count")),
                [(kind, name, f"{one.count}") for kind, name, one in names],
                frozenset({2}),
            ),
            Table(
                "camera_answers",
                ground.t("stats.camera_answers"),
                tuple(ground.t(f"stats.{head}") for head in ("device", "false_names", "missed_people")),
                [(name, _share(one.false_of_judged), _share(one.missed_of_judged)) for name, one in rated],
                frozenset({1, 2}),
            ),
            Table(
                "thresholds",
                ground.t("stats.thresholds"),
                tuple(
                    ground.t(f"stats.{head}") for head in ("gallery", "count", "people", "threshold", "near")
                ),
                [
                    (
                        _gallery(ground, one.gallery),
                        str(one.decisions),
                        str(one.people if one.people is not None else "–"),
                        f"{one.least:.3f}"
                        if one.least == one.greatest
                        else f"{one.least:.3f}–{one.greatest:.3f}",
                        str(one.near_misses),
                    )
                    for one in in_force
                ],
                frozenset({1, 2, 3, 4}),
            ),
        ],
        hint=ground.t("stats.recognition_hint"),
        nothing=ground.t("stats.no_decisions"),
    )


def _gallery(ground: Ground, gallery: str) -> str:
    """A gallery's name: whose faces are in it."""
    kind, _, key = gallery.partition(":")
    name = ground.view.t.code("stats_gallery", kind)
    return f"{name} · {ground.places.zone(key)}" if kind == "building" and key else name or "–"


def _between(least: float, greatest: float) -> str:
    return f"{least:.3f}" if least == greatest else f"{least:.3f}–{greatest:.3f}"


def _share(share: Share) -> str:
    if share.value is None:
        return "–"
    one = Rate(share.count, share.of, share.value, share.low, share.high)
    return f"{one.count}/{one.of} ({one.low:.0%}–{one.high:.0%})"
