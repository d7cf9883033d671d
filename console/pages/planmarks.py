"""Marks on the plan: incidents, their way, rounds and devices, each beside what is there already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from console.pages.outlines import centre
from console.pages.plannames import Label
from console.pages.planshapes import (
    LOOKS,
    DeviceMark,
    DeviceSpot,
    IncidentMark,
    IncidentSpot,
    MoreMark,
    Step,
    StepMark,
    Walk,
    WalkMark,
    WalkPoint,
)
from console.pages.spacing import Box, Point, Sheet

# Devices of one zone that stand closer than this are drawn as one mark with their number.
_TOGETHER: Final = 64.0
# Half of what a mark covers, the air around it included.
_DOT: Final = 10.0
_COUNT: Final = 16.0
_INCIDENT: Final = 23.0
_STEP: Final = 17.0
_WALK: Final = 15.0
FANNED: Final = 3
"""So many incidents of one place stand side by side; of more the rest is counted."""
_GATE_KINDS: Final = frozenset({"barrier", "turnstile", "door"})


@dataclass(frozen=True, slots=True)
class Marks:
    """Sets marks down: names of zones, places of devices, and where things stand that have no place."""

    labels: Mapping[str, Label]
    spots: Mapping[str, Point]
    nowhere: Point
    sheet: Sheet
    size: Point

    def incidents(
        self, incidents: Sequence[IncidentSpot]
    ) -> tuple[tuple[IncidentMark, ...], tuple[MoreMark, ...]]:
        """The gravest first; of a place with too many the gravest ones and how many more."""
        shown: list[IncidentMark] = []
        more: list[MoreMark] = []
        rest: dict[str, list[IncidentSpot]] = {}
        drawn: dict[str, int] = {}
        counts = {i.zone: sum(other.zone == i.zone for other in incidents) for i in incidents}
        for i in sorted(incidents, key=lambda i: (i.severity, i.id)):
            room = FANNED if counts[i.zone] <= FANNED else FANNED - 1
            if drawn.get(i.zone, 0) < room:
                drawn[i.zone] = drawn.get(i.zone, 0) + 1
                box = self._beside(i.zone)
                shown.append(IncidentMark(i.id, i.severity, i.label, box.x, box.y, i.going, i.there))
            else:
                rest.setdefault(i.zone, []).append(i)
        for zone, others in rest.items():
            box = self._beside(zone)
            more.append(MoreMark(zone, others[0].severity, len(others), box.x, box.y))
        return tuple(shown), tuple(more)

    def _beside(self, zone: str) -> Box:
        """Beside the name of a zone: which place it is must stay readable."""
        place = self.labels.get(zone)
        label = place.box if place else Box(self.size[0] / 2, _INCIDENT, 0, 0)
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
        return self.sheet.place(choices, _INCIDENT, _INCIDENT)

    def steps(self, steps: Sequence[Step]) -> tuple[StepMark, ...]:
        """A way through the compound: what follows in one place is one mark with the numbers of its steps."""
        found: list[StepMark] = []
        number = 0
        start: Point | None = None
        for _, group in groupby(steps, key=lambda step: (step.zone, step.device)):
            here = list(group)
            spot = self._spot(here[0].zone, here[0].device)
            box = self.sheet.place([spot], _STEP, _STEP)
            found.append(StepMark(number + 1, number + len(here), box.x, box.y, here[0], start))
            number += len(here)
            start = (box.x, box.y)
        return tuple(found)

    def walks(self, walks: Sequence[Walk]) -> tuple[WalkMark, ...]:
        return tuple(WalkMark(walk, self._stand(walk.last), self._stand(walk.next)) for walk in walks)

    def _stand(self, point: WalkPoint | None) -> Point | None:
        if point is None:
            return None
        box = self.sheet.place([self._spot(point.zone, point.device)], _WALK, _WALK)
        return box.x, box.y

    def _spot(self, zone: str, device: str | None) -> Point:
        """Where a device stands, else the middle of its zone, else anywhere."""
        if device is not None and device in self.spots:
            return self.spots[device]
        label = self.labels.get(zone)
        return (label.zone.x, label.zone.y) if label else self.nowhere

    def devices(self, devices: Sequence[DeviceSpot]) -> tuple[DeviceMark, ...]:
        """From afar: those of a zone that stand together are one mark for each condition."""
        found: list[DeviceMark] = []
        groups = self._groups(devices)
        # Single devices first: they have less room to give way, and what needs somebody before all.
        for look in LOOKS:
            for zone, members in groups:
                alike = [(d, spot) for d, spot in members if d.look == look]
                if not alike:
                    continue
                half = _DOT if len(alike) == 1 else _COUNT
                # A shape with its number beside it is wider than a number in a circle.
                wide = half if look == "on" or len(alike) == 1 else half + 5
                at = centre([spot for _, spot in alike])
                box = self.sheet.place([at], wide, half, self._within(zone))
                found.append(_mark([d for d, _ in alike], box))
        return tuple(found)

    def near(self, devices: Sequence[DeviceSpot], zoom: int) -> tuple[DeviceMark, ...]:
        """Every device by itself, with marks as small as they are on the plan at a zoom."""
        sheet = Sheet(*self.size)
        # They grow a little with the drawing, and have more room the nearer it is.
        half = _DOT / (1.5 * zoom)
        ordered = sorted(devices, key=lambda d: (LOOKS.index(d.look), d.id))
        return tuple(
            _mark([d], sheet.place([self._spot(d.zone, d.id)], half, half, self._within(d.zone)))
            for d in ordered
        )

    def _within(self, zone: str) -> Box | None:
        return self.labels[zone].zone if zone in self.labels else None

    def _groups(self, devices: Sequence[DeviceSpot]) -> list[tuple[str, list[tuple[DeviceSpot, Point]]]]:
        zones: dict[str, list[list[tuple[DeviceSpot, Point]]]] = {}
        for d in devices:
            spot = self._spot(d.zone, d.id)
            groups = zones.setdefault(d.zone, [])
            near = [g for g in groups if any(_close(spot, p) for _, p in g)]
            # A device between two groups makes them one.
            merged = [(d, spot), *(member for g in near for member in g)]
            zones[d.zone] = [*(g for g in groups if g not in near), merged]
        found = [(zone, group) for zone, groups in zones.items() for group in groups]
        return sorted(found, key=lambda g: len(g[1]))


def _mark(devices: Sequence[DeviceSpot], box: Box) -> DeviceMark:
    gate = any(d.ring == "entrance" and d.kind in _GATE_KINDS for d in devices)
    mark = DeviceMark(tuple(sorted(d.name for d in devices)), devices[0].online, gate, box.x, box.y)
    return replace(mark, tampered=True) if devices[0].tampered else mark


def _close(a: Point, b: Point) -> bool:
    return abs(a[0] - b[0]) < _TOGETHER and abs(a[1] - b[1]) < _TOGETHER
