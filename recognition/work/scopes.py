"""Which galleries a face is compared with: the smallest lawful one first.

At a door of a building its residents, then the compound, then those whom an order looks for in
this ring. A gallery here is a choice of people: all lie in the compound's one matrix.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bus.messages import EventStored
from recognition.calibration import Calibration
from recognition.decisions import Exclusion, Scope, seen_from
from recognition.engines import Vector
from recognition.feedback.exclusions import exclusions_for
from recognition.gallery import Gallery
from registry.days import local_date
from registry.models import Building, Ring, WatchlistEntry, WatchlistSubject
from registry.people import inhabitants
from registry.watchlist.lookout import in_force
from storage import Clock

MAX_AGE: Final = dt.timedelta(seconds=30)
"""How long whoever moves in or out is looked for in the old building's gallery; the compound's has them."""

STRICTER: Final = 0.1
"""Of the false names that are allowed, what is left for whoever was taken for a stranger before."""

_LONGEST_ID: Final = 96


@dataclass(frozen=True, slots=True)
class Looked:
    """Galleries to search at one device, and the pairs that were confused in the compound."""

    galleries: tuple["Among", ...]
    exclusions: frozenset[Exclusion]


@dataclass(frozen=True, slots=True)
class Among:
    """The people of one gallery; None: everybody of the compound."""

    gallery: str
    people: frozenset[str] | None
    watchlist: bool = False


@dataclass(frozen=True, slots=True)
class Strictness:
    """False names that a stranger's passage may have, 0…1, and how a person moved the distance."""

    fpir: float
    shift: float = 0.0


class Scopes:
    """Finds the galleries for events. Who lives in a building is remembered for half a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._residents: dict[tuple[str, str], tuple[dt.datetime, dt.date, Among | None]] = {}

    def of(self, session: Session, event: EventStored) -> Looked:
        """The galleries for an event, the smallest first, the watch-list last where it is in force here."""
        now = self._clock.now()
        home = self._building(session, event, now) if event.ring == Ring.BUILDING else None
        everybody = Among(f"compound:{event.compound}"[:_LONGEST_ID], None)
        wanted = _wanted(session, event, now)
        pairs = frozenset(Exclusion(*pair) for pair in exclusions_for(session, event.compound))
        galleries = (home, everybody, wanted)
        return Looked(tuple(one for one in galleries if one is not None), pairs)

    def _building(self, session: Session, event: EventStored, now: dt.datetime) -> Among | None:
        key = (event.compound, event.zone)
        day = local_date(session, event.compound, now)
        known = self._residents.get(key)
        if known is not None and known[1] == day and known[0] <= now < known[0] + MAX_AGE:
            return known[2]
        buildings = session.scalars(
            select(Building.id).where(Building.compound == event.compound, Building.zone == event.zone)
        ).all()
        found = None
        if buildings:
            people = inhabitants.of_zone(session, event.compound, event.zone, day)
            name = buildings[0] if len(buildings) == 1 else event.zone
            found = Among(f"building:{name}"[:_LONGEST_ID], people)
        self._residents[key] = (now, day, found)
        return found


def search(
    looked: Looked,
    gallery: Gallery,
    face: Vector,
    calibration: Calibration,
    strictness: Strictness,
    *,
    frames: int = 1,
) -> list[Scope]:
    """Compares a face with each gallery that has anybody in it; without any, with the empty compound's.

    Each gallery is a chance more for a stranger to be named: together they have the false names
    that are allowed, each an equal share of them.
    """
    sizes = [(among, gallery.size(among.people)) for among in looked.galleries]
    filled = [(among, size) for among, size in sizes if size > 0]
    if not filled:
        filled = [(among, 0) for among, _ in sizes if among.people is None]
    share = strictness.fpir / len(filled)
    photos = max(1.0, len(gallery) / max(1, gallery.people))
    scopes = []
    for among, size in filled:
        thresholds, stricter = (
            calibration.thresholds(size, rate, frames=frames, shift=strictness.shift, photos=photos)
            for rate in (share, share * STRICTER)
        )
        # Twice the margin: within it a pair that was confused is not told apart.
        candidates = gallery.search(face, among.people, within=2 * thresholds.margin) if size else ()
        scopes.append(
            Scope(
                among.gallery,
                size,
                candidates,
                thresholds,
                stricter,
                seen_from(looked.exclusions, _held(looked.exclusions, gallery, among.people)),
                watchlist=among.watchlist,
            )
        )
    return scopes


def _held(
    exclusions: Collection[Exclusion], gallery: Gallery, people: frozenset[str] | None
) -> frozenset[str]:
    """Those of the confused people whom this gallery can name."""
    named = {person for one in exclusions for person in (one.person_id, one.other) if person is not None}
    return frozenset(
        person for person in named if (people is None or person in people) and gallery.size({person})
    )


def _wanted(session: Session, event: EventStored, now: dt.datetime) -> Among | None:
    """Whom orders look for in this ring; asked anew each time, since an order ends by itself.

    One that was in force when it happened and has ended since looks for nobody any more.
    """
    entries = session.execute(
        select(WatchlistEntry.subject, WatchlistEntry.rings).where(
            *in_force(event.compound, event.at),
            *in_force(event.compound, now),
            WatchlistEntry.subject_kind == WatchlistSubject.PERSON,
        )
    )
    people = frozenset(entry.subject for entry in entries if event.ring in entry.rings)
    name = f"watchlist:{event.compound}"[:_LONGEST_ID]
    return Among(name, people, watchlist=True) if people else None
