"""R-B07: an electric bicycle was brought into a lift.

Its battery can burn where nobody gets out. It is the property company's business, not the police's
(Order 5 of the Ministry of Emergency Management, art. 37); the lift's own voice speaks to the rider.
"""

from typing import ClassVar, Final

from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Parameter, Question, Rule, Settings, Signal, View

# What has wheels, belongs into a lift and looks like it to some cameras.
_BELONGS_THERE: Final = frozenset({"wheelchair", "pram", "trolley", "bicycle", "mobility_scooter"})


class EbikeInLift(Rule):
    """Raises one incident a lift and ten minutes: one ride is seen many times."""

    id = "R-B07"
    kind = "ebike.in_lift"
    rings = frozenset({"building", "common"})
    listens = frozenset({"video.ebike_in_lift"})
    severities: ClassVar = {"seen": 3}
    key = "zone"
    parameters = (
        Parameter(
            "dedupe_s",
            "s",
            600,
            30,
            7200,
            "How long further sightings in the lift are the same ride. Too short: one ride is many "
            "incidents. Too long: the next rider is missed.",
        ),
        Parameter(
            "confidence",
            "0…1",
            0.6,
            0,
            1,
            "How sure the camera must be, where it says so. Too low: wheelchairs and prams are "
            "reported. Too high: batteries ride up unseen.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.is_over or observation.attributes.get("class") in _BELONGS_THERE:
            return None
        confidence = observation.number("confidence")
        if confidence is not None and confidence < settings.values["confidence"]:
            return None
        return Question(observation, observation.at + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        ride = question.anchor
        return Signal(
            rule=EbikeInLift.id,
            kind=EbikeInLift.kind,
            severity=settings.severity("seen"),
            dedupe_key=f"{EbikeInLift.id}:{ride.zone}",
            dedupe_window=settings.seconds("dedupe_s"),
            anchor=ride,
            evidence=(ride,),
            reason="ebike_in_lift",
        )
