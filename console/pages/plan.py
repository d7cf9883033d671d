"""The compound's plan as a picture: from places, devices and incidents to SVG numbers.

Plan metres have x to the right and y downwards, as on a drawn plan. Everything is scaled
to one width, so that strokes, marks and letters have the same size in every compound.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Point = tuple[float, float]

WIDTH: Final = 1000.0
MARGIN: Final = 46.0
# How far apart marks stand: devices are drawn 34 across, incidents 50.
_DEVICE_GAP: Final = 38.0
_INCIDENT_GAP: Final = 54.0
_FALLBACK: Final[list[Point]] = [(0.0, 0.0), (100.0, 0.0), (100.0, 60.0), (0.0, 60.0)]
_GATE_KINDS: Final = frozenset({"barrier", "turnstile", "door"})


@dataclass(frozen=True, slots=True)
class ZoneShape:
    """A zone as the registry has it; `outline` in plan metres, possibly empty."""

    id: str
    name: str
    ring: str
    outline: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class BuildingShape:
    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class DeviceSpot:
    """A device; `online` is None when it has never been heard of."""

    id: str
    name: str
    kind: str
    zone: str
    ring: str
    online: bool | None
    x: float | None
    y: float | None


@dataclass(frozen=True, slots=True)
class IncidentSpot:
    id: str
    severity: int
    zone: str
    device_id: str
    label: str


@dataclass(frozen=True, slots=True)
class ZoneMark:
    id: str
    name: str
    ring: str
    points: str
    label_x: float
    label_y: float
    centre_x: float
    centre_y: float
    incidents: int
    # Devices of the zone that are not answering: what happens there may go unseen.
    blind: int


@dataclass(frozen=True, slots=True)
class BuildingMark:
    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class DeviceMark:
    id: str
    name: str
    kind: str
    online: bool | None
    gate: bool
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class IncidentMark:
    id: str
    severity: int
    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What the template draws, in units of a `WIDTH` × `height` view box."""

    height: float
    boundary: str
    zones: tuple[ZoneMark, ...]
    buildings: tuple[BuildingMark, ...]
    devices: tuple[DeviceMark, ...]
    incidents: tuple[IncidentMark, ...]

    @property
    def width(self) -> float:
        return WIDTH


@dataclass(frozen=True, slots=True)
class _Scale:
    factor: float
    left: float
    top: float

    def at(self, x: float, y: float) -> Point:
        return (
            round(MARGIN + (x - self.left) * self.factor, 1),
            round(MARGIN + (y - self.top) * self.factor, 1),
        )


def build(
    zones: Sequence[ZoneShape],
    buildings: Sequence[BuildingShape] = (),
    devices: Sequence[DeviceSpot] = (),
    incidents: Sequence[IncidentSpot] = (),
) -> Plan:
    """The plan of a compound; marks that would cover each other are moved apart."""
    corners = [(float(p[0]), float(p[1])) for zone in zones for p in zone.outline]
    for b in buildings:
        corners += [(b.x, b.y), (b.x + b.width, b.y + b.height)]
    corners += [(d.x, d.y) for d in devices if d.x is not None and d.y is not None]
    scale, height = _fit(corners)
    centres = {zone.id: scale.at(*_centre(zone.outline or _FALLBACK)) for zone in zones}
    taken: list[Point] = []
    device_marks = tuple(_device(d, scale, centres, taken) for d in devices)
    spots: Mapping[str, Point] = {d.id: (d.x, d.y) for d in device_marks}
    # Incidents stand above the device that raised them and give way only to each other.
    raised: list[Point] = []
    incident_marks = tuple(
        _incident(i, spots, centres, raised) for i in sorted(incidents, key=lambda i: (i.severity, i.id))
    )
    hull = _hull(corners or _FALLBACK)
    return Plan(
        height=height,
        boundary=_points(_grown([scale.at(*corner) for corner in hull])),
        zones=tuple(_zone(zone, scale, devices, incidents) for zone in sorted(zones, key=_depth)),
        buildings=tuple(_building(b, scale) for b in buildings),
        devices=device_marks,
        incidents=incident_marks,
    )


