"""R-E09: somebody or something on the watch-list was seen where the entry allows to look.

The deeper the ring, the graver; a person compares before anybody is sent (L-12).
"""

from alerts.rules.observation import Observation
from alerts.rules.rule import History, Parameter, Question, Rule, Settings, Signal

# Entrance: warning; common area: urgent; building: critical (domain §5).
_SEVERITY = {"entrance": 3, "common": 2, "building": 1}
_SUBJECTS = frozenset({"face.identified", "plate.recognised"})


class WatchlistHit(Rule):
    """Raises one incident an entry and five minutes; a deeper ring raises its severity."""

    id = "R-E09"
    kind = "watchlist.hit"
    parameters = (
        Parameter(
            "dedupe_s",
            "s",
            300,
            30,
            3600,
            "How long further sightings belong to the same hit. Too short: one visit is many "
            "incidents. Too long: a second visit is missed.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, settings: Settings) -> Question | None:  # noqa: ARG004
        if observation.type in _SUBJECTS and _allowed(observation) is not None:
            return Question(observation, observation.at)
        return None

    @staticmethod
    def answer(question: Question, history: History, settings: Settings) -> Signal | None:  # noqa: ARG004
        seen = question.anchor
        entry_id = _allowed(seen)
        if entry_id is None:
            return None
        is_plate = seen.type == "plate.recognised"
        return Signal(
            rule=WatchlistHit.id,
            kind=WatchlistHit.kind,
            severity=_SEVERITY[seen.ring],
            dedupe_key=f"{WatchlistHit.id}:{entry_id}",
            dedupe_window=settings.seconds("dedupe_s"),
            anchor=seen,
            evidence=(seen,),
            reason="watchlist_hit",
            reason_args={"entry_id": entry_id}
            | ({"plate": seen.plate} if is_plate else {"distance": seen.score}),
            needs_comparison=True,
            subject_kind="plate" if is_plate else "person",
            subject=seen.plate if is_plate else seen.person_id,
        )

    @staticmethod
    def clears(observation: Observation) -> str | None:  # noqa: ARG004 - a hit stays a hit
        return None


def _allowed(seen: Observation) -> str | None:
    """The first entry that may be looked for in this ring."""
    return min((hit.entry_id for hit in seen.watch if seen.ring in hit.rings), default=None)
