"""R-C06: something was put down in a lobby or a garage, and nobody has come back for it."""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules.common import grounds, lasting
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Clear, Excuse, Parameter, Question, Rule, Settings, Signal, View

_REMOVED: Final = "video.object_removed"


class ObjectLeft(Rule):
    """Raises one incident a camera; clears when the object is gone."""

    id = "R-C06"
    kind = "object.left"
    rings = frozenset({"common", "building"})
    listens = frozenset({"video.object_left", _REMOVED})
    severities: ClassVar = {"day": 4, "night": 4}
    key = "device"
    excuses = (Excuse(_REMOVED, "device"),)
    parameters = (
        Parameter(
            "left_min",
            "min",
            10,
            1,
            240,
            "How long it must lie there. Too short: every parcel and every pram is an incident. "
            "Too long: what blocks the stairs stays there.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if view.site.kind_of(observation.zone) not in grounds.LOBBIES | grounds.GARAGES:
            return None
        if observation.type == _REMOVED or observation.is_over:
            return Question(observation, observation.at + DISORDER, "removed")
        until = max(lasting.begun(observation) + settings.minutes("left_min"), observation.at)
        return Question(observation, until + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        seen = question.anchor
        key = f"{ObjectLeft.id}:{seen.device}"
        if question.stage == "removed":
            return Clear(ObjectLeft.id, key, seen.at)
        until = question.due - DISORDER
        lasted = lasting.lasted(view, seen, until, ends=(_REMOVED,))
        # Whether it still lies there a blind camera cannot say.
        if lasted is None or lasted.blind:
            return None
        minutes = (until - lasting.begun(seen)).total_seconds() / 60
        return Signal(
            rule=ObjectLeft.id,
            kind=ObjectLeft.kind,
            severity=settings.by_hour(seen.at),
            dedupe_key=key,
            dedupe_window=dt.timedelta(minutes=30),
            anchor=seen,
            evidence=lasted.reports,
            reason="object_left",
            reason_args={"minutes": grounds.plain(minutes)},
            window=(lasting.begun(seen), until),
        )
