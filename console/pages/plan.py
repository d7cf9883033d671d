"""The compound's plan as a picture: from places, devices and incidents to SVG numbers.

Plan metres have x to the right and y downwards, as on a drawn plan. Everything is scaled
to one width, so that strokes, marks and letters have the same size in every compound.
Whoever draws nearer sees marks and letters of the same size, and more of them: a name has a
tier from which there is room for it, and devices that are one mark from afar stand apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from console.pages.outlines import centre, grown, hull, points
from console.pages.planmarks import Marks
from console.pages.plannames import Label, labels
from console.pages.planshapes import (
    BuildingMark,
    BuildingShape,
    DeviceMark,
    DeviceSpot,
    IncidentMark,
    IncidentSpot,
    Look,
    MoreMark,
    Step,
    StepMark,
    Walk,
    WalkMark,
    WalkPoint,
    ZoneMark,
    ZoneShape,
)
from console.pages.spacing import Point, Sheet

__all__ = [
    "LETTER",
    "NEAR",
    "WIDTH",
    "BuildingShape",
    "DeviceSpot",
    "IncidentSpot",
    "Look",
    "Plan",
    "Step",
    "Walk",
    "WalkPoint",
    "ZoneShape",
    "build",
]

WIDTH: Final = 1000.0
MARGIN: Final = 52.0
# Letters of a name, as the style sheet draws them on the operator's plan.
LETTER: Final = 23.0
NEAR: Final = 2
"""The zoom from which every device stands by itself."""
_FALLBACK: Final[list[Point]] = [(0.0, 0.0), (100.0, 0.0), (100.0, 60.0), (0.0, 60.0)]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the template draws, in units of a `WIDTH` × `height` view box."""

    height: float
    boundary: str
    zones: tuple[ZoneMark, ...]
    buildings: tuple[BuildingMark, ...]
    devices: tuple[DeviceMark, ...]
    incidents: tuple[IncidentMark, ...]
    # From `NEAR` on in place of `devices`, where some of those stand for several.
    near: tuple[DeviceMark, ...] = ()
    more: tuple[MoreMark, ...] = ()
    walks: tuple[WalkMark, ...] = ()
    steps: tuple[StepMark, ...] = ()

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
    walks: Sequence[Walk] = (),
    steps: Sequence[Step] = (),
    letter: float = LETTER,
) -> Plan:
    """The plan of a compound. Names come first, then incidents beside them, ways, rounds, devices.

    `letter` is the size that names are drawn in.
    """
    corners = [(float(p[0]), float(p[1])) for zone in zones for p in zone.outline]
    for b in buildings:
        corners += [(b.x, b.y), (b.x + b.width, b.y + b.height)]
    corners += [(d.x, d.y) for d in devices if d.x is not None and d.y is not None]
    scale, height = _fit(corners)
    sheet = Sheet(WIDTH, height)
    ordered = sorted(zones, key=_depth)
    outlines = {z.id: [scale.at(float(p[0]), float(p[1])) for p in z.outline or _FALLBACK] for z in zones}
    drawn = [_building(b, scale) for b in buildings]
    named, tiers = labels(ordered, outlines, drawn, sheet, letter)
    spots = {d.id: scale.at(d.x, d.y) for d in devices if d.x is not None and d.y is not None}
    marks = Marks(named, spots, scale.at(*centre(_FALLBACK)), sheet, (WIDTH, height))
    shown, more = marks.incidents(incidents)
    stepped = marks.steps(steps)
    walked = marks.walks(walks)
    far = marks.devices(devices)
    return Plan(
        height=height,
        boundary=points(grown([scale.at(*corner) for corner in hull(corners or _FALLBACK)])),
        zones=tuple(_zone(zone, outlines, named, devices, incidents) for zone in ordered),
        buildings=tuple(
            BuildingMark(b.name, b.x, b.y, b.width, b.height, b.zone, tier)
            for b, tier in zip(drawn, tiers, strict=True)
        ),
        devices=far,
        incidents=shown,
        more=more,
        walks=walked,
        steps=stepped,
        near=marks.near(devices, NEAR) if any(mark.count > 1 for mark in far) else (),
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
    zone: ZoneShape,
    outlines: Mapping[str, Sequence[Point]],
    named: Mapping[str, Label],
    devices: Sequence[DeviceSpot],
    incidents: Sequence[IncidentSpot],
) -> ZoneMark:
    outline = outlines[zone.id]
    x, y = centre(outline)
    label = named[zone.id]
    here = [i.severity for i in incidents if i.zone == zone.id]
    return ZoneMark(
        id=zone.id,
        name=zone.name,
        ring=zone.ring,
        points=points(outline) if zone.outline else "",
        label=(label.box.x, label.box.y) if label.own else None,
        centre_x=round(x, 1),
        centre_y=round(y, 1),
        incidents=len(here),
        blind=sum(d.zone == zone.id and d.online is False for d in devices),
        sight=zone.sight,
        tier=label.tier,
        worst=min(here, default=None),
    )


def _building(b: BuildingShape, scale: _Scale) -> BuildingMark:
    x, y = scale.at(b.x, b.y)
    return BuildingMark(
        b.name, x, y, round(b.width * scale.factor, 1), round(b.height * scale.factor, 1), b.zone
    )
