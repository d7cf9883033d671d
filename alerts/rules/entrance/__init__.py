"""Rules of the first ring: gates, turnstiles, barriers."""

from alerts.rules.entrance.unknown_passed import UnknownPassed
from alerts.rules.entrance.unregistered_plate import UnregisteredPlate
from alerts.rules.entrance.watchlist_hit import WatchlistHit
from alerts.rules.rule import Rule

ENTRANCE: tuple[type[Rule], ...] = (UnknownPassed, UnregisteredPlate, WatchlistHit)
