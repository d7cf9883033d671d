"""R-B10: the door to a roof or an equipment room opened, and nobody who may go there had been let in.

A roof is where children play and where people go who mean to jump; a pump or switch room is where a
house can be put out of order. So the button beside the door is no permit here: it only lets out again
whoever had one. Who is let out by fire, or by the control room, is.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules.building.houses import is_one_house, unheard
from alerts.rules.causes import BY_STAFF, EGRESS, EXIT_BUTTON, MEANT_OPEN
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View

_KINDS: Final = frozenset({"roof", "equipment_room"})
# Somebody who is responsible for it has opened it: the control room, the guard's key, the clock.
# A household that answers its intercom is not: it lets people into the house, not onto its roof.
_OPENED_BY_STAFF: Final = BY_STAFF | MEANT_OPEN
# A fire signal goes for the whole house, and for as long as people are getting out.
_FIRE: Final = dt.timedelta(minutes=30)


class RestrictedDoor(Rule):
    """Raises one incident a door and ten minutes; with R-B05 on the same door it is one incident.

    Silent where the reader was away; a door that says it was forced is believed.
    """

    id = "R-B10"
    kind = "door.restricted"
    rings = frozenset({"building"})
    listens = frozenset({"door.opened", "door.forced"})
    severities: ClassVar = {"opened": 2}
    key = "lane"
    excuses = (Excuse("access.granted", words="excuse_permit"),)
    parameters = (
        Parameter(
            "window_s",
            "s",
            30,
            5,
            300,
            "How long before the opening a permit may have been shown. Too short: a caretaker with "
            "his hands full is an alarm. Too long: somebody slips through after him.",
        ),
        Parameter(
            "stay_s",
            "s",
            14400,
            600,
            43200,
            "How long somebody with a permit may be behind the door and leave by its button. Too "
            "short: works on a roof end in an alarm. Too long: the button excuses others as well.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if view.site.kind_of(observation.zone) not in _KINDS:
            return None
        if observation.type == "door.forced":
            return Question(observation, observation.at)
        if observation.cause in _OPENED_BY_STAFF:
            return None
        return Question(observation, observation.at + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        door = question.anchor
        window = settings.seconds("window_s")
        if door.type == "door.opened":
            before = list(view.at_place(door.place, door.at - window, door.at))
            if any(_is_permit(seen) or seen.cause in _OPENED_BY_STAFF for seen in before):
                return None
            if door.cause == EXIT_BUTTON and any(
                _is_permit(seen)
                for seen in view.at_place(door.place, door.at - settings.seconds("stay_s"), door.at)
            ):
                return None
            if _burns(door, view) or unheard(view, question, window):
                return None
        return Signal(
            rule=RestrictedDoor.id,
            kind=RestrictedDoor.kind,
            severity=settings.severity("opened"),
            dedupe_key=f"{RestrictedDoor.id}:{door.place}",
            dedupe_window=dt.timedelta(minutes=10),
            anchor=door,
            evidence=(door,),
            reason="restricted_door",
            reason_args={"lane": door.place, "window_s": settings.values["window_s"]},
            window=(door.at - window, door.at),
            # The same opening, seen as a door that nothing released.
            joins=(f"R-B05:{door.place}",),
        )


def _is_permit(seen: Observation) -> bool:
    """Somebody who works here, or a contractor with a pass, was let in."""
    if seen.type != "access.granted":
        return False
    works_here = seen.person is not None and seen.person.staff
    return works_here or (seen.visit is not None and seen.visit.kind == "contractor")


def _burns(door: Observation, view: View) -> bool:
    """Whether fire has released doors of the same house."""
    return any(
        seen.cause == EGRESS
        for zone in view.site.zones.values()
        if zone.ring == "building" and is_one_house(view.site, door.zone, zone.id)
        for seen in view.in_zone(zone.id, door.at - _FIRE, door.at)
    )
