"""R-X03: somebody or something on the watch-list has come a ring further.

R-E09 speaks of every hit, and takes those of five minutes for one. Who is seen at the gate, and in a
building three quarters of an hour later, is the same visit: this draws the hit into the incident
that is there, and says anew that it has become graver. How grave is R-E09's: the ring's table, and
as far as the entry's priority lets it go.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from alerts.rules.rule import Parameter, Question, Rule, Settings, Signal, View

_HIT: Final = "R-E09"
_DEPTH: Final = {"entrance": 0, "common": 1, "building": 2}


class WatchProgress(Rule):
    """Raises nothing of its own while the first hit's incident is open; each step deeper is said once."""

    id = "R-X03"
    kind = "watchlist.progress"
    rings = frozenset({"common", "building"})
    hears = frozenset({_HIT})
    severities: ClassVar = {}
    key = "entry"
    confirms = True
    parameters = (
        Parameter(
            "window_min",
            "min",
            60,
            5,
            240,
            "How long after a hit a deeper one is the same visit. Too short: the way from the gate to a "
            "door is two incidents. Too long: the morning's visit and the evening's are one.",
        ),
    )

    @staticmethod
    def hear(signal: Signal, view: View, settings: Settings) -> Question | None:
        return Question(signal.anchor, signal.anchor.at, "deeper")

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        seen, window = question.anchor, settings.minutes("window_min")
        said = view.signals(seen.at - window, seen.at + window)
        heard = next((one for one in said if one.rule == _HIT and one.anchor.id == seen.id), None)
        if heard is None:
            return None
        hits = sorted(
            (one for one in said if one.rule == _HIT and one.dedupe_key == heard.dedupe_key),
            key=lambda one: (one.anchor.at, one.anchor.id),
        )
        found = _step(hits, hits.index(heard), settings)
        if found is None:
            return None
        before, deeper = found
        entry = heard.dedupe_key.partition(":")[2]
        return Signal(
            rule=WatchProgress.id,
            kind=WatchProgress.kind,
            severity=deeper.severity,
            dedupe_key=f"{WatchProgress.id}:{entry}",
            dedupe_window=window,
            anchor=deeper.anchor,
            evidence=(before.anchor, deeper.anchor),
            reason="watchlist_progress",
            reason_args={
                "from_ring": before.anchor.ring,
                "ring": deeper.anchor.ring,
                "minutes": round((deeper.anchor.at - before.anchor.at).total_seconds() / 60),
            },
            needs_comparison=deeper.needs_comparison,
            subject_kind=deeper.subject_kind,
            subject=deeper.subject,
            window=(before.anchor.at, deeper.anchor.at),
            joins=(heard.dedupe_key,),
        )


def _step(hits: Sequence[Signal], place: int, settings: Settings) -> tuple[Signal, Signal] | None:
    """The hit that was heard and the one before it, or the one after it where that came first."""
    pairs = [(hits[number], hits[number + 1]) for number in (place - 1, place) if 0 <= number < len(hits) - 1]
    for before, deeper in pairs:
        if deeper.anchor.at - before.anchor.at > settings.minutes("window_min"):
            continue
        if _DEPTH.get(deeper.anchor.ring, 0) > _DEPTH.get(before.anchor.ring, 0):
            return before, deeper
    return None
