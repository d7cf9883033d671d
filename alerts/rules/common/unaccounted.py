"""R-C12: a guest came in, was seen at no building and no exit since, and the pass is over.

Somebody rings the host. What lies further back than a day is not remembered, so passes for weeks are
not asked of; that such a one has ended is R-E02's.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules import coverage
from alerts.rules.common import grounds
from alerts.rules.observation import Observation, PassFacts
from alerts.rules.rule import DISORDER, Clear, Excuse, Parameter, Question, Rule, Settings, Signal, View
from alerts.rules.site import SiteDevice

_ENTERS: Final = frozenset({"access.granted", "visitor.checked_in", "plate.recognised", "face.identified"})
_EXTENDED: Final = "visitor.extended"
_CHECKED_OUT: Final = "visitor.checked_out"
_REMEMBERED: Final = dt.timedelta(hours=24)
# What sees no passes can miss none.
_SEES_NO_PASS: Final = frozenset({"scene_camera", "sensor", "gateway"})


class Unaccounted(Rule):
    """Raises one incident a pass; clears when the guest is seen again or the pass is extended."""

    id = "R-C12"
    kind = "visitor.unaccounted"
    rings = frozenset({"entrance"})
    listens = frozenset({*_ENTERS, _EXTENDED, _CHECKED_OUT})
    severities: ClassVar = {"day": 4, "night": 4}
    key = "pass"
    excuses = (Excuse(_CHECKED_OUT, "subject"), Excuse(_EXTENDED, "subject"))
    parameters = (
        Parameter(
            "unseen_h",
            "h",
            2,
            0.5,
            12,
            "How long nothing must have been seen of the guest. Too short: who takes a walk with the "
            "host is missed. Too long: nobody remembers the guest.",
        ),
    )

    @staticmethod
    def ask(
        observation: Observation, view: View, settings: Settings
    ) -> Question | tuple[Question, ...] | None:
        visit = observation.visit
        if visit is None:
            return None
        if observation.type == _EXTENDED:
            again = Question(observation, observation.at + DISORDER, "seen")
            entry = _last_entry(view, visit, observation.at)
            if entry is None:
                return again
            # Raised once already, perhaps, of the same entry: to say it again it needs another stage.
            stage = f"until:{int(visit.ends_at.timestamp())}"
            return (again, *_when_over(observation, entry.at, visit.ends_at, settings, stage))
        if _accounts(observation):
            # Nobody was missed before the pass was over.
            ended = observation.at >= visit.ends_at
            return Question(observation, observation.at + DISORDER, "seen") if ended else None
        if _enters(observation):
            return _when_over(observation, observation.at, visit.ends_at, settings)
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        visit = question.anchor.visit
        if visit is None:
            return None
        key = f"{Unaccounted.id}:{visit.id}"
        if question.stage == "seen":
            return Clear(Unaccounted.id, key, question.anchor.at)
        until = question.due - DISORDER
        entry = _last_entry(view, visit, until)
        if entry is None or until < max(entry.at + settings.hours("unseen_h"), _ends(view, visit, until)):
            # Came in again, or may stay longer: then it is asked of that.
            return None
        subjects = {f"pass:{visit.id}", *entry.subjects}
        if any(_accounts(seen) for subject in subjects for seen in view.of_subject(subject, entry.at, until)):
            return None
        if coverage.blind(view, _would_have_seen(view, visit), entry.at, until):
            return None
        return Signal(
            rule=Unaccounted.id,
            kind=Unaccounted.kind,
            severity=settings.by_hour(until),
            dedupe_key=key,
            dedupe_window=_REMEMBERED,
            anchor=entry,
            evidence=(entry,),
            reason="visitor_unaccounted",
            reason_args={"hours": grounds.plain((until - entry.at).total_seconds() / 3600)},
            subject_kind="pass",
            subject=visit.id,
            stage=question.stage,
            window=(entry.at, until),
        )


def _when_over(
    anchor: Observation, entered: dt.datetime, ends: dt.datetime, settings: Settings, stage: str = ""
) -> tuple[Question, ...]:
    over = max(entered + settings.hours("unseen_h"), ends)
    return (Question(anchor, over + DISORDER, stage),) if over - entered <= _REMEMBERED else ()


def _enters(seen: Observation) -> bool:
    inwards = seen.direction == "in" or (seen.type == "visitor.checked_in" and seen.direction is None)
    return seen.ring == "entrance" and seen.type in _ENTERS and inwards


def _accounts(seen: Observation) -> bool:
    """At a building, out at an entrance, or checked out by the guard."""
    if seen.type == _CHECKED_OUT:
        return True
    if seen.type not in _ENTERS:
        return False
    return seen.ring == "building" or (seen.ring == "entrance" and seen.direction == "out")


def _last_entry(view: View, visit: PassFacts, until: dt.datetime) -> Observation | None:
    seen = view.of_subject(f"pass:{visit.id}", until - _REMEMBERED - dt.timedelta(hours=1), until)
    entries = [one for one in seen if _enters(one)]
    return entries[-1] if entries else None


def _ends(view: View, visit: PassFacts, until: dt.datetime) -> dt.datetime:
    """When the pass ends by the last word on it."""
    ends = visit.ends_at
    for seen in view.of_subject(f"pass:{visit.id}", until - _REMEMBERED, until):
        if seen.type == _EXTENDED and seen.visit is not None:
            ends = seen.visit.ends_at
    return ends


def _would_have_seen(view: View, visit: PassFacts) -> list[SiteDevice]:
    """The readers at the ways out, and of the buildings that the pass leads to: of all where it says none."""
    entrance = [one for one in view.site.in_ring("entrance") if one.kind not in _SEES_NO_PASS]
    # Where no lane is called a way out every lane is one.
    exits = [one for one in entrance if one.direction != "in"] or entrance
    buildings = [one for one in view.site.in_ring("building") if one.kind not in _SEES_NO_PASS]
    led_to = [one for one in buildings if one.zone in visit.zones]
    return exits + (led_to or buildings)
