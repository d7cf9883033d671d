"""R-B06: a building's door stands open. It clears as soon as the door is shut.

A notice after a minute: somebody holds it for a neighbour, or has wedged it. A warning after five:
by then whoever likes walks in. For moving in, a compound sets hours in which it may take longer.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules.causes import MEANT_OPEN
from alerts.rules.coverage import blind
from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import DISORDER, Clear, Excuse, Parameter, Question, Rule, Settings, Signal, View

# How far back the opening is looked for that another word of "open" only repeats.
_SAME_OPENING: Final = dt.timedelta(hours=12)


class HeldOpen(Rule):
    """Raises one incident a door; the second stage makes it graver in place.

    Silent where the door's contact was away: that nothing was said of its closing proves nothing
    then. That it is held open, when the door says so itself, is believed.
    """

    id = "R-B06"
    kind = "door.held_open"
    rings = frozenset({"building"})
    listens = frozenset({"door.opened", "door.held_open", "door.closed"})
    severities: ClassVar = {"held": 4, "long": 3}
    key = "device"
    excuses = (Excuse("door.closed", "device", words="excuse_door_closed"),)
    parameters = (
        Parameter(
            "held_s",
            "s",
            60,
            10,
            3600,
            "How long a door may stand open. Too short: every pram makes a notice. Too long: a wedged "
            "door goes unnoticed; half an hour is for moving in.",
        ),
        Parameter(
            "longer_s",
            "s",
            240,
            30,
            3600,
            "How much longer makes it a warning. Too short: the guard runs for a door that is about "
            "to be shut. Too long: an open house stays a notice.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> tuple[Question, ...] | None:
        if observation.ring != "building":
            return None
        if observation.type == "door.closed" or _is_over(observation):
            # Said in its turn: what it ends was said before it, whatever came in first.
            return (Question(observation, observation.at + DISORDER, "over"),)
        if observation.cause in MEANT_OPEN:
            return None
        held = settings.seconds("held_s")
        longer = held + settings.seconds("longer_s")
        if observation.type == "door.held_open":
            # The door has waited for its own minute already.
            longer = settings.seconds("longer_s")
            return (
                Question(observation, observation.at + DISORDER, "held"),
                Question(observation, observation.at + longer + DISORDER, "long"),
            )
        return (
            Question(observation, observation.at + held + DISORDER, "held"),
            Question(observation, observation.at + longer + DISORDER, "long"),
        )

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        door = question.anchor
        if question.stage == "over":
            return Clear(HeldOpen.id, _key(door), door.at)
        reported = door.type == "door.held_open"
        until = question.due - DISORDER
        if not reported and _repeats(door, view):
            return None
        if _was_shut(door, view, until):
            return None
        if any(seen.cause in MEANT_OPEN for seen in view.at_place(door.place, door.at, until)):
            return None
        itself = [device for device in view.site.at(door.place) if device.id == door.device]
        gone = blind(view, itself, door.at, until, as_of=question.due)
        if gone and not (reported and question.stage == "held"):
            return None
        is_long = question.stage == "long"
        before = settings.values["held_s"] if reported else 0.0
        return Signal(
            rule=HeldOpen.id,
            kind=HeldOpen.kind,
            severity=settings.severity("long" if is_long else "held"),
            dedupe_key=_key(door),
            # Until it is shut or somebody closes it: a door that stays open is one incident.
            dedupe_window=dt.timedelta(days=1),
            anchor=door,
            evidence=(door,),
            reason="held_open",
            reason_args={"seconds": round((until - door.at).total_seconds() + before)},
            stage=question.stage,
            window=(door.at, until),
        )


def _key(door: Observation) -> str:
    return f"{HeldOpen.id}:{door.device}"


def _is_over(seen: Observation) -> bool:
    return seen.type == "door.held_open" and seen.is_over


def _was_shut(door: Observation, view: View, until: dt.datetime) -> bool:
    """Whether it was shut by then; at the moment itself is in time."""
    return any(
        by_time(seen) > by_time(door) and (seen.type == "door.closed" or _is_over(seen))
        for seen in view.at_device(door.device, door.at, until)
    )


def _repeats(door: Observation, view: View) -> bool:
    """Whether it was open already: some doors say so again and again."""
    before = False
    for seen in reversed(view.at_device(door.device, door.at - _SAME_OPENING, door.at)):
        if before and seen.type in {"door.opened", "door.closed"}:
            return seen.type == "door.opened"
        before = before or seen.id == door.id
    return False
