"""What a deployment has to carry, as rates."""

from dataclasses import dataclass

from ringward.planning.costs import Costs


@dataclass(frozen=True, slots=True)
class Demand:
    """What somebody wants to put into service. All counts are of the whole deployment.

    `devices` are doors, turnstiles, barriers, terminals and sensors; `cameras` come beside them. Days that
    are None are those of the settings' defaults, events a device and day those of the made days.
    """

    people: int
    devices: int
    cameras: int
    compounds: int = 1
    events_per_device_day: float | None = None
    retention_days: int | None = None

    def events_a_day(self, costs: Costs) -> float:
        """Events of all devices and cameras."""
        each = self.events_per_device_day
        return (self.devices + self.cameras) * (costs["events_per_device_day"] if each is None else each)

    def pictures_a_day(self, costs: Costs) -> float:
        """Pictures that recognition looks at."""
        each = self.events_per_device_day
        a_camera = costs["events_per_device_day"] if each is None else each
        return self.cameras * a_camera * costs["pictures_per_camera_event"]

    def busiest(self, a_day: float, costs: Costs) -> float:
        """A second of the busiest minute, of so many a day."""
        return a_day * costs["busiest_hour_share"] / 3600 * costs["burst_over_hour"]

    def heartbeats_per_s(self, costs: Costs) -> float:
        """Signs of life of all devices and cameras."""
        return (self.devices + self.cameras) / costs["heartbeat_s"]
