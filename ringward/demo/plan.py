"""The ground plan of the demo compound: three rings, 23 buildings, all in plan metres.

The plan is 400 × 300 m; (0, 0) is the north-west corner, x grows east and y south, as
on a screen. Everything here is a value; nothing touches a database.
"""

from dataclasses import dataclass
from typing import Final

from registry.models import Ring

COMPOUND: Final = "honghua"
PREFIX: Final = "hh"
WIDTH_M: Final = 400.0
HEIGHT_M: Final = 300.0

Point = tuple[float, float]

BOUNDARY: Final[tuple[Point, ...]] = ((8, 6), (372, 6), (394, 26), (394, 294), (30, 294), (8, 272))
"""The outer fence; two corners are cut by the streets outside."""

NORTH_GATE: Final = f"{PREFIX}-north-gate"
EAST_GATE: Final = f"{PREFIX}-east-gate"
SOUTH_GATE: Final = f"{PREFIX}-south-gate"
SQUARE: Final = f"{PREFIX}-square"
GARDEN: Final = f"{PREFIX}-garden"
PLAYGROUND: Final = f"{PREFIX}-playground"
GARAGE: Final = f"{PREFIX}-garage"
BIKE_SHED: Final = f"{PREFIX}-bike-shed"


@dataclass(frozen=True, slots=True)
class Rectangle:
    """An upright rectangle; (x, y) is its north-west corner. All in metres."""

    x: float
    y: float
    width: float
    height: float

    @property
    def outline(self) -> tuple[Point, ...]:
        right, bottom = self.x + self.width, self.y + self.height
        return ((self.x, self.y), (right, self.y), (right, bottom), (self.x, bottom))

    @property
    def centre(self) -> Point:
        return (self.x + self.width / 2, self.y + self.height / 2)

    def gap(self, other: "Rectangle") -> float:
        """Metres between the two along the axis that parts them more; 0 where they touch."""
        across = max(self.x - other.x - other.width, other.x - self.x - self.width, 0.0)
        down = max(self.y - other.y - other.height, other.y - self.y - self.height, 0.0)
        return max(across, down)


@dataclass(frozen=True, slots=True)
class PlannedZone:
    id: str
    name: str
    ring: Ring
    kind: str
    area: Rectangle
    neighbours: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedBuilding:
    """A building and its shape: `units` stairwells of `floors` with `rooms` dwellings each."""

    number: int
    area: Rectangle
    units: int
    floors: int
    rooms: int
    shops: bool

    @property
    def id(self) -> str:
        return f"{PREFIX}-b{self.number:02d}"

    @property
    def zone(self) -> str:
        return f"{self.id}-zone"

    @property
    def name(self) -> str:
        return f"{self.number}幢"

    @property
    def door(self) -> Point:
        """In the middle of the south face."""
        return (self.area.x + self.area.width / 2, self.area.y + self.area.height)

    @property
    def dwellings(self) -> int:
        return self.units * self.floors * self.rooms


_OPEN: Final = {
    NORTH_GATE: ("北门", Ring.ENTRANCE, "vehicle_pedestrian_gate", Rectangle(180, 7, 40, 18)),
    EAST_GATE: ("东门", Ring.ENTRANCE, "vehicle_pedestrian_gate", Rectangle(372, 130, 21, 42)),
    SOUTH_GATE: ("南门(步行)", Ring.ENTRANCE, "pedestrian_gate", Rectangle(88, 277, 26, 16)),
    GARDEN: ("花园", Ring.COMMON, "garden", Rectangle(34, 116, 112, 66)),
    SQUARE: ("中心广场", Ring.COMMON, "square", Rectangle(154, 116, 92, 66)),
    PLAYGROUND: ("儿童乐园", Ring.COMMON, "playground", Rectangle(254, 116, 50, 66)),
    GARAGE: ("地下车库入口", Ring.COMMON, "garage_entrance", Rectangle(312, 116, 54, 66)),
    BIKE_SHED: ("车棚", Ring.COMMON, "bike_shed", Rectangle(314, 234, 54, 40)),
}

