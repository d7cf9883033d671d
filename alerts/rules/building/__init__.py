"""Rules of the third ring: buildings, their doors and those who live in them."""

from alerts.rules.building.door_forced import DoorForced
from alerts.rules.building.ebike_in_lift import EbikeInLift
from alerts.rules.building.elder_silent import ElderSilent
from alerts.rules.building.expired_tenant import ExpiredTenant
from alerts.rules.building.guest_nights import GuestNights
from alerts.rules.building.held_open import HeldOpen
from alerts.rules.building.no_entrance import NoEntrance
from alerts.rules.building.restricted_door import RestrictedDoor
from alerts.rules.building.vacant_dwelling import VacantDwelling
from alerts.rules.building.wrong_building import WrongBuilding
from alerts.rules.rule import Rule

BUILDING: tuple[type[Rule], ...] = (
    NoEntrance,
    GuestNights,
    WrongBuilding,
    ExpiredTenant,
    DoorForced,
    HeldOpen,
    EbikeInLift,
    VacantDwelling,
    ElderSilent,
    RestrictedDoor,
)
