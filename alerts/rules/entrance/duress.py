"""R-E12: somebody opened a door under threat and told the door so, with a duress PIN or finger.

Whoever stands behind them must not learn of it: this rule does nothing but raise. What is done
about it is the plan's, which for `duress` may neither sound nor show anything on site.
"""

import datetime as dt
from typing import ClassVar

from alerts.rules.observation import Observation
from alerts.rules.rule import Question, Rule, Settings, Signal, View


class Duress(Rule):
    """Raises one incident a door and five minutes, at once, whatever is muted."""

    id = "R-E12"
    kind = "duress"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({"access.duress"})
    severities: ClassVar = {"usual": 1}
    key = "device"
    safety = True

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        return Question(observation, observation.at) if observation.type == "access.duress" else None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        told = question.anchor
        return Signal(
            rule=Duress.id,
            kind=Duress.kind,
            severity=settings.severity("usual"),
            dedupe_key=f"{Duress.id}:{told.device}",
            dedupe_window=dt.timedelta(minutes=5),
            anchor=told,
            evidence=(told,),
            reason="duress",
            reason_args={"lane": told.place},
            subject_kind="person" if told.person_id is not None else None,
            subject=told.person_id,
        )
