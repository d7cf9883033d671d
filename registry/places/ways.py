"""The way through a compound: which zones lie between its entrances and a building."""

from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.places.models import Ring, Zone


@dataclass(frozen=True, slots=True)
class Link:
    """A zone's ring and the zones that one can walk to from it."""

    ring: Ring
    neighbours: tuple[str, ...]


def links(session: Session, compound: str) -> dict[str, Link]:
    """Every zone of a compound with what lies beside it."""
    rows = session.execute(select(Zone.id, Zone.ring, Zone.neighbours).where(Zone.compound == compound))
    return {zone: Link(Ring(ring), tuple(neighbours or ())) for zone, ring, neighbours in rows}


def way(zones: Mapping[str, Link], targets: Collection[str]) -> frozenset[str]:
    """The entrances, the targets, and every zone on a shortest way between them.

    One does not walk through a building to reach another. Where the plan does not say how
    zones hang together, only entrances and targets are left: a pass opens too little
    rather than too much.
    """
    entrances = [zone for zone, link in zones.items() if link.ring is Ring.ENTRANCE]
    known = [target for target in targets if target in zones]
    beside = _both_ways(zones)
    steps = _steps(zones, beside, entrances, set(known))
    found = set(entrances) | set(known)
    ahead: deque[str] = deque(target for target in known if target in steps)
    while ahead:
        zone = ahead.popleft()
        for before in beside.get(zone, ()):
            if before not in found and steps.get(before) == steps[zone] - 1:
                found.add(before)
                ahead.append(before)
    return frozenset(found)


def _both_ways(zones: Mapping[str, Link]) -> Mapping[str, set[str]]:
    """Who drew the plan may have named a neighbour on one side only."""
    beside: defaultdict[str, set[str]] = defaultdict(set)
    for zone, link in zones.items():
        for other in link.neighbours:
            if other in zones:
                beside[zone].add(other)
                beside[other].add(zone)
    return beside


def _steps(
    zones: Mapping[str, Link], beside: Mapping[str, set[str]], entrances: Sequence[str], targets: set[str]
) -> dict[str, int]:
    """How many zones each is away from the nearest entrance."""
    steps = dict.fromkeys(entrances, 0)
    ahead = deque(entrances)
    while ahead:
        zone = ahead.popleft()
        if zones[zone].ring is Ring.BUILDING:
            continue
        for other in beside.get(zone, ()):
            inside_another = zones[other].ring is Ring.BUILDING and other not in targets
            if other not in steps and not inside_another:
                steps[other] = steps[zone] + 1
                ahead.append(other)
    return steps
