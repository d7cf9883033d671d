"""R-C07: something was thrown, or fell, out of a building.

Which side and about which floors, never which dwelling: a trajectory is no proof against a household.
One floor on one side is nearly an address, so a range is never narrower than three floors.
"""

from typing import Any, ClassVar, Final

from alerts.rules import coverage
from alerts.rules.observation import Observation
from alerts.rules.rule import Parameter, Question, Rule, Settings, Signal, View

_SIDES: Final = frozenset(
    {
        *("north", "north_east", "east", "south_east", "south", "south_west", "west", "north_west"),
        *("front", "back", "left", "right"),
    }
)
# Birds cross a façade too, and what they do is a parabola.
_NOT_THROWN: Final = frozenset({"animal"})
_LEAST_FLOORS: Final = 3


class ThrownObject(Rule):
    """Raises at once, one incident a place and five minutes."""

    id = "R-C07"
    kind = "object.thrown"
    rings = frozenset({"common", "building"})
    listens = frozenset({"video.parabolic"})
    severities: ClassVar = {"day": 2, "night": 2}
    key = "lane"
    parameters = (
        Parameter(
            "dedupe_s",
            "s",
            300,
            30,
            3600,
            "How long further objects belong to the same incident. Too short: one emptied bin is "
            "many incidents. Too long: who does it again is not noticed.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.is_over or observation.attributes.get("class") in _NOT_THROWN:
            return None
        return Question(observation, observation.at)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        seen = question.anchor
        window = settings.seconds("dedupe_s")
        where = _where(seen)
        return Signal(
            rule=ThrownObject.id,
            kind=ThrownObject.kind,
            severity=settings.by_hour(seen.at),
            dedupe_key=f"{ThrownObject.id}:{seen.place}",
            dedupe_window=window,
            anchor=seen,
            evidence=(seen,),
            reason=_reason(where),
            reason_args=where | {"night": settings.is_night(seen.at)},
            # Another camera of the façade would have seen where it came from.
            blind=coverage.blind(view, view.site.within(seen.zone), seen.at - window, seen.at),
        )


def _where(seen: Observation) -> dict[str, Any]:
    """Side and floors, as far as they are told; nothing else of what the device says of the place."""
    where: dict[str, Any] = {}
    face = seen.attributes.get("face")
    if isinstance(face, str) and face in _SIDES:
        where["face"] = face
    low, high = seen.number("floor_low"), seen.number("floor_high")
    low, high = (high if low is None else low), (low if high is None else high)
    if low is not None and high is not None:
        lowest, highest = int(min(low, high)), int(max(low, high))
        while highest - lowest + 1 < _LEAST_FLOORS:
            highest += 1
            if highest - lowest + 1 < _LEAST_FLOORS and lowest > 1:
                lowest -= 1
        where |= {"floor_low": lowest, "floor_high": highest}
    return where


def _reason(where: dict[str, Any]) -> str:
    if "floor_low" not in where:
        return "thrown_object_side" if "face" in where else "thrown_object"
    return "thrown_object_side_floors" if "face" in where else "thrown_object_floors"