# Where one can walk without passing a third zone. The gates lead to the inner roads,
# which belong to the common zone they run along.
_PATHS: Final = (
    (NORTH_GATE, SQUARE),
    (NORTH_GATE, GARDEN),
    (EAST_GATE, GARAGE),
    (EAST_GATE, BIKE_SHED),
    (SOUTH_GATE, GARDEN),
    (SOUTH_GATE, BIKE_SHED),
    (GARDEN, SQUARE),
    (SQUARE, PLAYGROUND),
    (PLAYGROUND, GARAGE),
    (GARAGE, BIKE_SHED),
)

# Units × floors × rooms: three shapes of 120 dwellings and two of 128. With 15 and 8 of
# them the 23 buildings hold 2,824.
_SHAPES_120: Final = ((2, 15, 4), (3, 10, 4), (4, 10, 3))
_SHAPES_128: Final = ((2, 16, 4), (4, 8, 4))
_OF_128: Final = frozenset({2, 5, 9, 11, 14, 17, 20, 23})
_FOOTPRINT: Final = {2: (32.0, 17.0), 3: (40.0, 15.0), 4: (46.0, 14.0)}

_ROWS: Final = ((6, 28.0), (6, 72.0), (6, 190.0), (5, 234.0))
"""Buildings in a row and the y of its north edge."""

_PLOT: Final = (54.0, 40.0)
_FIRST_X: Final = 34.0
_PITCH: Final = 56.0


def buildings() -> tuple[PlannedBuilding, ...]:
    """The 23 buildings, numbered from the north-west."""
    planned = []
    number = 0
    for row, (count, y) in enumerate(_ROWS):
        for column in range(count):
            number += 1
            shapes = _SHAPES_128 if number in _OF_128 else _SHAPES_120
            units, floors, rooms = shapes[number % len(shapes)]
            width, height = _FOOTPRINT[units]
            # Staggered a little, so that it reads as a place and not as a chessboard.
            x = _FIRST_X + column * _PITCH + (_PLOT[0] - width) / 2 + (-1.5, 2.0, 0.0, -2.5)[number % 4]
            top = y + 5 + (0.0, 3.0, 6.0)[(column + row) % 3]
            area = Rectangle(round(x, 1), round(top, 1), width, height)
            # The row along the south street has shops on its ground floor.
            planned.append(PlannedBuilding(number, area, units, floors, rooms, shops=row == len(_ROWS) - 1))
    return tuple(planned)


def zones() -> tuple[PlannedZone, ...]:
    """All zones: entrances, common areas, and one for each building."""
    links: dict[str, set[str]] = {name: set() for name in _OPEN}
    plots = {building.zone: _plot(building.number) for building in buildings()}
    links |= {name: set() for name in plots}

    def join(a: str, b: str) -> None:
        links[a].add(b)
        links[b].add(a)

    for a, b in _PATHS:
        join(a, b)
    common = {name: area for name, (_, ring, _, area) in _OPEN.items() if ring is Ring.COMMON}
    for name, plot in plots.items():
        join(name, min(common, key=lambda other: (plot.gap(common[other]), other)))
        for other, other_plot in plots.items():
            if name < other and plot.gap(other_plot) <= 4.0:
                join(name, other)
    opened = [
        PlannedZone(key, name, ring, kind, area, tuple(sorted(links[key])))
        for key, (name, ring, kind, area) in _OPEN.items()
    ]
    built = [
        PlannedZone(b.zone, b.name, Ring.BUILDING, "building", plots[b.zone], tuple(sorted(links[b.zone])))
        for b in buildings()
    ]
    return (*opened, *built)


def _plot(number: int) -> Rectangle:
    index = number - 1
    for count, y in _ROWS:
        if index < count:
            return Rectangle(_FIRST_X + index * _PITCH, y, *_PLOT)
        index -= count
    raise ValueError(f"there is no building {number}")
