"""The compound's plan as a picture: from places, devices and incidents to SVG numbers.

Plan metres have x to the right and y downwards, as on a drawn plan. Everything is scaled
to one width, so that strokes, marks and letters have the same size in every compound.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from console.pages.outlines import centre, grown, hull, points
from console.pages.spacing import Box, Point, Sheet, text_width

WIDTH: Final = 1000.0
MARGIN: Final = 52.0
# Letters of a name, as the style sheet draws them on the operator's plan.
LETTER: Final = 23.0
# Devices of one zone that stand closer than this are drawn as one mark with their number.
_TOGETHER: Final = 64.0
# Half of what a mark covers, the air around it included.
_DOT: Final = 10.0
_COUNT: Final = 16.0
_INCIDENT: Final = 23.0
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
    # Where its name stands; None where the name of its building says it already.
    label: Point | None
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
    """One device, or those of a zone that are in one condition and too close to tell apart.

    `gate` says that one of them lets people or vehicles in.
    """

    names: tuple[str, ...]
    online: bool | None
    gate: bool
    x: float
    y: float

    @property
    def count(self) -> int:
        return len(self.names)


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

    def around(self, zone_id: str, share: float = 0.62) -> str:
        """A view box on a part of the plan, `share` of its width wide, with a zone in its middle."""
        spot = next(((z.centre_x, z.centre_y) for z in self.zones if z.id == zone_id), None)
        x, y = spot or (WIDTH / 2, self.height / 2)
        width, height = WIDTH * share, min(self.height, WIDTH * share * 0.6)
        left = max(0.0, min(WIDTH - width, x - width / 2))
        top = max(0.0, min(self.height - height, y - height / 2))
        return f"{left:g} {top:g} {width:g} {height:g}"


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
    *,
    letter: float = LETTER,
) -> Plan:
    """The plan of a compound. Names come first, then incidents beside them, then devices.

    `letter` is the size that names are drawn in.
    """
    corners = [(float(p[0]), float(p[1])) for zone in zones for p in zone.outline]
    for b in buildings:
        corners += [(b.x, b.y), (b.x + b.width, b.y + b.height)]
    corners += [(d.x, d.y) for d in devices if d.x is not None and d.y is not None]
    scale, height = _fit(corners)
    sheet = Sheet(WIDTH, height)
    drawn = tuple(_building(b, scale) for b in buildings)
    labels = _labels(zones, drawn, scale, sheet, letter)
    raised = sorted(incidents, key=lambda i: (i.severity, i.id))
    incident_marks = tuple(_incident(i, labels, sheet) for i in raised)
    return Plan(
        height=height,
        boundary=points(grown([scale.at(*corner) for corner in hull(corners or _FALLBACK)])),
        zones=tuple(_zone(zone, scale, labels, devices, incidents) for zone in sorted(zones, key=_depth)),
        buildings=drawn,
        devices=tuple(_devices(devices, scale, labels, sheet)),
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


@dataclass(frozen=True, slots=True)
class _Label:
    """A zone's name, or that of the building in it, and the zone around it."""

    box: Box
    zone: Box
    own: bool


def _labels(
    zones: Iterable[ZoneShape],
    buildings: Sequence[BuildingMark],
    scale: _Scale,
    sheet: Sheet,
    letter: float,
) -> Mapping[str, _Label]:
    """Where the name of each zone stands. Names of buildings keep to the middle of theirs."""
    houses: list[Box] = []
    for b in buildings:
        x, y = b.x + b.width / 2, b.y + b.height / 2
        houses.append(Box(x, y, text_width(b.name, letter) / 2 + 3, letter * 0.6))
        sheet.put(houses[-1])
    found: dict[str, _Label] = {}
    for zone in sorted(zones, key=_depth, reverse=True):
        outline = [scale.at(float(p[0]), float(p[1])) for p in zone.outline or _FALLBACK]
        xs, ys = zip(*outline, strict=True)
        left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        x, y = (left + right) / 2, (top + bottom) / 2
        whole = Box(x, y, (right - left) / 2, (bottom - top) / 2)
        house = next((h for h in houses if left <= h.x <= right and top <= h.y <= bottom), None)
        if zone.ring == "building" and house:
            found[zone.id] = _Label(house, whole, own=False)
            continue
        half_width, half_height = text_width(zone.name, letter) / 2 + 3, letter * 0.6
        above, below = (x, top - letter * 0.8), (x, bottom + letter * 0.8)
        inside = [(x, top + letter), (x, y), (x, bottom - letter)]
        beside = [(right + half_width + 8, y), (left - half_width - 8, y)]
        # Entrances are small and full of devices: their name stands outside.
        outside = [above, below, *beside] if y < sheet.height / 3 else [below, above, *beside]
        choices = outside if zone.ring == "entrance" else [*inside, below, above]
        found[zone.id] = _Label(sheet.least_covered(choices, half_width, half_height), whole, own=True)
    return found


