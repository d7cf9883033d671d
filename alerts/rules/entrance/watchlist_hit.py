"""R-E09: somebody or something on the watch-list was seen where the entry allows to look.

The deeper the ring, the graver, as far as the entry's priority lets it go. Before anybody is
sent after a face or a plate a person compares (L-12); a credential's number is what it is.

What recognition calls certain is certain enough for most entries. One may ask for more: a nearer
match, or more room between the first person and the second, where an observation tells it
(`attributes.margin`). An entry that has ended, not begun, or may not be looked for in this ring is
silent, and so is whatever a device kept back: nobody can still be met there.
"""

from typing import ClassVar

from alerts.rules.observation import Observation, WatchHit
from alerts.rules.rule import Parameter, Question, Rule, Settings, Signal, View

# By the entry's priority: what a hit is at its gravest and at its mildest. 1 is critical and 2
# at least urgent wherever it is; 3 is what the ring says; 4 (a car that parks badly) never
# calls more than a guard.
_BOUNDS = {1: (1, 1), 2: (1, 2), 3: (1, 4), 4: (3, 4)}
# What each kind of observation identifies, as incidents call it.
_SUBJECTS = {
    "face.identified": "person",
    "plate.recognised": "plate",
    "access.granted": "credential",
    "access.denied": "credential",
    "access.duress": "credential",
}


class WatchlistHit(Rule):
    """Raises one incident an entry and five minutes; a deeper ring raises its severity."""

    id = "R-E09"
    kind = "watchlist.hit"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset(_SUBJECTS)
    # Entrance: warning; common area: urgent; building: critical (domain §5).
    severities: ClassVar = {"entrance": 3, "common": 2, "building": 1}
    key = "entry"
    confirms = True
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
        Parameter(
            "margin",
            "distance",
            0,
            0,
            1,
            "How far behind the named person the second must lie, of faces. Too small: a brother is taken "
            "for the one who is looked for. Too large: the one who is looked for walks past.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.type in _SUBJECTS and _allowed(observation, settings) is not None:
            return Question(observation, observation.at)
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        seen = question.anchor
        hit = _allowed(seen, settings)
        if hit is None:
            return None
        kind = _SUBJECTS[seen.type]
        subject, args = _facts(seen, kind)
        return Signal(
            rule=WatchlistHit.id,
            kind=WatchlistHit.kind,
            severity=_severity(settings.severity(seen.ring), hit.priority),
            dedupe_key=f"{WatchlistHit.id}:{hit.entry_id}",
            dedupe_window=settings.seconds("dedupe_s"),
            anchor=seen,
            evidence=(seen,),
            reason="watchlist_hit",
            reason_args={"entry_id": hit.entry_id} | args,
            # There are no two pictures of a card to compare; that it is the one is certain.
            needs_comparison=kind != "credential",
            subject_kind=kind,
            subject=subject,
        )


def _facts(seen: Observation, kind: str) -> tuple[str | None, dict[str, str | float | None]]:
    """The subject, and what the text that explains the incident is filled with."""
    if kind == "plate":
        return seen.plate, {"plate": seen.plate}
    if kind == "credential":
        return seen.credential_id, {"credential": seen.credential_id}
    return seen.person_id, {"distance": seen.score}


def _severity(level: int, priority: int) -> int:
    gravest, mildest = _BOUNDS.get(priority, _BOUNDS[3])
    return min(max(level, gravest), mildest)


def _allowed(seen: Observation, settings: Settings) -> WatchHit | None:
    """The most urgent entry that may be looked for here and is sure enough, the first among equals."""
    hits = [hit for hit in seen.watch if seen.ring in hit.rings and _is_sure(seen, hit, settings)]
    return min(hits, key=lambda hit: (hit.priority, hit.entry_id), default=None)


def _is_sure(seen: Observation, hit: WatchHit, settings: Settings) -> bool:
    """What was not measured counts against nobody: recognition has had its own say."""
    if seen.type == "plate.recognised":
        return hit.threshold is None or seen.score is None or seen.score >= hit.threshold
    if seen.type != "face.identified":
        return True
    if hit.threshold is not None and seen.score is not None and seen.score > hit.threshold:
        return False
    margin = seen.number("margin")
    return margin is None or margin >= max(hit.margin or 0, settings.values["margin"])
