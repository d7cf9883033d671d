"""Vehicles before a barrier: which readings are of one vehicle, and which opening was whose."""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from alerts.rules.observation import Observation
from registry.plates import edit_cost

READ_TWICE: Final = dt.timedelta(seconds=3)
"""Within this time a second reading that is nearly the same is of the same vehicle. Two vehicles do not
come that close to each other at a barrier; a camera that is triggered twice does."""

# One character that was misread, left out or read into it.
_MISREAD: Final = 1.0


def is_same_plate(one: str, other: str) -> bool:
    """Whether one may be a misreading of the other by a single character."""
    return one == other or edit_cost(one, other) <= _MISREAD


def is_read_twice(one: Observation, other: Observation) -> bool:
    """Whether two readings of a lane are of one vehicle."""
    if one.plate is None or other.plate is None:
        return False
    return one.plate == other.plate or (
        abs(one.at - other.at) <= READ_TWICE and is_same_plate(one.plate, other.plate)
    )


def may_enter(plate: Observation) -> bool:
    """The barrier opens for it by itself: it is registered, expected, or on an emergency call."""
    return plate.vehicle_id is not None or plate.plate_welcome


def readings(seen: Iterable[Observation]) -> list[Observation]:
    """Sure readings on the way in."""
    return [
        one
        for one in seen
        if one.type == "plate.recognised" and one.direction == "in" and one.plate is not None
    ]
