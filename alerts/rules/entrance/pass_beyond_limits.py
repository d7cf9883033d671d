"""R-E03: a pass let somebody in where, or more often than, it may.

What was refused was not used: the gate held. A second look at one passage is no second use: a
code that is held before the reader twice, or a guard's entry beside the reader's, counts once.
Behind the gates a pass opens doors as often as it has to; there R-B03 looks at the place.
"""

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar

from alerts.rules.entrance.visits import unseen_ways_out
from alerts.rules.observation import Observation, PassFacts, by_time
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View

_USES = frozenset({"access.granted", "visitor.checked_in"})
_PLACE = "place"
# An invitation that all guests of a wedding share: that it comes in again and again is its purpose.
_SHARED = frozenset({"event"})


class PassBeyondLimits(Rule):
    """Raises one incident a pass and ten minutes."""

    id = "R-E03"
    kind = "pass.beyond_limits"
    rings = frozenset({"entrance", "common"})
    listens = _USES
    severities: ClassVar = {"day": 3, "night": 3}
    key = "pass"
    excuses = (
        Excuse("visitor.checked_out", "subject"),
        Excuse("access.granted", "subject", words="excuse_left"),
    )
    parameters = (
        Parameter(
            "anti_passback_s",
            "s",
            120,
            0,
            3600,
            "How soon after coming in the same pass may not come in again without having gone out. "
            "Too short: a pass that is handed back over the fence works twice. Too long: whoever "
            "left through a door that tells nothing is flagged.",
        ),
        Parameter(
            "repeat_s",
            "s",
            5,
            1,
            30,
            "Within which a second showing at the same place is the same use. Too short: a code "
            "that was read twice is an offence. Too long: two people on one code are one.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | Sequence[Question] | None:
        visit = observation.visit
        if visit is None or observation.direction == "out":
            return None
        asked = []
        if observation.ring in PassBeyondLimits.rings and visit.zones and observation.zone not in visit.zones:
            asked.append(Question(observation, observation.at + DISORDER, stage=_PLACE))
        if observation.ring == "entrance":
            asked.append(Question(observation, observation.at + DISORDER))
        return asked

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        use = question.anchor
        visit = use.visit
        if visit is None:
            return None
        if question.stage == _PLACE:
            return _signal(question, settings, visit, "pass_other_place", (use,))
        before = _before(view, use, visit, settings)
        if any(_is_same_use(one, use, settings) for one in before):
            return None
        if visit.max_uses is not None and visit.uses >= visit.max_uses:
            return _signal(question, settings, visit, "pass_used_up", (use,), {"max_uses": visit.max_uses})
        again = _came_in_before(before)
        if again is None or not _is_in(use) or visit.kind in _SHARED:
            return None
        if use.at - again.at > settings.seconds("anti_passback_s") or unseen_ways_out(view, again.at, use.at):
            return None
        gap = round((use.at - again.at).total_seconds())
        return _signal(question, settings, visit, "pass_twice_in", (again, use), {"gap_s": gap})


def _before(view: View, use: Observation, visit: PassFacts, settings: Settings) -> list[Observation]:
    """What the pass did at the gates before this use, in order of time."""
    back = max(settings.seconds("anti_passback_s"), settings.seconds("repeat_s"))
    return [
        seen
        for seen in view.of_subject(f"pass:{visit.id}", use.at - back, use.at)
        if (seen.type in _USES or seen.type == "visitor.checked_out")
        and seen.ring == "entrance"
        and by_time(seen) < by_time(use)
    ]


def _is_same_use(before: Observation, use: Observation, settings: Settings) -> bool:
    """Read again at the same place, or told by the reader and by the guard who stands there."""
    if before.place != use.place or before.type not in _USES or before.direction == "out":
        return False
    gap = use.at - before.at
    return before.type != use.type or gap <= settings.seconds("repeat_s")


def _came_in_before(before: Sequence[Observation]) -> Observation | None:
    """The use with which it came in, unless it may have gone out since."""
    return before[-1] if before and _is_in(before[-1]) else None


def _is_in(seen: Observation) -> bool:
    return seen.type == "visitor.checked_in" or (seen.type in _USES and seen.direction == "in")


def _signal(
    question: Question,
    settings: Settings,
    visit: PassFacts,
    reason: str,
    evidence: tuple[Observation, ...],
    more: dict[str, int] | None = None,
) -> Signal:
    use = question.anchor
    night = settings.is_night(use.at)
    return Signal(
        rule=PassBeyondLimits.id,
        kind=PassBeyondLimits.kind,
        severity=settings.by_hour(use.at),
        dedupe_key=f"{PassBeyondLimits.id}:{visit.id}",
        dedupe_window=dt.timedelta(minutes=10),
        anchor=use,
        evidence=evidence,
        reason=reason,
        reason_args={"lane": use.place, "pass": visit.id, "night": night} | (more or {}),
        subject_kind="pass",
        subject=visit.id,
        stage=question.stage,
        window=(evidence[0].at, use.at),
    )
