"""R-C09: a camera sees fire or smoke, or a detector smells it. Both together are a fire.

Either alone is urgent at once: the detector may be over a pan, the camera may look at steam. Whichever
comes second, in the same zone or the one beside it, makes it critical in that moment.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules import coverage
from alerts.rules.common import grounds
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Parameter, Question, Rule, Settings, Signal, View

_SEEN: Final = "video.fire_smoke"
_SMELT: Final = "alarm.smoke"
_OTHER: Final = {_SEEN: _SMELT, _SMELT: _SEEN}
_BOTH: Final = "both"


class Fire(Rule):
    """Raises one incident a zone and ten minutes; what lies in two zones is one. Only people end it."""

    id = "R-C09"
    kind = "fire.suspected"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({_SEEN, _SMELT})
    severities: ClassVar = {"alone": 2, "both": 1}
    key = "zone"
    safety = True
    parameters = (
        Parameter(
            "window_s",
            "s",
            120,
            10,
            900,
            "How near to each other camera and detector must speak. Too short: a smouldering fire stays "
            "urgent. Too long: two pans on two floors are a fire.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> tuple[Question, ...] | None:
        if observation.is_over:
            return None
        return (
            Question(observation, observation.at + DISORDER, _BOTH, early=True),
            Question(observation, observation.at),
        )

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        seen = question.anchor
        window = settings.seconds("window_s")
        others = _others(seen, view, window) if question.stage == _BOTH else []
        if question.stage == _BOTH and not others:
            return None
        own = _key(seen)
        return Signal(
            rule=Fire.id,
            kind=Fire.kind,
            severity=settings.severity("both" if others else "alone"),
            dedupe_key=own,
            dedupe_window=dt.timedelta(minutes=10),
            anchor=seen,
            evidence=(*others, seen),
            reason="fire_seen_and_smoke" if others else "fire_seen" if seen.type == _SEEN else "smoke_alarm",
            reason_args={"night": settings.is_night(seen.at)}
            | ({"window_s": grounds.plain(settings.values["window_s"])} if others else {}),
            stage=question.stage,
            window=(seen.at - window, seen.at) if others else None,
            blind=coverage.blind(view, view.site.within(seen.zone), seen.at - window, seen.at),
            joins=tuple(sorted({_key(other) for other in others} - {own})),
        )


def _others(seen: Observation, view: View, window: dt.timedelta) -> list[Observation]:
    """What the other sense has told of this zone or one beside it by then: the second of two speaks."""
    return [
        other
        for other in view.of_type(_OTHER[seen.type], seen.at - window, seen.at)
        if not other.is_over and view.site.adjoin(other.zone, seen.zone)
    ]


def _key(seen: Observation) -> str:
    return f"{Fire.id}:{seen.zone}"
