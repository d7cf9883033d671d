"""R-D06: too much of what a camera shows cannot be told: a dirty glass, a lamp that went out."""

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar, Final

from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import DISORDER, Parameter, Question, Rule, Settings, Signal, View

_HOUR: Final = dt.timedelta(hours=1)
# What counts as decided or not, by what the camera looks for. No plate at all is no uncertainty.
_FACES: Final = frozenset({"face.identified", "face.unknown", "face.uncertain"})
_PLATES: Final = frozenset({"plate.recognised", "plate.uncertain"})


class RecogniserQuality(Rule):
    """Raises one incident a camera and day, for whoever installed it."""

    id = "R-D06"
    kind = "device.recognition"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({"face.uncertain", "plate.uncertain"})
    severities: ClassVar = {"usual": 4}
    key = "device"
    parameters = (
        Parameter(
            "uncertain_share",
            "share",
            0.4,
            0.05,
            0.95,
            "Which share of an hour's sightings may be uncertain. Too small: rain is a fault. Too large: a "
            "camera that recognises nobody goes on doing so.",
        ),
        Parameter(
            "least",
            "sightings",
            20,
            5,
            500,
            "How many sightings an hour must have to be judged. Too few: three faces under umbrellas are a "
            "fault. Too many: a quiet door is never judged.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        return Question(observation, observation.at + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        anchor = question.anchor
        family = _FACES if anchor.type in _FACES else _PLATES
        seen = [
            one
            for one in view.at_device(anchor.device, anchor.at - 2 * _HOUR, anchor.at)
            if one.type in family and by_time(one) <= by_time(anchor)
        ]
        uncertain, total = _share(seen, anchor.at)
        if not _is_bad(uncertain, total, settings):
            return None
        before = [one for one in seen[:-1] if one.type == anchor.type]
        if before:
            earlier = [one for one in seen if (one.at, one.id) <= (before[-1].at, before[-1].id)]
            if _is_bad(*_share(earlier, before[-1].at), settings):
                # Said when it became so.
                return None
        return Signal(
            rule=RecogniserQuality.id,
            kind=RecogniserQuality.kind,
            severity=settings.severity("usual"),
            dedupe_key=f"{RecogniserQuality.id}:{anchor.device}",
            dedupe_window=dt.timedelta(hours=24),
            anchor=anchor,
            evidence=(anchor,),
            reason="recognition_uncertain",
            reason_args={"percent": round(100 * uncertain / total), "count": total},
            window=(anchor.at - _HOUR, anchor.at),
        )


def _share(seen: Sequence[Observation], at: dt.datetime) -> tuple[int, int]:
    """(uncertain, all) of the hour up to a moment."""
    hour = [one for one in seen if at - one.at < _HOUR]
    return sum(one.type.endswith(".uncertain") for one in hour), len(hour)


def _is_bad(uncertain: int, total: int, settings: Settings) -> bool:
    return total >= settings.values["least"] and uncertain > settings.values["uncertain_share"] * total
