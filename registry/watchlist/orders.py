"""Watch-list orders (布控): what has to be said, and who may ask for what (L-06, L-07)."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from registry import plates, rows
from registry.credentials.models import Credential, CredentialKind, CredentialStatus
from registry.days import local_date
from registry.errors import RefusedError
from registry.people.ages import is_under_14
from registry.people.models import Person
from registry.places.models import Ring
from registry.watchlist.models import (
    LegalBasis,
    WatchlistApplication,
    WatchlistEntry,
    WatchlistSubject,
)

LONGEST: Final = dt.timedelta(days=90)
"""Of one approval (L-06). Longer is a renewal: somebody has to find it still necessary."""

AHEAD: Final = dt.timedelta(days=30)
"""How far ahead an entry may begin: whoever approves has to know how things stand then."""

_SLACK: Final = dt.timedelta(minutes=5)
"""By how much the clock of whoever asks may be behind ours."""

# Roles of the console, by their codes.
POLICE: Final = "police"
PROPERTY: Final = frozenset({"administrator", "property_manager"})
# Who may be told of a hit; a volunteer goes without knowing whom an entry names (L-20).
RECIPIENT_ROLES: Final = frozenset({"operator", "guard", "administrator", "property_manager", POLICE})
_ONE_USER: Final = re.compile(r"user:[\w.-]{1,59}")

POLICE_BASES: Final = frozenset({LegalBasis.POLICE_ORDER, LegalBasis.COURT_ORDER})
# Nobody can show a reader a face on the list, and a guard's call has no number.
_SHOWN: Final = frozenset(CredentialKind) - {CredentialKind.FACE, CredentialKind.GUARD_CALL}
LENGTHS: Final = {"document_no": 64, "applicant_org": 128, "reason": 200}


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. `subject` is a plate, or a person's or credential's id; priority 1…4.

    `renews` is the entry that this one goes on from.
    """

    subject_kind: WatchlistSubject
    subject: str
    legal_basis: LegalBasis
    document_no: str
    applicant_org: str
    reason: str
    rings: tuple[Ring, ...]
    starts_at: dt.datetime
    ends_at: dt.datetime
    recipients: tuple[str, ...] = ()
    priority: int = 3
    renews: str | None = None


@dataclass(frozen=True, slots=True)
class Officer:
    """Who acts: a user's id and role."""

    id: str
    role: str


def is_police_matter(kind: WatchlistSubject, basis: LegalBasis) -> bool:
    """Whether an entry is the police's own: on their or a court's order, or on a person."""
    return kind == WatchlistSubject.PERSON or basis in POLICE_BASES


def checked_text(field: str, text: str) -> str:
    """Raises `watchlist_field` for what is blank or too long for its column."""
    kept = " ".join(text.split())
    if not 1 <= len(kept) <= LENGTHS[field]:
        raise RefusedError("watchlist_field", field=field)
    return kept


def checked_rings(rings: Iterable[Ring]) -> list[Ring]:
    """From the outside in. Raises `watchlist_rings` for none."""
    wanted = set(rings)
    if not wanted:
        raise RefusedError("watchlist_rings")
    return [ring for ring in Ring if ring in wanted]


def checked_recipients(recipients: Iterable[str]) -> list[str]:
    """Roles or `user:ID`. Raises `watchlist_recipient`."""
    wanted = sorted(set(recipients))
    if any(one not in RECIPIENT_ROLES and not _ONE_USER.fullmatch(one) for one in wanted):
        raise RefusedError("watchlist_recipient")
    return wanted


def checked_priority(priority: int) -> int:
    """Raises `watchlist_priority` outside of 1…4."""
    if not 1 <= priority <= 4:
        raise RefusedError("watchlist_priority")
    return priority


def check_period(starts_at: dt.datetime, ends_at: dt.datetime, at: dt.datetime) -> None:
    """Raises `watchlist_order`, `watchlist_past`, `watchlist_early`, `watchlist_long`."""
    if ends_at <= starts_at:
        raise RefusedError("watchlist_order")
    if starts_at < at - _SLACK:
        raise RefusedError("watchlist_past")
    if starts_at > at + AHEAD:
        raise RefusedError("watchlist_early", days=AHEAD.days)
    if ends_at - starts_at > LONGEST:
        raise RefusedError("watchlist_long", days=LONGEST.days)


def check_right(order: Order, role: str) -> None:
    """L-07: what is the police's, only the police can ask for.

    Raises `watchlist_role`, `watchlist_police_only`, `watchlist_basis`.
    """
    if role != POLICE:
        if role not in PROPERTY:
            raise RefusedError("watchlist_role")
        if is_police_matter(order.subject_kind, order.legal_basis):
            raise RefusedError("watchlist_police_only")
    elif order.subject_kind == WatchlistSubject.PERSON and order.legal_basis not in POLICE_BASES:
        raise RefusedError("watchlist_basis")


def checked_subject(
    session: Session, compound: str, order: Order | WatchlistApplication, role: str, at: dt.datetime
) -> str:
    """What is looked for, in its one spelling; checked to exist and to be lawful to look for.

    Raises `MissingError`, `plate_malformed`, `watchlist_erased`, `watchlist_child`,
    `watchlist_credential`, `watchlist_in_use`.
    """
    if order.subject_kind == WatchlistSubject.PLATE:
        plate = plates.normalise(order.subject)
        if plate is None or not plates.is_well_formed(plate):
            raise RefusedError("plate_malformed")
        return plate
    if order.subject_kind == WatchlistSubject.PERSON:
        person = rows.find(session, Person, compound, order.subject, "person")
        if person.erased_at is not None:
            raise RefusedError("watchlist_erased")
        if is_under_14(person, local_date(session, compound, at)):
            raise RefusedError("watchlist_child")
        return person.id
    credential = rows.find(session, Credential, compound, order.subject, "credential")
    if credential.kind not in _SHOWN:
        raise RefusedError("watchlist_credential")
    if credential.status == CredentialStatus.ACTIVE and role != POLICE:
        # A card that somebody carries shows where that somebody goes: only a lost one may be looked for.
        raise RefusedError("watchlist_in_use")
    return credential.id


def check_renewal(session: Session, compound: str, order: Order | WatchlistApplication, subject: str) -> None:
    """A renewal goes on for the same subject. Raises `watchlist_renewal` and `MissingError`."""
    entry = rows.find(session, WatchlistEntry, compound, order.renews or "", "watchlist_entry")
    same = (entry.subject_kind, entry.subject) == (order.subject_kind, subject)
    if not same or entry.lifted_at is not None:
        raise RefusedError("watchlist_renewal")
