"""Who goes deeper: an entrance, then the common area, then a building, and nobody vouches for them.

A chain of steps is found from its deepest step outwards. Two steps belong together because they are
of one subject (a plate, a pass, a token, a person), or because somebody could have walked from one
to the other in that time and nobody else did: the latter is probable, and a person has to say so.

Pure functions of what was said and seen. Which incidents become one does not depend on the order in
which signals came, but for strangers who pass at the same time, of whom the nearest is taken.
"""

import datetime as dt
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Signal, View
from alerts.rules.site import Site

ENTRANCE: Final = frozenset({"R-E01", "R-E02", "R-E03", "R-E04", "R-E05", "R-E06", "R-E08", "R-E10", "R-E11"})
COMMON: Final = frozenset({"R-C01", "R-C02", "R-C03"})
BUILDING: Final = frozenset({"R-B01", "R-B03", "R-B05", "R-B06", "R-B08", "R-B10", "R-X04"})
BY_FORCE: Final = frozenset({"R-B05", "R-C03"})
"""A door that was forced, a fence that was climbed: then it is critical."""

SEEN: Final = frozenset({"face.unknown", "plate.recognised", "video.loitering", "video.intrusion"})
"""What shows a subject in a common area without a rule having anything to say of it."""

TRIED: Final = "access.denied"
"""A door of a building that somebody was refused at."""

_AT_A_WHEEL: Final = 17.0  # metres a second: 60 km/h, as R-E08 reckons
_ON_THE_SPOT: Final = dt.timedelta(seconds=60)
# Where the plan has no places, a zone is taken to be as wide as this.
_ZONE_M: Final = 60.0
_RINGS: Final = {"entrance": 0, "common": 1, "building": 2}


@dataclass(frozen=True, slots=True)
class Step:
    """What was said, or merely seen, at one place. `key` is the incident's that it stands in."""

    seen: Observation
    evidence: tuple[Observation, ...]
    rule: str | None = None
    key: str | None = None
    severity: int = 4

    @property
    def at(self) -> dt.datetime:
        return self.seen.at

    @property
    def subjects(self) -> frozenset[str]:
        return frozenset(self.seen.subjects)


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps from the entrance inwards, each in a deeper ring than the one before."""

    steps: tuple[Step, ...]
    # One step follows another by nearness alone.
    probable: bool

    @property
    def deepest(self) -> Step:
        return self.steps[-1]

    @property
    def is_by_force(self) -> bool:
        return any(step.rule in BY_FORCE for step in self.steps)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far apart two steps may lie: in time for one subject, in time and by foot for a likely one."""

    within: dt.timedelta
    likely_within: dt.timedelta
    metres_per_s: float
    zones: int


def steps_of(signals: Iterable[Signal]) -> Iterator[Step]:
    """What rules said that can be a step."""
    for signal in signals:
        if signal.rule in ENTRANCE or signal.rule in COMMON or signal.rule in BUILDING:
            yield Step(
                signal.anchor, signal.evidence, signal.rule, signal.dedupe_key, severity=signal.severity
            )


def chains_with(view: View, reach: Reach, rule: str, seen: Observation) -> Iterator[Chain]:
    """Every chain that what a rule has just said of something is part of; for each end of it the surest."""
    at = seen.at
    rings = Rings(steps_of(view.signals(at - reach.within, at + reach.within)))
    if not rings.entrance:
        return
    depth = _depth(Step(seen, (), rule))
    # What ends a chain lies as deep as its other steps or deeper, and not before them.
    for last in (*rings.common, *rings.building):
        if last.at < at or _depth(last) < depth:
            continue
        found = chain_to(view, reach, last, rings)
        if found is not None and any((one.rule, one.seen.id) == (rule, seen.id) for one in found.steps):
            yield found


