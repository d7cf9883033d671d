"""Whether somebody may enter a zone now: a decision over what the registry holds.

Residents enter their own building, staff the buildings where their organisation has
premises, and both the entrances and common areas; a credential may open less. It is about
coming in alone: nobody is ever kept from leaving (L-23), and no watch-list entry opens or
closes a door, so none is among the facts.

A residence that has ended closes nothing by itself: a tenant who is late with a paper still
gets home, and the property office decides (`registry.people.leavers`). What the guard opens by
asking is another matter, since the guard asks whether somebody still belongs here.
"""

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from registry.credentials.models import CredentialKind, CredentialStatus
from registry.places.models import Ring


class EntryReason(enum.StrEnum):
    """Why somebody may enter, or may not; the most telling reason against stands first."""

    RESIDENT = "resident"
    STAFF = "staff"
    VEHICLE = "vehicle"
    EMERGENCY_VEHICLE = "emergency_vehicle"
    VISITOR = "visitor"  # by a pass
    RESIDENCE_ENDED = "residence_ended"  # may enter all the same; the property office revokes
    LOST = "lost"
    SUSPENDED = "suspended"
    ENDED = "ended"
    OVER = "over"
    NOT_YET = "not_yet"
    CONSENT_MISSING = "consent_missing"
    OTHER_ZONE = "other_zone"  # the credential does not open it
    OTHER_BUILDING = "other_building"
    NO_RIGHT = "no_right"
    UNKNOWN = "unknown"


class RightKind(enum.StrEnum):
    """What makes somebody one of the people here."""

    RESIDENCE = "residence"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class EntryZone:
    """The zone that somebody wants to enter."""

    id: str
    ring: Ring


@dataclass(frozen=True, slots=True)
class Right:
    """A time during which somebody belongs here, and the zones of the buildings it opens.

    `ends_at` no longer belongs to it; None is for good.
    """

    kind: RightKind
    buildings: frozenset[str]
    starts_at: dt.datetime
    ends_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Key:
    """A credential as far as doors care. `zones` empty: every zone that its person may enter."""

    kind: CredentialKind
    status: CredentialStatus
    zones: frozenset[str] = frozenset()
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    # Of a face: whether its person still agrees.
    consented: bool = True


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """Somebody's rights, and the credentials that the question is about."""

    rights: tuple[Right, ...] = ()
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """The answer; `reason` is an `EntryReason`, or `pass_` and a `PassReason`. Until when it holds.

    `subject` is whom it is about, as the audit log names it (`person:ID`), where that is known.
    """

    allowed: bool
    reason: str
    until: dt.datetime | None = None
    subject: str | None = field(default=None, compare=False)


_STATUS: Final = {
    CredentialStatus.LOST: EntryReason.LOST,
    CredentialStatus.SUSPENDED: EntryReason.SUSPENDED,
    CredentialStatus.ENDED: EntryReason.ENDED,
}
_TELLING: Final[dict[str, int]] = {reason: 2 * place for place, reason in enumerate(EntryReason)}


def may_enter(facts: EntryFacts, zone: EntryZone, at: dt.datetime) -> Entry:
    """Whether any of the credentials opens the zone; of several that do, the one that does longest."""
    return best(_by_key(facts.rights, key, zone, at) for key in facts.keys)


def best(answers: Iterable[Entry]) -> Entry:
    """The answer that lets in, and for longest; without one the most telling refusal."""
    found = sorted(answers, key=_rank)
    return found[0] if found else Entry(allowed=False, reason=EntryReason.UNKNOWN)


def _rank(answer: Entry) -> tuple[bool, int, float]:
    lasts = float("inf") if answer.until is None else answer.until.timestamp()
    # What is the matter with a pass says more than that there is no other right.
    named = _TELLING[answer.reason] if answer.reason in _TELLING else _TELLING[EntryReason.NO_RIGHT] - 1
    # A right that holds comes before one that has ended, however long that is let pass.
    ended = answer.reason == EntryReason.RESIDENCE_ENDED
    return (not answer.allowed, int(ended) if answer.allowed else named, -lasts)


def _by_key(rights: tuple[Right, ...], key: Key, zone: EntryZone, at: dt.datetime) -> Entry:
    against = _fault(key, zone, at)
    if against is not None:
        return Entry(allowed=False, reason=against)
    current = [right for right in rights if right.starts_at <= at and not _over(right, at)]
    opening = [right for right in current if _opens(right, zone)]
    if opening:
        return best(
            Entry(
                allowed=True,
                reason=EntryReason.RESIDENT if right.kind is RightKind.RESIDENCE else EntryReason.STAFF,
                until=_earlier(right.ends_at, key.ends_at),
            )
            for right in opening
        )
    if current:
        return Entry(allowed=False, reason=EntryReason.OTHER_BUILDING)
    return _without_right(rights, key, zone, at)


def _without_right(rights: tuple[Right, ...], key: Key, zone: EntryZone, at: dt.datetime) -> Entry:
    """Of somebody who has no right now: who lived here last may still come home by their own key."""
    ended = [right for right in rights if right.kind is RightKind.RESIDENCE and _over(right, at)]
    if ended:
        last_day = max(right.ends_at for right in ended if right.ends_at is not None)
        home = any(right.ends_at == last_day and _opens(right, zone) for right in ended)
        allowed = home and key.kind != CredentialKind.GUARD_CALL
        reason = EntryReason.RESIDENCE_ENDED if home else EntryReason.NO_RIGHT
        return Entry(allowed=allowed, reason=reason, until=key.ends_at if allowed else None)
    coming = any(right.starts_at > at for right in rights)
    return Entry(allowed=False, reason=EntryReason.NOT_YET if coming else EntryReason.NO_RIGHT)


def _fault(key: Key, zone: EntryZone, at: dt.datetime) -> EntryReason | None:
    """What is the matter with a credential itself, here and now."""
    if key.status != CredentialStatus.ACTIVE:
        return _STATUS[key.status]
    if key.ends_at is not None and key.ends_at <= at:
        return EntryReason.OVER
    if key.starts_at is not None and key.starts_at > at:
        return EntryReason.NOT_YET
    if not key.consented:
        return EntryReason.CONSENT_MISSING
    if key.zones and zone.id not in key.zones:
        return EntryReason.OTHER_ZONE
    if key.kind == CredentialKind.PLATE and zone.ring is Ring.BUILDING:
        # No vehicle goes up the stairs.
        return EntryReason.OTHER_ZONE
    return None


def _opens(right: Right, zone: EntryZone) -> bool:
    return zone.ring is not Ring.BUILDING or zone.id in right.buildings


def _over(right: Right, at: dt.datetime) -> bool:
    return right.ends_at is not None and right.ends_at <= at


def _earlier(one: dt.datetime | None, other: dt.datetime | None) -> dt.datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
