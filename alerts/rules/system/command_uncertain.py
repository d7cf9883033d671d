"""R-D07: a door or barrier was told something and did not answer: nobody knows how it stands.

It is not told again by itself: a second order could open what the first one has already closed.
Somebody looks.
"""

from typing import ClassVar

from alerts.rules.observation import Observation
from alerts.rules.rule import Parameter, Question, Rule, Settings, Signal, View


class CommandUncertain(Rule):
    """Raises one incident a lane, at once; ends when the answer comes after all."""

    id = "R-D07"
    kind = "command.uncertain"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({"command.uncertain"})
    severities: ClassVar = {"usual": 3}
    key = "lane"
    parameters = (
        Parameter(
            "together_min",
            "min",
            60,
            1,
            720,
            "How long further orders without an answer are the same incident. Too short: each try is one. "
            "Too long: a second door of the lane is overlooked.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        return None if observation.is_over else Question(observation, observation.at)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        told = question.anchor
        return Signal(
            rule=CommandUncertain.id,
            kind=CommandUncertain.kind,
            severity=settings.severity("usual"),
            dedupe_key=_key(told),
            dedupe_window=settings.minutes("together_min"),
            anchor=told,
            evidence=(told,),
            reason="command_uncertain",
            reason_args={"lane": told.place, "device": told.device},
        )

    @staticmethod
    def clears(observation: Observation) -> str | None:
        return _key(observation) if observation.is_over else None


def _key(seen: Observation) -> str:
    return f"{CommandUncertain.id}:{seen.place}"