class Rings:
    """Steps by their ring, in order of time."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.entrance: list[Step] = []
        self.common: list[Step] = []
        self.building: list[Step] = []
        by_depth = (self.entrance, self.common, self.building)
        for step in sorted(steps, key=_order):
            by_depth[_depth(step)].append(step)


def chain_to(view: View, reach: Reach, last: Step, rings: Rings) -> Chain | None:
    """The chain that ends with a step; None where nothing leads there, or somebody vouches for it."""
    depth = _depth(last)
    if depth == 0 or not rings.entrance or is_vouched_for(view, last):
        return None
    if depth == 1:
        first = _before(view, reach, last, rings.entrance)
        return None if first is None else Chain((first[0], last), first[1])
    # Of those who were in the common area, one that came through an entrance.
    middles = [*rings.common, *_seen_between(view, reach, last)]
    while middles:
        middle = _before(view, reach, last, middles)
        if middle is None:
            return None
        outer = chain_to(view, reach, middle[0], rings)
        if outer is not None and last.at - outer.steps[0].at <= reach.within:
            return Chain((*outer.steps, last), outer.probable or middle[1])
        middles.remove(middle[0])
    return None


def is_vouched_for(view: View, step: Step) -> bool:
    """Whether somebody who may be there was known at the place, just then or with the same subject.

    What lies within the disorder of the moment is left out: whether it has come yet is chance.
    """
    at = step.at - DISORDER
    if any(_belongs(one) for one in (step.seen, *step.evidence)):
        return True
    where = view.in_zone(step.seen.zone, at - _ON_THE_SPOT, at)
    return step.rule != "R-B05" and any(_belongs(one) for one in where)


def is_walkable(site: Site, one: Observation, other: Observation, reach: Reach) -> bool:
    """Whether somebody on foot could have come from one place to the other in that time."""
    zones = _zones_between(site, one.zone, other.zone, reach.zones)
    if zones is None:
        return False
    seconds = (other.at - one.at).total_seconds()
    metres = site.metres(one.place, other.place)
    if metres is None:
        metres = zones * _ZONE_M
    return metres <= reach.metres_per_s * max(seconds, 0)


def _before(view: View, reach: Reach, step: Step, candidates: Sequence[Step]) -> tuple[Step, bool] | None:
    """The step before: of the same subject if there is one, else the nearest that is likely."""
    earlier = [one for one in candidates if one.at < step.at and step.at - one.at <= reach.within]
    same = [one for one in earlier if one.subjects & step.subjects and _is_possible(view.site, one, step)]
    if same:
        return max(same, key=_order), False
    likely = [
        one
        for one in earlier
        if step.at - one.at <= reach.likely_within
        # Who was refused at an entrance is outside: only the same subject seen inside says otherwise.
        and not (one.seen.ring == "entrance" and one.seen.type == TRIED)
        and _may_be_one(one, step)
        and is_walkable(view.site, one.seen, step.seen, reach)
        and not _went_elsewhere(view, reach, one, step)
    ]
    return (max(likely, key=_order), True) if likely else None


def _may_be_one(one: Step, other: Step) -> bool:
    """Not where both are known and are different: two plates, two passes."""
    kinds = {subject.partition(":")[0] for subject in one.subjects}
    return not any(subject.partition(":")[0] in kinds for subject in other.subjects)


def _went_elsewhere(view: View, reach: Reach, one: Step, step: Step) -> bool:
    """Whether the first was linked already to another step, from which nobody comes here in time."""
    for said in view.signals(one.at - reach.within, step.at):
        if said.rule != "R-X01" or one.key not in said.joins or said.anchor.id == step.seen.id:
            continue
        there = said.anchor
        first, then = (there, step.seen) if there.at <= step.at else (step.seen, there)
        if there.zone != step.seen.zone and not is_walkable(view.site, first, then, reach):
            return True
    return False


def _seen_between(view: View, reach: Reach, last: Step) -> Iterator[Step]:
    """Where in the common area the same subject was merely seen."""
    for subject in last.subjects:
        for seen in view.of_subject(subject, last.at - reach.within, last.at):
            if seen.ring == "common" and seen.type in SEEN:
                yield Step(seen, (seen,))


def _is_possible(site: Site, one: Step, step: Step) -> bool:
    metres = site.metres(one.seen.place, step.seen.place)
    seconds = (step.at - one.at).total_seconds()
    return metres is None or metres <= _AT_A_WHEEL * seconds


def _belongs(seen: Observation) -> bool:
    """Lives or works here, and showed it; a tenancy that is over is nobody's right."""
    if seen.type in {"access.denied", "access.duress"}:
        return False
    if seen.person is not None and (seen.person.belongs or seen.person.staff):
        return True
    return seen.type == "patrol.checkin"


def _zones_between(site: Site, one: str, other: str, most: int) -> int | None:
    """Over how many borders one walks, none of them a building's that is not the end."""
    if one == other:
        return 0
    waiting = deque([(one, 0)])
    been = {one}
    while waiting:
        here, count = waiting.popleft()
        if count == most:
            return None
        for zone in sorted(_neighbours(site, here)):
            if zone == other:
                return count + 1
            known = site.zones.get(zone)
            if zone not in been and known is not None and known.ring != "building":
                been.add(zone)
                waiting.append((zone, count + 1))
    return None


def _neighbours(site: Site, zone: str) -> set[str]:
    """A border is one from both its sides, whichever of them the plan says it of."""
    known = site.zones.get(zone)
    mine = set(known.neighbours) if known is not None else set()
    return mine | {other.id for other in site.zones.values() if zone in other.neighbours}


def _depth(step: Step) -> int:
    """By what was said of it, since a fence may lie in the ring of an entrance."""
    if step.rule in ENTRANCE:
        return 0
    if step.rule in COMMON:
        return 1
    return 2 if step.rule in BUILDING else _RINGS.get(step.seen.ring, 0)


def _order(step: Step) -> tuple[dt.datetime, str, str]:
    return (step.at, step.seen.id, step.key or "")