def _zone(
    zone: ZoneShape,
    scale: _Scale,
    labels: Mapping[str, _Label],
    devices: Iterable[DeviceSpot],
    incidents: Iterable[IncidentSpot],
) -> ZoneMark:
    outline = [scale.at(float(p[0]), float(p[1])) for p in zone.outline]
    x, y = centre(outline) if outline else scale.at(*centre(_FALLBACK))
    label = labels[zone.id]
    return ZoneMark(
        id=zone.id,
        name=zone.name,
        ring=zone.ring,
        points=points(outline),
        label=(label.box.x, label.box.y) if label.own else None,
        centre_x=round(x, 1),
        centre_y=round(y, 1),
        incidents=sum(i.zone == zone.id for i in incidents),
        blind=sum(d.zone == zone.id and d.online is False for d in devices),
    )


def _building(b: BuildingShape, scale: _Scale) -> BuildingMark:
    x, y = scale.at(b.x, b.y)
    return BuildingMark(b.name, x, y, round(b.width * scale.factor, 1), round(b.height * scale.factor, 1))


def _incident(i: IncidentSpot, labels: Mapping[str, _Label], sheet: Sheet) -> IncidentMark:
    """Beside the name of its zone: which place it is must stay readable."""
    place = labels.get(i.zone)
    label = place.box if place else Box(WIDTH / 2, MARGIN, 0, 0)
    across, down = label.half_width + _INCIDENT, label.half_height + _INCIDENT
    choices = [
        (label.x + across, label.y),
        (label.x - across, label.y),
        (label.x, label.y + down),
        (label.x, label.y - down),
        (label.x + across + 2 * _INCIDENT, label.y),
    ]
    if place:
        # On the border of two buildings it could mean either.
        choices.sort(key=lambda at: not place.zone.holds(Box(at[0], at[1], _INCIDENT, _INCIDENT)))
    box = sheet.place(choices, _INCIDENT, _INCIDENT)
    return IncidentMark(i.id, i.severity, i.label, box.x, box.y)


def _devices(
    devices: Iterable[DeviceSpot], scale: _Scale, labels: Mapping[str, _Label], sheet: Sheet
) -> Iterable[DeviceMark]:
    groups: list[tuple[str, list[tuple[DeviceSpot, Point]]]] = []
    for d in devices:
        if d.x is not None and d.y is not None:
            spot = scale.at(d.x, d.y)
        elif d.zone in labels:
            spot = labels[d.zone].zone.x, labels[d.zone].zone.y
        else:
            spot = scale.at(*centre(_FALLBACK))
        near = [g for g in groups if g[0] == d.zone and any(_close(spot, p) for _, p in g[1])]
        # A device between two groups makes them one.
        merged = [(d, spot), *(member for g in near for member in g[1])]
        groups = [g for g in groups if g not in near] + [(d.zone, merged)]
    # Single devices first: they have less room to give way, and what is silent before all.
    for online in (False, None, True):
        for zone, members in sorted(groups, key=lambda g: len(g[1])):
            alike = [d for d, _ in members if d.online is online]
            if not alike:
                continue
            half = _DOT if len(alike) == 1 else _COUNT
            # A shape with its number beside it is wider than a number in a circle.
            wide = half if online or len(alike) == 1 else half + 5
            x, y = centre([spot for d, spot in members if d.online is online])
            box = sheet.place([(x, y)], wide, half, labels[zone].zone if zone in labels else None)
            gate = any(d.ring == "entrance" and d.kind in _GATE_KINDS for d in alike)
            yield DeviceMark(tuple(sorted(d.name for d in alike)), online, gate, box.x, box.y)


def _close(a: Point, b: Point) -> bool:
    return abs(a[0] - b[0]) < _TOGETHER and abs(a[1] - b[1]) < _TOGETHER
