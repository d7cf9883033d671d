"""Rules of the second ring: what lies between the gates and the buildings."""

from alerts.rules.common.crowd import Crowd
from alerts.rules.common.fire import Fire
from alerts.rules.common.fire_lane import FireLaneBlocked
from alerts.rules.common.loitering import Loitering
from alerts.rules.common.loitering_across import LoiteringAcross
from alerts.rules.common.needs_help import NeedsHelp
from alerts.rules.common.object_left import ObjectLeft
from alerts.rules.common.patrol_missed import PatrolMissed
from alerts.rules.common.perimeter import Perimeter
from alerts.rules.common.post_absent import PostAbsent
from alerts.rules.common.thrown_object import ThrownObject
from alerts.rules.common.unaccounted import Unaccounted
from alerts.rules.rule import Rule

COMMON: tuple[type[Rule], ...] = (
    Loitering,
    LoiteringAcross,
    Perimeter,
    Crowd,
    FireLaneBlocked,
    ObjectLeft,
    ThrownObject,
    NeedsHelp,
    Fire,
    PostAbsent,
    PatrolMissed,
    Unaccounted,
)
