"""Rules of the first ring: gates, turnstiles, barriers."""

from alerts.rules.entrance.barrier_left_open import BarrierLeftOpen
from alerts.rules.entrance.dead_credential import DeadCredential
from alerts.rules.entrance.denied_repeatedly import DeniedRepeatedly
from alerts.rules.entrance.driver_mismatch import DriverMismatch
from alerts.rules.entrance.duress import Duress
from alerts.rules.entrance.pass_beyond_limits import PassBeyondLimits
from alerts.rules.entrance.person_tailgating import PersonTailgating
from alerts.rules.entrance.same_plate_twice import SamePlateTwice
from alerts.rules.entrance.unknown_passed import UnknownPassed
from alerts.rules.entrance.unregistered_plate import UnregisteredPlate
from alerts.rules.entrance.vehicle_stranded import VehicleStranded
from alerts.rules.entrance.vehicle_tailgating import VehicleTailgating
from alerts.rules.entrance.visitor_overstayed import VisitorOverstayed
from alerts.rules.entrance.watchlist_hit import WatchlistHit
from alerts.rules.rule import Rule

ENTRANCE: tuple[type[Rule], ...] = (
    UnknownPassed,
    VisitorOverstayed,
    PassBeyondLimits,
    UnregisteredPlate,
    PersonTailgating,
    VehicleTailgating,
    DriverMismatch,
    SamePlateTwice,
    WatchlistHit,
    DeniedRepeatedly,
    DeadCredential,
    Duress,
    VehicleStranded,
    BarrierLeftOpen,
)
