"""Rules about the devices themselves: what is blind, broken, late or out of time."""

from alerts.rules.rule import Rule
from alerts.rules.system.clock_skew import ClockSkew
from alerts.rules.system.command_uncertain import CommandUncertain
from alerts.rules.system.device_offline import DeviceOffline
from alerts.rules.system.late_batch import LateBatch
from alerts.rules.system.recogniser_quality import RecogniserQuality
from alerts.rules.system.refused_resident import RefusedResident
from alerts.rules.system.sight_lost import SightLost
from alerts.rules.system.storm import Storm

SYSTEM: tuple[type[Rule], ...] = (
    DeviceOffline,
    SightLost,
    Storm,
    LateBatch,
    ClockSkew,
    RecogniserQuality,
    CommandUncertain,
    RefusedResident,
)
