"""R-B05: a building's door opened and nothing had released it."""

import datetime as dt
from typing import ClassVar

from alerts.rules.building.houses import unheard
from alerts.rules.causes import LAWFUL
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View

_RELEASED = frozenset({"access.granted", "visitor.checked_in"})
# A reader's clock may be ahead of the door's.
_AHEAD = dt.timedelta(seconds=1)


class DoorForced(Rule):
    """Raises one incident a door and five minutes; what the door itself reports is believed at once.

    Works on a door are muted, or given hours in which the rule is off.
    """

    id = "R-B05"
    kind = "door.forced"
    rings = frozenset({"building"})
    listens = frozenset({"door.opened", "door.forced"})
    severities: ClassVar = {"day": 2, "night": 1}
    key = "lane"
    excuses = (Excuse("access.granted"), Excuse("visitor.checked_in"))
    parameters = (
        Parameter(
            "window_s",
            "s",
            3,
            1,
            30,
            "How near to the opening a release must lie. Too short: a slow lock makes false "
            "alarms. Too long: a door forced right after a resident goes unnoticed.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.ring != "building":
            return None
        if observation.type == "door.forced":
            return Question(observation, observation.at)
        if observation.type == "door.opened" and observation.cause not in LAWFUL:
            return Question(observation, observation.at + _AHEAD + DISORDER)
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        door = question.anchor
        window = settings.seconds("window_s")
        if door.type == "door.opened":
            around = view.at_place(door.place, door.at - window, door.at + _AHEAD)
            if any(seen.type in _RELEASED or seen.cause in LAWFUL for seen in around):
                return None
            if unheard(view, question, window):
                # A reader that is away lets people in by its own list and tells it when it is back.
                return None
        night = settings.is_night(door.at)
        return Signal(
            rule=DoorForced.id,
            kind=DoorForced.kind,
            severity=settings.by_hour(door.at),
            dedupe_key=f"{DoorForced.id}:{door.place}",
            dedupe_window=dt.timedelta(minutes=5),
            anchor=door,
            evidence=(door,),
            reason="door_forced",
            reason_args={"lane": door.place, "window_s": settings.values["window_s"], "night": night},
        )
