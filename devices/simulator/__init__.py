"""Simulated devices: for tests, the demo and benchmarks, in each vendor's own format and with its faults.

`SimulatedDevice` is one native device that a program moves by hand. A fleet is any number of
devices of any vendor which live through a day of their own, and a history of what each of
them was told. Nothing here uses an adapter: what is tested must not be what tests it.
"""

from devices.simulator.device import (
    DEADLINE_S,
    KEEPALIVE_S,
    DeviceRefusedError,
    NativeEvent,
    NotAcknowledgedError,
    SimulatedDevice,
    access_denied,
    access_granted,
    barrier_closed,
    barrier_opened,
    door_closed,
    door_opened,
    face_captured,
    line_crossing,
    picture,
    plate_recognised,
)

__all__ = [
    "DEADLINE_S",
    "KEEPALIVE_S",
    "DeviceRefusedError",
    "NativeEvent",
    "NotAcknowledgedError",
    "SimulatedDevice",
    "access_denied",
    "access_granted",
    "barrier_closed",
    "barrier_opened",
    "door_closed",
    "door_opened",
    "face_captured",
    "line_crossing",
    "picture",
    "plate_recognised",
]
