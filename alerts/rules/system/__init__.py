"""Rules about the devices themselves: what is blind, broken, late or out of time."""

from alerts.rules.rule import Rule
from alerts.rules.system.device_offline import DeviceOffline

SYSTEM: tuple[type[Rule], ...] = (DeviceOffline,)
