"""What a plan is drawn from, in plan metres, and what is drawn, in units of the picture."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from console.pages.spacing import Point

Look = Literal["tampered", "off", "never", "on"]
LOOKS: Final[tuple[Look, ...]] = ("tampered", "off", "never", "on")
"""How a device looks, what needs somebody first."""

Sight = Literal["seen", "blind", "unwatched"]
"""Whether something works that could notice what happens in a zone: `blind` where nothing does of what
hangs there, `unwatched` where nothing hangs there at all."""


@dataclass(frozen=True, slots=True)
class ZoneShape:
    """A zone as the registry has it; `outline` in plan metres, possibly empty."""

    id: str
    name: str
    ring: str
    outline: Sequence[Sequence[float]]
    sight: Sight | None = None


@dataclass(frozen=True, slots=True)
class BuildingShape:
    name: str
    x: float
    y: float
    width: float
    height: float
    zone: str = ""


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
    tampered: bool = False

    @property
    def look(self) -> Look:
        return "tampered" if self.tampered else look_of(self.online)


def look_of(online: bool | None) -> Look:
    """How a device looks that nobody has laid hands on."""
    return "never" if online is None else "on" if online else "off"


@dataclass(frozen=True, slots=True)
class IncidentSpot:
    """An incident; `going` and `there` count who is on the way to it and who has arrived."""

    id: str
    severity: int
    zone: str
    device_id: str
    label: str
    going: int = 0
    there: int = 0


@dataclass(frozen=True, slots=True)
class WalkPoint:
    """A checkpoint of a round; `device` reads there, where one does."""

    name: str
    zone: str
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """A round under way: the last point that was passed, and the one that is due next, by when."""

    name: str
    last: WalkPoint | None
    passed_at: dt.datetime | None
    next: WalkPoint | None
    due_at: dt.datetime | None
    late: bool
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an incident's way through the rings. `blind_before`: on the way to it a device was blind."""

    at: dt.datetime
    zone: str
    device: str
    what: str
    blind_before: bool = False


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
    sight: Sight | None = None
    # From which zoom on there is room for its name; 0: at any.
    tier: int = 0
    # Of its incidents the gravest severity.
    worst: int | None = None


@dataclass(frozen=True, slots=True)
class BuildingMark:
    name: str
    x: float
    y: float
    width: float
    height: float
    zone: str = ""
    tier: int = 0

    @property
    def middle(self) -> Point:
        return round(self.x + self.width / 2, 1), round(self.y + self.height / 2, 1)


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
    tampered: bool = False

    @property
    def count(self) -> int:
        return len(self.names)

    @property
    def look(self) -> Look:
        return "tampered" if self.tampered else look_of(self.online)


@dataclass(frozen=True, slots=True)
class IncidentMark:
    id: str
    severity: int
    label: str
    x: float
    y: float
    going: int = 0
    there: int = 0


@dataclass(frozen=True, slots=True)
class MoreMark:
    """Further incidents of a zone that has more than can be drawn side by side."""

    zone: str
    severity: int
    count: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class WalkMark:
    """A round: where it came by last, and where it is expected; either may be missing."""

    walk: Walk
    at: Point | None
    to: Point | None


@dataclass(frozen=True, slots=True)
class StepMark:
    """Steps of a way that follow each other in one place; numbers from 1."""

    first: int
    last: int
    x: float
    y: float
    step: Step
    # Where the line to it begins; None at the first.
    start: Point | None

    @property
    def numbers(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}–{self.last}"
