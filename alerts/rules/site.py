"""The compound as rules know it: zones, how they touch, and the devices that look into them."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class SiteZone:
    """A zone; `kind` is a word of the plan: bike_shed, garage_entrance, square, roof …"""

    id: str
    ring: str
    kind: str
    neighbours: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SiteDevice:
    """A device at its place; x and y are plan metres."""

    id: str
    zone: str
    kind: str
    lane: str | None = None
    direction: str | None = None
    x: float | None = None
    y: float | None = None
    heartbeat_s: int = 30
    # Blind since before the memory of the rules begins; None where it was seen since.
    blind_since: dt.datetime | None = None

    @property
    def place(self) -> str:
        return self.lane or self.id


@dataclass(frozen=True)
class Site:
    """One compound's plan. Without one every zone is a place of its own and nothing is near anything."""

    zones: Mapping[str, SiteZone] = field(default_factory=lambda: MappingProxyType({}))
    devices: Mapping[str, SiteDevice] = field(default_factory=lambda: MappingProxyType({}))

    def kind_of(self, zone: str) -> str:
        """The kind of a zone; empty where the plan does not know it."""
        known = self.zones.get(zone)
        return known.kind if known is not None else ""

    def adjoin(self, one: str, other: str) -> bool:
        """Whether one can walk from one zone to the other without passing a third; a zone adjoins itself."""
        return one == other or other in self._beside.get(one, ())

    def leads(self, one: str, other: str) -> bool:
        """Whether one can walk from one zone to the other at all, through whatever lies between."""
        start, end = self._parts.get(one), self._parts.get(other)
        return one == other or (start is not None and start == end)

    def in_ring(self, ring: str) -> Iterable[SiteDevice]:
        """The devices of a ring."""
        return self._by_ring.get(ring, ())

    def at(self, place: str) -> Iterable[SiteDevice]:
        """The devices of a lane, or the device of that id."""
        return self._by_place.get(place, ())

    def within(self, zone: str) -> Iterable[SiteDevice]:
        """The devices of a zone."""
        return self._by_zone.get(zone, ())

    def metres(self, one: str, other: str) -> float | None:
        """Straight distance between two places (lanes or devices); None where the plan does not say."""
        first, second = self._positions.get(one), self._positions.get(other)
        if first is None or second is None:
            return None
        return float(((first[0] - second[0]) ** 2 + (first[1] - second[1]) ** 2) ** 0.5)

    @cached_property
    def _beside(self) -> dict[str, set[str]]:
        """Who drew the plan may have named a neighbour on one side only."""
        beside: dict[str, set[str]] = {}
        for zone in self.zones.values():
            for other in zone.neighbours:
                beside.setdefault(zone.id, set()).add(other)
                beside.setdefault(other, set()).add(zone.id)
        return beside

    @cached_property
    def _parts(self) -> dict[str, int]:
        """Zone → number of the part of the plan that hangs together with it."""
        parts: dict[str, int] = {}
        for number, start in enumerate(self.zones):
            ahead = [] if start in parts else [start]
            while ahead:
                zone = ahead.pop()
                if zone not in parts:
                    parts[zone] = number
                    ahead += self._beside.get(zone, ())
        return parts

    @cached_property
    def _by_ring(self) -> dict[str, list[SiteDevice]]:
        return self._grouped(lambda device: self.zones[device.zone].ring if device.zone in self.zones else "")

    @cached_property
    def _by_place(self) -> dict[str, list[SiteDevice]]:
        return self._grouped(lambda device: device.place)

    @cached_property
    def _by_zone(self) -> dict[str, list[SiteDevice]]:
        return self._grouped(lambda device: device.zone)

    @cached_property
    def _positions(self) -> dict[str, tuple[float, float]]:
        found: dict[str, tuple[float, float]] = {}
        for device in self.devices.values():
            if device.x is not None and device.y is not None:
                found.setdefault(device.id, (device.x, device.y))
                found.setdefault(device.place, (device.x, device.y))
        return found

    def _grouped(self, key: Callable[[SiteDevice], str]) -> dict[str, list[SiteDevice]]:
        found: dict[str, list[SiteDevice]] = {}
        for device in self.devices.values():
            found.setdefault(key(device), []).append(device)
        return found
