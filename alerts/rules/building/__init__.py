"""Rules of the third ring: buildings, their doors and those who live in them."""

from alerts.rules.building.door_forced import DoorForced
from alerts.rules.rule import Rule

BUILDING: tuple[type[Rule], ...] = (DoorForced,)
