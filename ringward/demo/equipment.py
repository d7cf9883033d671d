"""The devices of the demo compound: what hangs where, and in which lane.

Devices of one lane see the same passage. Every gate has a card reader beside its
camera: a face is never the only way in.
"""

from dataclasses import dataclass
from typing import Final

from devices.models import DeviceKind
from ringward.demo import plan
from ringward.demo.plan import PREFIX, PlannedBuilding, Point

HEARTBEAT_S: Final = 15
GUEST_HEARTBEAT_S: Final = 24 * 3600
"""Guest cameras come and go with a user's pictures; their silence means nothing."""
GUEST_FACE: Final = f"{PREFIX}-guest-face"
GUEST_PLATE: Final = f"{PREFIX}-guest-plate"
LIFT: Final = f"{PREFIX}-b08-lift-view"
CONTACT: Final = f"{PREFIX}-b03-care-contact"
GUESTS: Final = frozenset({GUEST_FACE, GUEST_PLATE})
"""Cameras that the story never uses, so that a user's own pictures can be sent through
them while it plays: an MQTT client id may be connected only once."""


@dataclass(frozen=True, slots=True)
class PlannedDevice:
    id: str
    zone: str
    kind: DeviceKind
    name: str
    at: Point
    lane: str | None = None
    direction: str | None = None


def devices(buildings: tuple[PlannedBuilding, ...]) -> tuple[PlannedDevice, ...]:
    """All devices, gates first."""
    gates = [
        *_pedestrian_lanes("north", plan.NORTH_GATE, "北门", (188, 14)),
        *_pedestrian_lanes("east", plan.EAST_GATE, "东门", (384, 140)),
        *_pedestrian_lanes("south", plan.SOUTH_GATE, "南门", (98, 284)),
        *_vehicle_lanes("north", plan.NORTH_GATE, "北门", (204, 14), (214, 14)),
        *_vehicle_lanes("east", plan.EAST_GATE, "东门", (384, 156), (384, 166)),
        *_guest_lanes(),
    ]
    doors = [device for building in buildings for device in _building_door(building)]
    return (*gates, *_common(), *doors, *_indoors(buildings))


def _pedestrian_lanes(gate: str, zone: str, name: str, at: Point) -> list[PlannedDevice]:
    x, y = at
    found = []
    for direction, word, shift in (("in", "人行入口", 0), ("out", "人行出口", 4)):
        lane = f"{PREFIX}-{gate}-walk-{direction}"
        # The way out has no face camera: nobody has to be recognised to leave.
        parts = [
            (f"{gate}-face", DeviceKind.FACE_CAMERA, "人脸相机", 0),
            (f"{gate}-turnstile-{direction}", DeviceKind.TURNSTILE, "闸机", 2),
            (f"{gate}-line-{direction}", DeviceKind.SCENE_CAMERA, "越线相机", 4),
        ]
        for key, kind, what, down in parts if direction == "in" else parts[1:]:
            place = (x + shift, y + down)
            found.append(
                PlannedDevice(f"{PREFIX}-{key}", zone, kind, f"{name}{word}{what}", place, lane, direction)
            )
    return found


def _vehicle_lanes(gate: str, zone: str, name: str, enter: Point, leave: Point) -> list[PlannedDevice]:
    found = []
    for direction, word, (x, y) in (("in", "车行入口", enter), ("out", "车行出口", leave)):
        lane = f"{PREFIX}-{gate}-drive-{direction}"
        for key, kind, what, down in (
            (f"{gate}-plate-{direction}", DeviceKind.PLATE_CAMERA, "车牌相机", 0),
            (f"{gate}-barrier-{direction}", DeviceKind.BARRIER, "道闸", 3),
        ):
            place = (x, y + down)
            found.append(
                PlannedDevice(f"{PREFIX}-{key}", zone, kind, f"{name}{word}{what}", place, lane, direction)
            )
    return found


def _guest_lanes() -> list[PlannedDevice]:
    face, plate = DeviceKind.FACE_CAMERA, DeviceKind.PLATE_CAMERA
    zone = plan.EAST_GATE
    return [
        PlannedDevice(GUEST_FACE, zone, face, "东门来客人脸相机", (388, 134), f"{GUEST_FACE}-lane", "in"),
        PlannedDevice(GUEST_PLATE, zone, plate, "东门来客车牌相机", (388, 150), f"{GUEST_PLATE}-lane", "in"),
    ]


def _common() -> list[PlannedDevice]:
    scene, plate = DeviceKind.SCENE_CAMERA, DeviceKind.PLATE_CAMERA
    lane = f"{PREFIX}-garage-lane"
    return [
        PlannedDevice(f"{PREFIX}-square-view", plan.SQUARE, scene, "广场全景相机", (200, 122)),
        PlannedDevice(f"{PREFIX}-fire-lane-view", plan.SQUARE, scene, "消防通道相机", (238, 174)),
        PlannedDevice(f"{PREFIX}-garden-view", plan.GARDEN, scene, "花园相机", (60, 150)),
        PlannedDevice(f"{PREFIX}-playground-view", plan.PLAYGROUND, scene, "儿童乐园相机", (280, 122)),
        PlannedDevice(f"{PREFIX}-garage-view", plan.GARAGE, scene, "车库口全景相机", (330, 124)),
        PlannedDevice(f"{PREFIX}-garage-plate", plan.GARAGE, plate, "车库口车牌相机", (345, 148), lane, "in"),
        PlannedDevice(f"{PREFIX}-bike-shed-view", plan.BIKE_SHED, scene, "车棚相机", (340, 240)),
    ]


def _building_door(building: PlannedBuilding) -> list[PlannedDevice]:
    (x, y), zone, lane = building.door, building.zone, f"{building.id}-lane"
    door, face = DeviceKind.DOOR, DeviceKind.FACE_CAMERA
    return [
        PlannedDevice(f"{building.id}-door", zone, door, f"{building.name}单元门", (x, y), lane),
        PlannedDevice(f"{building.id}-face", zone, face, f"{building.name}门口机", (x + 2, y), lane, "in"),
    ]


def _indoors(buildings: tuple[PlannedBuilding, ...]) -> list[PlannedDevice]:
    """A camera in the lift of one building, and a contact at the door of somebody who wants it there."""
    lift, home = (next(b for b in buildings if b.number == number) for number in (8, 3))
    return [
        PlannedDevice(LIFT, lift.zone, DeviceKind.SCENE_CAMERA, f"{lift.name}电梯相机", lift.area.centre),
        PlannedDevice(CONTACT, home.zone, DeviceKind.SENSOR, f"{home.name}关爱门磁", home.area.centre),
    ]
