"""Zones: parts of a compound in one ring, with an outline on the plan and the zones next to them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.places.models import Compound, Ring, Zone
from registry.rows import at_version
from storage import new_id

CORNERS_MAX: Final = 256
Corners = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """What is written down of a zone; `outline` are corners in plan metres [[x, y], …], or none.

    `neighbours` are the zones that one can walk into from it: next to is mutual.
    """

    name: str
    ring: Ring
    kind: str
    outline: Corners = ()
    neighbours: Sequence[str] = field(default=())


def add_zone(session: Session, compound: str, facts: ZoneFacts) -> Zone:
    """Adds a zone, also to the neighbours that it names.

    Raises `MissingError("zone")` for a neighbour that is none, and `RefusedError`:
    `name_missing`, `outline` (fewer than three corners, not finite, crossing itself, flat),
    `neighbour_is_self`.
    """
    zones = _hold(session, compound)
    zone = Zone(id=new_id(), compound=compound, outline=[], neighbours=[], version=1)
    _fill(zone, facts)
    session.add(zone)
    _join(zones | {zone.id: zone}, zone, facts.neighbours)
    session.flush()
    return zone


def edit_zone(session: Session, zone: Zone, version: int, facts: ZoneFacts) -> Zone:
    """Says anew what is written down of a zone. Raises what `add_zone` raises, and `StaleEditError`."""
    zones = _hold(session, zone.compound)
    at_version(zone, version)
    _fill(zone, facts)
    _join(zones, zone, facts.neighbours)
    session.flush()
    return zone


def facts_of(zone: Zone) -> ZoneFacts:
    """What is written down now, to change a part of."""
    return ZoneFacts(zone.name, zone.ring, zone.kind, zone.outline, zone.neighbours)


def refuse_outline(corners: Corners) -> None:
    """Raises `RefusedError("outline")` for what is no simple polygon; no corners at all are fine."""
    if not corners:
        return
    points = [tuple(corner) for corner in corners]
    if len(points) > CORNERS_MAX or any(
        len(point) != 2 or not all(map(math.isfinite, point)) for point in points
    ):
        raise RefusedError("outline")
    if len(points) > 1 and points[0] == points[-1]:
        # Closed by its first corner, as GeoJSON has it.
        points.pop()
    if len(points) < 3 or abs(area(points)) < 1e-6 or _crosses_itself(points):
        raise RefusedError("outline")


def area(points: Corners) -> float:
    """Square metres inside, positive where the corners run clockwise on a plan whose y points down."""
    after = [*points[1:], points[0]]
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, after, strict=True)) / 2


def _fill(zone: Zone, facts: ZoneFacts) -> None:
    if not facts.name.strip() or not facts.kind.strip():
        raise RefusedError("name_missing")
    refuse_outline(facts.outline)
    zone.name, zone.ring, zone.kind = facts.name.strip(), facts.ring, facts.kind.strip()
    zone.outline = [[float(x), float(y)] for x, y in facts.outline]


def _hold(session: Session, compound: str) -> dict[str, Zone]:
    """All zones, held until the end: who is next to whom is written in two rows."""
    session.flush()
    if session.get(Compound, compound, with_for_update=True, populate_existing=True) is None:
        raise MissingError("compound")
    rows = session.scalars(
        select(Zone)
        .where(Zone.compound == compound)
        .order_by(Zone.id)
        .execution_options(populate_existing=True)
    )
    return {zone.id: zone for zone in rows}


def _join(zones: dict[str, Zone], zone: Zone, neighbours: Sequence[str]) -> None:
    wanted = set(neighbours)
    if zone.id in wanted:
        raise RefusedError("neighbour_is_self")
    if not wanted <= zones.keys():
        raise MissingError("zone")
    zone.neighbours = sorted(wanted)
    for other in zones.values():
        if other.id == zone.id:
            continue
        mutual = set(other.neighbours) - {zone.id} | ({zone.id} if other.id in wanted else set())
        if mutual != set(other.neighbours):
            # A new list: a change inside the old one would go unnoticed.
            other.neighbours = sorted(mutual)


def _crosses_itself(points: Corners) -> bool:
    sides = list(zip(points, [*points[1:], points[0]], strict=True))
    last = len(sides) - 1
    return any(
        _cross(*sides[i], *sides[j])
        for i, j in combinations(range(len(sides)), 2)
        if j - i > 1 and (i, j) != (0, last)
    )


def _cross(a: Sequence[float], b: Sequence[float], c: Sequence[float], d: Sequence[float]) -> bool:
    """Whether the lines a–b and c–d meet in their insides."""
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Sequence[float], b: Sequence[float], p: Sequence[float]) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
