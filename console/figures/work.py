"""What people did: rounds that were walked, measures that were taken, letters that came."""

from alerts.notify.models import AttemptState, NotificationState
from alerts.patrols import facts as patrols
from alerts.reporting import gathering
from alerts.reporting.intervals import rate
from console.figures.document import Figure, Section, Table
from console.figures.ground import Ground
from console.plots import Bar, Part, bars

_COLOURS = {
    AttemptState.RECEIVED: "fill-a",
    AttemptState.HANDED_OVER: "fill-c",
    AttemptState.SENDING: "fill-e",
    AttemptState.UNCERTAIN: "fill-d",
    AttemptState.FAILED: "fill-b",
}


def rounds(ground: Ground) -> Section:
    """Patrols by route: done, missed, points that nobody came by."""
    scope = ground.scope
    found = patrols.report(ground.session, scope.compound, scope.start, scope.end, ground.view.now)
    walked = [one for one in found if one.rounds]
    title = ground.t("stats.patrols")
    plot = bars(
        title,
        title,
        [
            Bar(
                one.name,
                (
                    Part(one.done, "fill-a", ground.t("stats.done")),
                    Part(one.missed, "fill-b", ground.t("stats.missed")),
                    Part(one.aborted, "fill-d", ground.t("stats.aborted")),
                    Part(one.open, "fill-e", ground.t("stats.open")),
                ),
            )
            for one in walked
        ],
    )
    heads = ("route", "rounds", "done", "missed", "aborted", "points_missed", "done_share")
    rows = [
        (
            one.name,
            str(one.rounds),
            str(one.done),
            str(one.missed),
            str(one.aborted),
            f"{one.points_missed}/{one.points}",
            ground.rate(rate(one.done, one.rounds - one.open)),
        )
        for one in walked
    ]
    table = Table(
        "patrols", title, tuple(ground.t(f"stats.{head}") for head in heads), rows, frozenset(range(1, 7))
    )
    return Section("patrols", title, plots=[plot], tables=[table], nothing=ground.t("stats.no_patrols"))


def measures(ground: Ground) -> Section:
    """The two lists, in numbers: what is on them may name somebody."""
    scope = ground.scope
    found = gathering.wanted(ground.session, scope.compound, scope.start, scope.end)
    before = gathering.wanted(ground.session, scope.compound, scope.before().start, scope.before().end)
    late = ground.t("stats.of_them_late", n=found.late)
    figures = [
        Figure(ground.t("stats.measures_done"), str(found.done), ground.than_before(found.done, before.done)),
        Figure(ground.t("stats.measures_open"), str(found.open), late),
        Figure(ground.t("stats.needs_open"), str(sum(found.needs.values()))),
    ]
    rows = [(ground.places.zone(zone) if zone else "–", str(number)) for zone, number in found.needs.items()]
    heads = (ground.t("stats.zone"), ground.t("stats.needs_open"))
    table = Table("needs", ground.t("stats.needs_by_zone"), heads, rows, frozenset({1}))
    return Section("measures", ground.t("nav.measures"), figures=figures, tables=[table] if rows else [])


def letters(ground: Ground) -> Section:
    """What people were told, by channel, and what is known of whether it came."""
    found = gathering.letters(ground.session, ground.scope)
    asked = sum(found.states.values())
    reached = rate(
        sum(found.states.get(one, 0) for one in (NotificationState.TOLD, NotificationState.ANSWERED)),
        asked
        - found.states.get(NotificationState.WITHDRAWN, 0)
        - found.states.get(NotificationState.PENDING, 0),
    )
    t = ground.view.t
    figures = [
        Figure(ground.t("stats.letters"), f"{asked:,}"),
        Figure(ground.t("stats.reached"), ground.rate(reached), ground.counted(reached)),
        Figure(ground.t("stats.unreached"), str(found.states.get(NotificationState.UNREACHED, 0))),
    ]
    title = ground.t("stats.attempts")
    plot = bars(
        title,
        title,
        [
            Bar(
                t.code("way", kind),
                tuple(
                    Part(states.get(one, 0), colour, t.code("attempt", one))
                    for one, colour in _COLOURS.items()
                ),
            )
            for kind, states in sorted(found.attempts.items(), key=lambda pair: -sum(pair[1].values()))
        ],
    )
    heads = (ground.t("stats.channel"), *(t.code("attempt", one) for one in _COLOURS))
    rows = [
        (t.code("way", kind), *(str(states.get(one, 0)) for one in _COLOURS))
        for kind, states in found.attempts.items()
    ]
    return Section(
        "letters",
        ground.t("stats.notifications"),
        figures=figures if asked else [],
        plots=[plot],
        tables=[Table("letters", title, heads, rows, frozenset(range(1, 6)))],
        hint=ground.t("stats.letters_hint"),
        nothing=ground.t("stats.no_letters"),
    )


def _sum(found: gathering.Letters, *states: NotificationState) -> int:
    return sum(found.states.get(one, 0) for one in states)