def _fit(corners: Sequence[Point]) -> tuple[_Scale, float]:
    xs, ys = zip(*(corners or _FALLBACK), strict=True)
    across, down = max(max(xs) - min(xs), 1.0), max(max(ys) - min(ys), 1.0)
    factor = (WIDTH - 2 * MARGIN) / across
    return _Scale(factor, min(xs), min(ys)), round(down * factor + 2 * MARGIN, 1)


def _depth(zone: ZoneShape) -> int:
    """Common areas are drawn first, or they would cover the entrances and buildings in them."""
    return {"common": 0, "entrance": 1, "building": 2}.get(zone.ring, 3)


def _zone(
    zone: ZoneShape, scale: _Scale, devices: Iterable[DeviceSpot], incidents: Iterable[IncidentSpot]
) -> ZoneMark:
    outline = [scale.at(float(p[0]), float(p[1])) for p in zone.outline]
    x, y = _centre(outline) if outline else scale.at(*_centre(_FALLBACK))
    top = min((corner[1] for corner in outline), default=y)
    bottom = max((corner[1] for corner in outline), default=y)
    # Entrances are small and carry marks: their name stands below them.
    label_y = bottom + 26 if zone.ring == "entrance" else top + 30
    return ZoneMark(
        id=zone.id,
        name=zone.name,
        ring=zone.ring,
        points=_points(outline),
        label_x=round(x, 1),
        label_y=round(label_y, 1),
        centre_x=round(x, 1),
        centre_y=round(y, 1),
        incidents=sum(i.zone == zone.id for i in incidents),
        blind=sum(d.zone == zone.id and d.online is False for d in devices),
    )


def _building(b: BuildingShape, scale: _Scale) -> BuildingMark:
    x, y = scale.at(b.x, b.y)
    return BuildingMark(b.name, x, y, round(b.width * scale.factor, 1), round(b.height * scale.factor, 1))


def _device(d: DeviceSpot, scale: _Scale, centres: Mapping[str, Point], taken: list[Point]) -> DeviceMark:
    home = scale.at(d.x, d.y) if d.x is not None and d.y is not None else centres.get(d.zone)
    x, y = _free(home or scale.at(*_centre(_FALLBACK)), taken, _DEVICE_GAP)
    gate = d.ring == "entrance" and d.kind in _GATE_KINDS
    return DeviceMark(d.id, d.name, d.kind, d.online, gate, x, y)


def _incident(
    i: IncidentSpot, spots: Mapping[str, Point], centres: Mapping[str, Point], raised: list[Point]
) -> IncidentMark:
    home = spots.get(i.device_id) or centres.get(i.zone) or (WIDTH / 2, MARGIN)
    x, y = _free((home[0], max(home[1] - 40, 28.0)), raised, _INCIDENT_GAP)
    return IncidentMark(i.id, i.severity, i.label, x, y)


def _free(home: Point, taken: list[Point], gap: float) -> Point:
    """The nearest place on growing rings around `home` that no other mark holds."""
    steps = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
    for reach in range(1, 12):
        for dx, dy in steps:
            spot = (round(home[0] + dx * reach * gap, 1), round(home[1] + dy * reach * gap, 1))
            inside = 12 <= spot[0] <= WIDTH - 12 and spot[1] >= 12
            if inside and all(abs(spot[0] - x) >= gap - 1 or abs(spot[1] - y) >= gap - 1 for x, y in taken):
                taken.append(spot)
                return spot
    taken.append(home)
    return home


def _centre(outline: Sequence[Sequence[float]]) -> Point:
    xs, ys = [float(p[0]) for p in outline], [float(p[1]) for p in outline]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _hull(points: Iterable[Point]) -> list[Point]:
    """The convex hull, anticlockwise (Andrew's monotone chain)."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered

    def half(candidates: Iterable[Point]) -> list[Point]:
        chain: list[Point] = []
        for p in candidates:
            while len(chain) >= 2 and _turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        return chain[:-1]

    return half(ordered) + half(reversed(ordered))


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _grown(outline: Sequence[Point], by: float = 20.0) -> list[Point]:
    """The outline pushed outwards from its centre, so that the wall does not lie on the zones."""
    cx, cy = _centre(outline)
    return [(x + (by if x >= cx else -by), y + (by if y >= cy else -by)) for x, y in outline]


def _points(outline: Iterable[Point]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in outline)
