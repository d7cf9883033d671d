"""R-E04: a vehicle came in whose plate nobody knows, and no guard registered it.

A near match is not this rule's business: it is put before the guard as a probable plate.
"""

import datetime as dt
from typing import ClassVar

from alerts.rules.observation import Observation
from alerts.rules.rule import Excuse, Parameter, Question, Rule, Settings, Signal, View

_REGISTERED_BY_GUARD = frozenset({"visitor.registered", "visitor.checked_in"})
# The barrier opens for this vehicle within this time of its plate being read.
_OPENS_WITHIN = dt.timedelta(seconds=30)
_BEFORE = dt.timedelta(seconds=5)


class UnregisteredPlate(Rule):
    """Raises one incident a plate and half hour."""

    id = "R-E04"
    kind = "vehicle.unregistered"
    rings = frozenset({"entrance"})
    listens = frozenset({"plate.recognised"})
    severities: ClassVar = {"day": 4, "night": 3}
    key = "plate"
    excuses = (Excuse("visitor.registered"), Excuse("visitor.checked_in"))
    parameters = (
        Parameter(
            "window_s",
            "s",
            60,
            10,
            300,
            "How long the guard has to register the vehicle. Too short: every visitor is an "
            "incident. Too long: the vehicle is parked before anybody hears of it.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if (
            observation.type == "plate.recognised"
            and observation.ring == "entrance"
            and observation.direction == "in"
            and observation.plate is not None
            and observation.vehicle_id is None
            and not observation.plate_welcome
        ):
            return Question(observation, observation.at + settings.seconds("window_s"))
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        plate = question.anchor
        after = view.at_place(plate.place, plate.at - _BEFORE, plate.at + settings.seconds("window_s"))
        around = list(after)
        if any(seen.type in _REGISTERED_BY_GUARD for seen in around):
            return None
        opened = [
            seen for seen in around if seen.type == "barrier.opened" and seen.at <= plate.at + _OPENS_WITHIN
        ]
        if not opened:
            return None
        night = settings.is_night(plate.at)
        return Signal(
            rule=UnregisteredPlate.id,
            kind=UnregisteredPlate.kind,
            severity=settings.by_hour(plate.at),
            dedupe_key=f"{UnregisteredPlate.id}:{plate.plate}",
            dedupe_window=dt.timedelta(minutes=30),
            anchor=plate,
            evidence=(plate, *opened),
            reason="unregistered_plate",
            reason_args={
                "lane": plate.place,
                "plate": plate.plate,
                "window_s": settings.values["window_s"],
                "night": night,
            },
            subject_kind="plate",
            subject=plate.plate,
        )
