"""R-B03: a pass that is for one building was used in another."""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules.building.houses import is_at_home
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Parameter, Question, Rule, Settings, Signal, View

SHOWN: Final = frozenset({"access.granted", "face.identified", "visitor.checked_in"})
"""What shows that a visitor is in a building. One who was refused at the door is not."""


class WrongBuilding(Rule):
    """Raises one incident a pass; what R-X04 says of the same visitor belongs to it.

    A pass that names no building, the gate alone, says nothing of where its bearer may be. Towers of
    one podium count as one house: the way to one leads through the other's lobby.
    """

    id = "R-B03"
    kind = "pass.wrong_building"
    rings = frozenset({"building"})
    listens = SHOWN
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
            "How long further doors belong to the same matter. Too short: each door of a round is an "
            "incident. Too long: the next visit is missed.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        visit = observation.visit
        if observation.ring != "building" or visit is None or observation.direction == "out":
            return None
        homes = [zone for zone in visit.zones if is_building(view, zone)]
        if not homes or is_at_home(view.site, observation.zone, homes) or is_of_house(observation, view):
            return None
        return Question(observation, observation.at + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        return say(WrongBuilding, question.anchor, settings, "wrong_building")


def say(rule: type[Rule], seen: Observation, settings: Settings, reason: str) -> Signal | None:
    """The signal of either rule: one key, so that one visitor is one incident."""
    if seen.visit is None:
        return None
    return Signal(
        rule=rule.id,
        kind=rule.kind,
        severity=settings.severity("other"),
        dedupe_key=f"{WrongBuilding.id}:{seen.visit.id}",
        dedupe_window=dt.timedelta(seconds=settings.values["dedupe_s"]),
        anchor=seen,
        evidence=(seen,),
        reason=reason,
        reason_args={"pass_kind": seen.visit.kind},
        needs_comparison=seen.type.startswith("face."),
        subject_kind="pass",
        subject=seen.visit.id,
    )


def is_building(view: View, zone: str) -> bool:
    """Whether a zone belongs to the building ring."""
    known = view.site.zones.get(zone)
    return known is not None and known.ring == "building"


def is_of_house(seen: Observation, view: View) -> bool:
    """Whether the bearer may be there for other reasons: lives or works in the house."""
    person = seen.person
    return person is not None and (person.staff or is_at_home(view.site, seen.zone, person.buildings))
