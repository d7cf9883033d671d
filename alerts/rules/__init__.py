"""The rules: pure functions from observations to signals. No clock, no session, no broker.

The same code runs live, in a replay of last week, and in a test.
"""

from alerts.rules.device_offline import DeviceOffline
from alerts.rules.door_forced import DoorForced
from alerts.rules.engine import Engine
from alerts.rules.observation import Observation, WatchHit
from alerts.rules.rule import Clear, Mute, Rule, Signal
from alerts.rules.unknown_passed import UnknownPassed
from alerts.rules.unregistered_plate import UnregisteredPlate
from alerts.rules.watchlist_hit import WatchlistHit

__all__ = ["RULES", "Clear", "Engine", "Mute", "Observation", "Rule", "Signal", "WatchHit"]

RULES: tuple[type[Rule], ...] = (UnknownPassed, UnregisteredPlate, WatchlistHit, DoorForced, DeviceOffline)
