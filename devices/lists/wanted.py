"""Who should be on a terminal: a decision over what the registry holds.

The door's own decision (`registry.entry.decision`) says who may enter, now or within a day;
this says what of them lies on the terminal. As little as lets it open: a number it can read,
a face of somebody who has agreed, and for the screen the first character of the name. The
address is left out, since the screen is read by whoever stands behind.

Nobody is there without something to show: PINs are kept as hashes and the guard's call needs
no terminal. Children under 14 are never there by face, since a terminal matches by itself.
A terminal's entry has one card; who has several is there with the one that lasts longest.
"""

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from registry.entry.decision import EntryFacts, EntryZone, Key, Right, may_enter
from registry.places.models import Ring

AHEAD: Final = dt.timedelta(hours=24)
"""How long before a right begins its holder is put on the terminal: it may be offline that morning."""

VISITOR_LABEL: Final = "访客"


class Holder(NamedTuple):
    """Whose entry it is: a registered person's, or a visitor pass's (`kind` person, pass)."""

    kind: str
    id: str


class Lack(enum.StrEnum):
    """Why a list has less than its terminal might carry."""

    # Faces lie on the LAN under the setting `terminal_url`; without it a terminal cannot fetch them.
    NO_ADDRESS = "no_terminal_url"


@dataclass(frozen=True, slots=True)
class Card:
    """A card's number as it is read, and when and where it opens."""

    id: str
    number: str
    key: Key


@dataclass(frozen=True, slots=True)
class Resident:
    """What may be put on terminals of somebody registered.

    `picture` is the media id of the enrolled photo of somebody whose own consent to face
    access holds and who is 14 or older; None otherwise, and where no photo was kept.
    """

    person: str
    name: str
    rights: tuple[Right, ...]
    cards: tuple[Card, ...] = ()
    picture: str | None = None
    faces: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Visitor:
    """A pass that lets in here now and whose card was handed out; `uses` are those that are left."""

    visitor_pass: str
    card: str
    ends_at: dt.datetime
    uses: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One entry as it should lie on a terminal. `starts_at` None: already; `ends_at` None: for good."""

    holder: Holder
    label: str
    card: str | None = None
    picture: str | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    uses: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of time during which something opens."""

    starts_at: dt.datetime | None
    ends_at: dt.datetime | None

    def covers(self, other: "Window") -> bool:
        """Whether the other lies within."""
        begins = self.starts_at is None or (other.starts_at is not None and self.starts_at <= other.starts_at)
        lasts = self.ends_at is None or (other.ends_at is not None and other.ends_at <= self.ends_at)
        return begins and lasts


def entry_of(resident: Resident, zone: EntryZone, at: dt.datetime, *, faces: bool) -> Wanted | None:
    """What of somebody should lie on a terminal of a zone; None where nothing should.

    The card comes first and its validity is the entry's, for nobody may be left with the
    face as the only way in (L-03); the face is added where it opens for as long.
    """
    if zone.ring is Ring.BUILDING and not any(zone.id in right.buildings for right in resident.rights):
        # Most of a compound at the door of one building: nothing of theirs ever opens it.
        return None
    card = _best_card(resident, zone, at)
    face = _face(resident, zone, at) if faces and resident.picture is not None else None
    if card is not None:
        number, window = card
        with_face = face is not None and face.covers(window)
    elif face is not None:
        number, window, with_face = None, face, True
    else:
        return None
    return Wanted(
        Holder("person", resident.person),
        label_of(resident.name),
        number,
        resident.picture if with_face else None,
        window.starts_at,
        window.ends_at,
    )


def visit_of(visitor: Visitor) -> Wanted:
    """A visitor's entry: the card that was handed out, until the pass ends or is used up."""
    return Wanted(
        Holder("pass", visitor.visitor_pass),
        VISITOR_LABEL,
        visitor.card,
        None,
        None,
        visitor.ends_at,
        visitor.uses,
    )


def label_of(name: str) -> str:
    """What the screen shows: the first character and a star, so that one knows oneself and nobody else."""
    return f"{name.strip()[:1]}*"


def window_of(rights: tuple[Right, ...], key: Key, zone: EntryZone, at: dt.datetime) -> Window | None:
    """When a credential opens from now on, or from within `AHEAD`; None where it does not."""
    facts = EntryFacts(rights, (key,))
    begins = {at, *(b for b in (key.starts_at, *(r.starts_at for r in rights)) if b is not None)}
    for moment in sorted(b for b in begins if at <= b <= at + AHEAD):
        entry = may_enter(facts, zone, moment)
        if entry.allowed:
            return Window(None if moment == at else moment, _end(facts, zone, entry.until))
    return None


def _end(facts: EntryFacts, zone: EntryZone, until: dt.datetime | None) -> dt.datetime | None:
    """When somebody may no longer enter: where one right ends another may go on, or its end close nothing."""
    while until is not None:
        after = may_enter(facts, zone, until)
        if not after.allowed or (after.until is not None and after.until <= until):
            return until
        until = after.until
    return None


def _best_card(resident: Resident, zone: EntryZone, at: dt.datetime) -> tuple[str, Window] | None:
    opening = [
        (window, card)
        for card in resident.cards
        if (window := window_of(resident.rights, card.key, zone, at)) is not None
    ]
    if not opening:
        return None
    window, card = max(opening, key=lambda one: (_lasts(one[0]), one[1].id))
    return card.number, window


def _face(resident: Resident, zone: EntryZone, at: dt.datetime) -> Window | None:
    windows = [
        window for key in resident.faces if (window := window_of(resident.rights, key, zone, at)) is not None
    ]
    return max(windows, key=_lasts, default=None)


def _lasts(window: Window) -> tuple[bool, float]:
    """What opens already comes before what will, then what lasts longer."""
    return window.starts_at is None, float("inf") if window.ends_at is None else window.ends_at.timestamp()


def by_holder(entries: Iterable[Wanted]) -> dict[Holder, Wanted]:
    """Entries by whose they are."""
    return {entry.holder: entry for entry in entries}
