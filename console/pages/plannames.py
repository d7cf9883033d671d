"""Where names stand on the plan, and from which zoom on there is room for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from console.pages.planshapes import BuildingMark, ZoneShape
from console.pages.spacing import Box, Point, Sheet, text_width

TIERS: Final = (0.5, 1, 2, 4)
"""Zooms at which further names appear; a letter keeps its size on the screen. Less than 1: where the whole
plan is drawn so small that letters have to be larger than the plan says."""


@dataclass(frozen=True, slots=True)
class Label:
    """A zone's name, or that of the building in it, and the zone around it."""

    box: Box
    zone: Box
    own: bool
    tier: int = 0


def labels(
    zones: Sequence[ZoneShape],
    outlines: Mapping[str, Sequence[Point]],
    buildings: Sequence[BuildingMark],
    sheet: Sheet,
    letter: float,
) -> tuple[Mapping[str, Label], Sequence[int]]:
    """Where the name of each zone stands, and the tiers of the buildings' names, in their order.

    `zones` from the ground up. Names of buildings keep to the middle of theirs.
    """
    crowd = _Crowd([Sheet(sheet.width, sheet.height) for _ in TIERS])
    houses: list[Box] = []
    tiers: list[int] = []
    for b in buildings:
        x, y = b.middle
        houses.append(Box(x, y, text_width(b.name, letter) / 2 + 3, letter * 0.6))
        tiers.append(crowd.tier(houses[-1]))
        if tiers[-1] <= 1:
            sheet.put(houses[-1])
    found: dict[str, Label] = {}
    for zone in reversed(zones):
        xs, ys = zip(*outlines[zone.id], strict=True)
        left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        x, y = (left + right) / 2, (top + bottom) / 2
        whole = Box(x, y, (right - left) / 2, (bottom - top) / 2)
        house = next((h for h in houses if left <= h.x <= right and top <= h.y <= bottom), None)
        if zone.ring == "building" and house:
            found[zone.id] = Label(house, whole, own=False)
            continue
        half_width, half_height = text_width(zone.name, letter) / 2 + 3, letter * 0.6
        above, below = (x, top - letter * 0.8), (x, bottom + letter * 0.8)
        inside = [(x, top + letter), (x, y), (x, bottom - letter)]
        beside = [(right + half_width + 8, y), (left - half_width - 8, y)]
        # Entrances are small and full of devices: their name stands outside.
        outside = [above, below, *beside] if y < sheet.height / 3 else [below, above, *beside]
        choices = outside if zone.ring == "entrance" else [*inside, below, above]
        box = sheet.least_covered(choices, half_width, half_height)
        found[zone.id] = Label(box, whole, own=True, tier=crowd.tier(box))
    return found, tiers


@dataclass(frozen=True, slots=True)
class _Crowd:
    """One sheet a tier, with the names that are shown there: each as large as it is on the plan then."""

    sheets: Sequence[Sheet]

    def tier(self, box: Box) -> int:
        """The first tier at which a name covers no other, 0 for one half; it is shown from there on."""
        sizes = [Box(box.x, box.y, box.half_width / tier, box.half_height / tier) for tier in TIERS]
        first = next(
            (n for n, size in enumerate(sizes) if self.sheets[n].is_free(size)),
            len(TIERS) - 1,
        )
        for number in range(first, len(TIERS)):
            self.sheets[number].put(sizes[number])
        return int(TIERS[first])
