"""Paths: how a person, a pass, a plate or a stranger's token went through the rings.

A path is a pure function of what was observed of its subject, in order of time, and of the plan.
It says where the subject stood at a moment, and what about it cannot be: in a building without
having come in, in twice without having gone out, at two places at once. Whatever cannot be comes
with its evidence and with the devices that were blind meanwhile; a gap says which devices could
not have seen. "Nothing seen" is never "nobody there".
"""

import bisect
import datetime as dt
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.rules.coverage import blind
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Blind, View
from alerts.rules.site import Site, SiteDevice
from alerts.rules.steps import PASSAGE, Step, Where, direction_of, is_proven, trace

RIDING_MPS: Final = 7.0
"""How fast somebody can be: an e-bike at the 25 km/h that it is built for."""
DRIVING_MPS: Final = 60 / 3.6
"""How fast a vehicle can be inside a compound (domain §5, R-E08)."""

# Devices that can tell who or what it is that passes.
_TELL_WHO: Final = frozenset({"face_camera", "plate_camera", "door", "barrier", "turnstile"})
_ON_WHEELS: Final = frozenset({"barrier", "plate_camera"})


class Oddity(enum.StrEnum):
    """Why a path cannot be as it was seen."""

    # In the compound after it had left, or in a building, with no entrance in between.
    NO_ENTRANCE = "no_entrance"
    # Came in while it was in.
    IN_AGAIN = "in_again"
    # Went out while it was out.
    OUT_AGAIN = "out_again"
    # Two places, and no time to get from one to the other.
    TWO_PLACES = "two_places"
    # Two devices tell one passage in opposite directions: one of them hangs the wrong way round.
    CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a subject stands, and the step that brought it there; None before the first."""

    where: Where
    inside: bool | None
    step: Step | None


@dataclass(frozen=True, slots=True)
class Impossible:
    """What cannot be, the observations that say it, and who could have seen what is missing.

    `unwatched` are entrances where no device looks the way that is missing: there one passes unseen
    though all is well. Only what is `certain` had no other way than one that somebody has to explain.
    """

    oddity: Oddity
    evidence: tuple[Observation, ...]
    start: dt.datetime
    end: dt.datetime
    blind: tuple[Blind, ...] = ()
    unwatched: tuple[str, ...] = ()

    @property
    def certain(self) -> bool:
        return not self.blind and not self.unwatched


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nothing was seen of the subject, and the devices that could not have seen it."""

    start: dt.datetime
    end: dt.datetime
    stand: Stand
    blind: tuple[Blind, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """A subject's way from `start` to `end`."""

    start: dt.datetime
    end: dt.datetime
    steps: tuple[Step, ...]
    impossible: tuple[Impossible, ...]

    def at(self, moment: dt.datetime) -> Stand:
        """Where it stood at a moment; what happened at the moment itself counts."""
        number = bisect.bisect_right(self.steps, moment, key=lambda step: step.at)
        if number == 0:
            return Stand(Where.UNKNOWN, None, None)
        step = self.steps[number - 1]
        return Stand(step.after, step.inside, step)


def of(
    view: View,
    subjects: Iterable[str],
    start: dt.datetime,
    end: dt.datetime,
    *,
    as_of: dt.datetime | None = None,
) -> Path:
    """The path of whoever or whatever has these names (`Observation.subjects`), with what was blind.

    `as_of` is the latest moment that may be looked at for devices that had fallen silent.
    """
    names = tuple(subjects)
    seen = {one.id: one for name in names for one in view.of_subject(name, start, end)}
    steps = trace(seen.values(), view.site)
    driving = all(name.startswith("plate:") for name in names)
    found = [
        Impossible(
            oddity,
            evidence,
            since,
            evidence[-1].at,
            blind(view, _could_tell(view.site, oddity, evidence), since, evidence[-1].at, as_of=as_of),
            _unwatched(view.site, oddity),
        )
        for oddity, evidence in oddities(steps, view.site, driving=driving)
        for since in (evidence[0].at if len(evidence) > 1 else start,)
    ]
    return Path(start, end, steps, tuple(found))


def gaps(path: Path, view: View, *, longer_than: dt.timedelta = PASSAGE) -> tuple[Gap, ...]:
    """The times between steps, before the first and after the last, and who was blind in them.

    Of one that had left only the entrances are asked for; of all others, every device of the compound.
    """
    edges = [path.start, *(moment for step in path.steps for moment in (step.at, step.until)), path.end]
    found = []
    for since, until in zip(edges[::2], edges[1::2], strict=True):
        if until - since <= longer_than:
            continue
        stand = path.at(since)
        devices = (
            view.site.in_ring("entrance") if stand.where is Where.OUTSIDE else view.site.devices.values()
        )
        found.append(Gap(since, until, stand, blind(view, devices, since, until)))
    return tuple(found)


def oddities(
    steps: Sequence[Step], site: Site, *, driving: bool = False
) -> Iterable[tuple[Oddity, tuple[Observation, ...]]]:
    """What cannot be of these steps, each with its evidence, the earliest first. `driving` of plates."""
    came_in = False
    for number, step in enumerate(steps):
        before = steps[number - 1] if number else None
        if len({way for one in step.seen if (way := direction_of(one, site)) is not None}) > 1:
            yield Oddity.CONTRADICTION, step.seen
        if before is not None and _is_too_far(before, step, site, driving=driving):
            yield Oddity.TWO_PLACES, (*before.seen, *step.seen)
        inside = before.inside if before is not None else None
        if step.ring == "entrance":
            if before is not None and _is_odd_twice(before, step, site):
                if step.direction == "in" and inside:
                    yield Oddity.IN_AGAIN, (*before.seen, *step.seen)
                elif step.direction == "out" and inside is False:
                    yield Oddity.OUT_AGAIN, (*before.seen, *step.seen)
            came_in = came_in or (step.passed and step.direction != "out")
        elif inside is False and before is not None:
            yield Oddity.NO_ENTRANCE, (*before.seen, *step.seen)
            came_in = True
        elif inside is None and not came_in and step.ring == "building":
            yield Oddity.NO_ENTRANCE, step.seen
            came_in = True


def _is_odd_twice(before: Step, step: Step, site: Site) -> bool:
    """Whether a second passage the same way says something: two gates in a row are one way in."""
    if not is_proven(step) or not step.passed:
        return False
    if before.ring != "entrance":
        return True
    in_a_row = before.zone != step.zone and site.adjoin(before.zone, step.zone)
    return is_proven(before) and before.passed and not in_a_row


def _is_too_far(before: Step, step: Step, site: Site, *, driving: bool) -> bool:
    metres = site.metres(before.place, step.place)
    if metres is None:
        return False
    wheels = driving or any(
        device.kind in _ON_WHEELS for place in (before.place, step.place) for device in site.at(place)
    )
    needed = metres / (DRIVING_MPS if wheels else RIDING_MPS)
    # Two devices' clocks may differ by so much, and nobody was anywhere else.
    return (step.at - before.until + DISORDER).total_seconds() < needed


def _could_tell(site: Site, oddity: Oddity, evidence: Sequence[Observation]) -> Iterable[SiteDevice]:
    """The devices that could have told what is missing: the entrances', or those of the places themselves."""
    if oddity in {Oddity.TWO_PLACES, Oddity.CONTRADICTION}:
        return {device.id: device for one in evidence for device in site.at(one.place)}.values()
    return site.in_ring("entrance")


def _unwatched(site: Site, oddity: Oddity) -> tuple[str, ...]:
    """Entrances where nothing tells who goes the way that is missing."""
    if oddity in {Oddity.TWO_PLACES, Oddity.CONTRADICTION}:
        return ()
    missing = "out" if oddity is Oddity.IN_AGAIN else "in"
    return tuple(
        sorted(
            zone.id
            for zone in site.zones.values()
            if zone.ring == "entrance"
            and not any(
                device.kind in _TELL_WHO and device.direction in {missing, "both", None}
                for device in site.within(zone.id)
            )
        )
    )
