"""R-X04: a visitor is in a building, and the host lives in another.

R-B03 goes by the doors that a pass opens, this by where the host lives: a pass that opens more than
it has to (the whole compound, for simplicity) still leads to one dwelling. Both use the pass's key of
R-B03, so that one visitor in the wrong building is one incident, whichever of the two says it first.
"""

from typing import ClassVar, Final

from alerts.rules.building.houses import is_one_house
from alerts.rules.building.wrong_building import SHOWN, is_of_house, say
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Parameter, Question, Rule, Settings, Signal, View

# Invited to one dwelling. Who works or delivers here goes from house to house.
_INVITED: Final = frozenset({"visitor", "domestic_help"})


class EscortGap(Rule):
    """Raises one incident a pass, together with R-B03.

    Silent where the pass names this building although it does not open all: that was meant.
    """

    id = "R-X04"
    kind = "pass.wrong_building"
    rings = frozenset({"building"})
    listens = SHOWN | {"video.line_crossing"}
    severities: ClassVar = {"other": 3}
    key = "pass"
    confirms = True
    parameters = (
        Parameter(
            "dedupe_s",
            "s",
            3600,
            60,
            86400,
            "How long further sightings belong to the same matter. Too short: each door of a round is "
            "an incident. Too long: the next visit is missed.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        visit, home = observation.visit, observation.dwelling
        if observation.ring != "building" or visit is None or visit.kind not in _INVITED:
            return None
        if home is None or observation.direction == "out":
            return None
        if is_one_house(view.site, observation.zone, home.zone) or is_of_house(observation, view):
            return None
        return None if _was_meant(observation, view) else Question(observation, observation.at + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        return say(EscortGap, question.anchor, settings, "escort_gap")


def _was_meant(seen: Observation, view: View) -> bool:
    """Whether somebody who made the pass has chosen this building, among others."""
    if seen.visit is None or seen.zone not in seen.visit.zones:
        return False
    houses = {
        zone.id for zone in view.site.zones.values() if zone.ring == "building" and zone.kind == "building"
    }
    return not houses <= seen.visit.zones
