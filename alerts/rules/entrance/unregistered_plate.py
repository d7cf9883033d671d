"""R-E04: a vehicle came in whose plate nobody knows, and no guard registered it.

A near match is not this rule's business: it is put before the guard as a probable plate. A
vehicle that waits while the barrier is open for the one before it has not come in; where it
follows through, R-E06 says so.
"""

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar

from alerts.rules.entrance.vehicles import is_read_twice, is_same_plate, may_enter, readings
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View

_REGISTERED_BY_GUARD = frozenset({"visitor.registered", "visitor.checked_in"})
# The barrier opens for this vehicle within this time of its plate being read.
_OPENS_WITHIN = dt.timedelta(seconds=30)
# A picture is often sent off when the barrier moves already.
_BEFORE = dt.timedelta(seconds=5)


class UnregisteredPlate(Rule):
    """Raises one incident a plate and half hour."""

    id = "R-E04"
    kind = "vehicle.unregistered"
    rings = frozenset({"entrance"})
    listens = frozenset({"plate.recognised"})
    severities: ClassVar = {"day": 4, "night": 3}
    key = "plate"
    excuses = (
        Excuse("visitor.registered"),
        Excuse("visitor.checked_in"),
        Excuse("vehicle.turned_back"),
    )
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
            observation.ring == "entrance"
            and observation.direction == "in"
            and observation.plate is not None
            and not may_enter(observation)
        ):
            return Question(observation, observation.at + settings.seconds("window_s") + DISORDER)
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        plate = question.anchor
        start = plate.at - 2 * _BEFORE
        end = plate.at + max(settings.seconds("window_s"), _OPENS_WITHIN)
        around = list(view.at_place(plate.place, start, end))
        until = plate.at + settings.seconds("window_s")
        if any(_registers(seen, plate) and plate.at - _BEFORE <= seen.at <= until for seen in around):
            return None
        others = [one for one in readings(around) if one is not plate]
        if any(_reads_it_better(one, plate) for one in others):
            return None
        opened = _opened_for(plate, around, [one for one in others if not is_read_twice(one, plate)])
        if not opened:
            return None
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
                "night": settings.is_night(plate.at),
            },
            subject_kind="plate",
            subject=plate.plate,
            window=(plate.at - _BEFORE, until),
        )


def _registers(seen: Observation, plate: Observation) -> bool:
    """A guard's entry that says another plate is about another vehicle."""
    if seen.type not in _REGISTERED_BY_GUARD:
        return False
    return seen.plate is None or plate.plate is None or is_same_plate(seen.plate, plate.plate)


def _reads_it_better(other: Observation, plate: Observation) -> bool:
    """Another reading of this very vehicle that counts instead: a welcome one, or the surer of two."""
    if other.plate == plate.plate or not is_read_twice(other, plate):
        return False
    if may_enter(other):
        return True
    return (-(other.score or 0), other.at, other.id) < (-(plate.score or 0), plate.at, plate.id)


def _opened_for(
    plate: Observation, around: Sequence[Observation], others: Sequence[Observation]
) -> list[Observation]:
    """The openings that let this vehicle in."""
    until = plate.at + _OPENS_WITHIN
    for seen in around:
        if seen.type == "vehicle.turned_back" and plate.at <= seen.at < until:
            until = seen.at
    opened = []
    for seen in around:
        if seen.type != "barrier.opened" or not plate.at - _BEFORE <= seen.at <= until:
            continue
        # It moved before this one was read: for the vehicle that stood there then, if there was one.
        if seen.at < plate.at and any(seen.at - _BEFORE <= one.at <= plate.at for one in others):
            continue
        opened.append(seen)
    return opened
