"""Who may walk through a lane behind whom: credentials and people, matched one to one.

Each person who crosses needs a credential of their own: shown not long before, or while the way
was open, or a moment after (a camera is quicker than a reader). Which credential is whose, nobody
tells; so the most people that there are credentials for are taken to have one. That holds in a
crowd, where leaves hardly close, two cards come in one second, and crossings lag behind.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.rules.entrance.lane import CLOCKS, LET_IN, open_times
from alerts.rules.observation import Observation

# A card that lingers before its reader is read again; nobody passes a turnstile twice in that time.
_LINGERS: Final = dt.timedelta(seconds=2)
# What crosses a line and is somebody. A trolley, a pram, a dog or a suitcase belongs to somebody.
_PERSON: Final = frozenset({None, "person"})


@dataclass(frozen=True, slots=True)
class Crossing:
    """Somebody went in. `since`: credentials from then on may be theirs."""

    seen: Observation
    people: int
    since: dt.datetime


def is_person(seen: Observation) -> bool:
    """Whether a camera means people and not what they push or lead."""
    return seen.attributes.get("class") in _PERSON


def people(seen: Observation, otherwise: int = 1) -> int:
    """How many people a camera counted; `otherwise` where it does not say."""
    count = seen.number("count")
    return otherwise if count is None else max(0, round(count))


def crossings(seen: Sequence[Observation], hold: dt.timedelta) -> list[Crossing]:
    """The people who went in, in order of time, with how far back their credentials may lie.

    As far as `hold`, or for as long as the way had been open by then: some hold a door open for a pram.
    """
    found = []
    times = open_times(seen)
    at = 0
    for one in seen:
        if one.type != "video.line_crossing" or one.direction != "in" or not is_person(one):
            continue
        while at < len(times) and _is_over(times[at].end, one.at):
            at += 1
        since = one.at - hold
        if at < len(times) and times[at].start <= one.at + CLOCKS:
            since = min(since, times[at].start - CLOCKS)
        found.append(Crossing(one, people(one), since))
    return found


def credentials(seen: Iterable[Observation]) -> list[Observation]:
    """Those that let somebody in, in order of time: a card that was read twice counts once."""
    last: dict[str, dt.datetime] = {}
    found = []
    for one in seen:
        if one.type not in LET_IN or one.direction == "out":
            continue
        holder = holder_of(one)
        before, last[holder] = last.get(holder), one.at
        if before is None or one.at - before > _LINGERS:
            found.append(one)
    return found


def holder_of(seen: Observation) -> str:
    """Whose a credential or a face is, as far as that is known."""
    if seen.person_id is not None:
        return seen.person_id
    if seen.visit is not None:
        return seen.visit.id
    return seen.credential_id or seen.id


def known_faces(
    seen: Iterable[Observation], shown: Sequence[Observation], hold: dt.timedelta
) -> list[Observation]:
    """Faces of people who live or work here and whose own credential is none of those `shown`.

    They need none behind somebody of their family, nor where their face is what opened the door: who
    is known to belong here is not the one who slipped in. A credential of which nobody knows the
    holder is taken to be that of the first known face beside it; nobody's face counts twice.
    """
    faces: list[Observation] = []
    for one in seen:
        if one.type != "face.identified" or one.direction == "out" or one.watch:
            continue
        if one.person is not None and not one.person.belongs:
            continue
        if not any(_who(one) == _who(face) and one.at - face.at <= hold for face in faces):
            faces.append(one)
    nameless = [one for one in shown if one.person_id is None and one.visit is None]
    found = []
    for face in faces:
        if any(
            one.person_id == face.person_id and abs(one.at - face.at) <= hold
            for one in shown
            if one.person_id
        ):
            continue
        own = next((one for one in nameless if abs(one.at - face.at) <= hold), None)
        if own is None:
            found.append(face)
        else:
            nameless.remove(own)
    return found


def uncovered(going: Iterable[Crossing], shown: Iterable[Observation], after: dt.timedelta) -> list[int]:
    """How many of each crossing's people are left without a credential, in order.

    The earliest credential that is still free goes to the earliest who may have it: as both ends of
    the windows only move forwards, no other way of giving them out covers more people.
    """
    free = sorted(one.at for one in shown)
    at = 0
    left = []
    for one in going:
        without = 0
        for _ in range(one.people):
            while at < len(free) and free[at] < one.since:
                at += 1
            if at < len(free) and free[at] <= one.seen.at + after:
                at += 1
            else:
                without += 1
        left.append(without)
    return left


def _is_over(end: dt.datetime | None, at: dt.datetime) -> bool:
    return end is not None and end + CLOCKS < at


def _who(face: Observation) -> str:
    return face.person_id or f"household {face.household_id}"
