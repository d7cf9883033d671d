"""R-C03: somebody climbs, or crosses the line of a fence.

A climber is a climber wherever he is seen, up a wall of the gate or a balcony; only on a playground
climbing is what one does. A line counts where it is a fence's, in either direction: who leaves over
the fence has a reason too.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules import coverage
from alerts.rules.common import grounds
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Clear, Parameter, Question, Rule, Settings, Signal, View

_PANEL: Final = "alarm.intrusion"
# A panel tells when it is armed and disarmed; older than this its word is no longer known.
_ARMED_SINCE: Final = dt.timedelta(hours=24)


class Perimeter(Rule):
    """Raises one incident a zone and five minutes; a patrol that checks in there ends it.

    It waits for disorder, like the patrol's check-in: what is climbed just after that is another matter,
    whichever of the two comes in first. Whether the fence was armed may be told in that time too.
    """

    id = "R-C03"
    kind = "perimeter.crossed"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({"video.climb", "video.line_crossing", "patrol.checkin"})
    severities: ClassVar = {"urgent": 2, "armed_at_night": 1}
    key = "zone"
    parameters = (
        Parameter(
            "dedupe_s",
            "s",
            300,
            30,
            3600,
            "How long further crossings belong to the same incident. Too short: one gang is many "
            "incidents. Too long: a second gang is not noticed.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.type == "patrol.checkin":
            return Question(observation, observation.at + DISORDER, "patrol")
        if not _crosses(observation, view):
            return None
        return Question(observation, observation.at + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        seen = question.anchor
        key = f"{Perimeter.id}:{seen.zone}"
        if question.stage == "patrol":
            return Clear(Perimeter.id, key, seen.at)
        told = seen.attributes.get("armed")
        armed = bool(told) if told is not None else _is_armed(seen, view)
        night = settings.is_night(seen.at)
        window = settings.seconds("dedupe_s")
        return Signal(
            rule=Perimeter.id,
            kind=Perimeter.kind,
            severity=settings.severity("armed_at_night" if armed and night else "urgent"),
            dedupe_key=key,
            dedupe_window=window,
            anchor=seen,
            evidence=(seen,),
            reason=("climbed" if seen.type == "video.climb" else "fence_crossed")
            + ("_while_armed" if armed else ""),
            reason_args={"armed": armed, "night": night},
            blind=coverage.blind(view, view.site.within(seen.zone), seen.at - window, seen.at),
        )


def _crosses(seen: Observation, view: View) -> bool:
    if seen.is_over or seen.attributes.get("class") == "animal":
        return False
    kind = view.site.kind_of(seen.zone)
    if seen.type == "video.climb":
        return kind != "playground"
    return kind in grounds.FENCES


def _is_armed(seen: Observation, view: View) -> bool:
    """By the last word of a panel in the zone; where it has none of its own, of any in the compound."""
    told = [
        one
        for one in view.of_type(_PANEL, seen.at - _ARMED_SINCE, seen.at)
        if isinstance(one.attributes.get("armed"), bool)
    ]
    last = next((one for one in reversed(told) if one.zone == seen.zone), told[-1] if told else None)
    return last is not None and bool(last.attributes["armed"])
