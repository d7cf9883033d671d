"""Which watch-list entries are in force, whom they look for, and who may know of them.

The one place that says so: rules, lists and pages ask here. An entry ends by itself, since
being in force is a question of the moment and not a state that something has to change.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from registry import lookups
from registry.credentials.models import Credential, CredentialKind
from registry.watchlist.models import WatchlistApplication, WatchlistEntry, WatchlistSubject
from registry.watchlist.orders import POLICE, is_police_matter


@dataclass(frozen=True, slots=True)
class Lookout:
    """An entry as the rules need it: for what, where it may be looked for, how urgent it is (1…4)."""

    entry_id: str
    subject: str
    rings: frozenset[str]
    priority: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Entries that begin and that end by themselves within a time, soonest first."""

    beginning: Sequence[WatchlistEntry]
    ending: Sequence[WatchlistEntry]


def in_force(compound: str, at: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    """What makes an entry hold at a moment: from its first to before its last, and until it was lifted."""
    return (
        WatchlistEntry.compound == compound,
        WatchlistEntry.starts_at <= at,
        WatchlistEntry.ends_at > at,
        or_(WatchlistEntry.lifted_at.is_(None), WatchlistEntry.lifted_at > at),
    )


def looking_for(
    session: Session, compound: str, subjects: Mapping[WatchlistSubject, Collection[str]], at: dt.datetime
) -> tuple[Lookout, ...]:
    """The entries in force at a moment for any of these subjects; no subjects, no query."""
    wanted = [
        (WatchlistEntry.subject_kind == kind) & WatchlistEntry.subject.in_(ids)
        for kind, ids in subjects.items()
        if ids
    ]
    if not wanted:
        return ()
    found = session.execute(
        select(WatchlistEntry.id, WatchlistEntry.subject, WatchlistEntry.rings, WatchlistEntry.priority)
        .where(*in_force(compound, at), or_(*wanted))
        .order_by(WatchlistEntry.id)
    )
    return tuple(Lookout(row.id, row.subject, frozenset(row.rings), row.priority) for row in found)


def credentials_shown(session: Session, compound: str, kind: str, ref: str | None) -> Sequence[str]:
    """Ids of the credentials, in whatever state, that a reader saw; found by their keyed hash."""
    if ref is None or kind not in list(CredentialKind):
        return ()
    return session.scalars(
        select(Credential.id)
        .where(
            Credential.compound == compound,
            Credential.kind == kind,
            Credential.ref_key == lookups.credential_key(compound, kind, ref),
        )
        .order_by(Credential.id)
    ).all()


def current(compound: str, at: dt.datetime) -> Select[WatchlistEntry]:
    """The entries in force, to be ordered and paged by the caller."""
    return select(WatchlistEntry).where(*in_force(compound, at))


def changing(session: Session, compound: str, at: dt.datetime, within: dt.timedelta) -> Changes:
    """What begins and what expires from a moment on: for the hand-over of a shift."""
    until = at + within
    own = (WatchlistEntry.compound == compound, WatchlistEntry.lifted_at.is_(None))
    begins, ends = WatchlistEntry.starts_at, WatchlistEntry.ends_at
    beginning = select(WatchlistEntry).where(*own, begins > at, begins <= until)
    ending = select(WatchlistEntry).where(*own, begins <= until, ends > at, ends <= until)
    return Changes(
        session.scalars(beginning.order_by(begins, WatchlistEntry.id)).all(),
        session.scalars(ending.order_by(ends, WatchlistEntry.id)).all(),
    )


def may_know(order: WatchlistEntry | WatchlistApplication, user: str, role: str) -> bool:
    """Whether somebody may see whom an entry names and why; others see only that there is one.

    Those who asked and decided may, those who are told of its hits, the police and the
    auditors; of the property's own entries also the property's people.
    """
    decider = order.approver if isinstance(order, WatchlistEntry) else order.decided_by
    if user in {order.applicant, decider} or role in {POLICE, "auditor"}:
        return True
    told = order.recipients or ["operator"]
    if isinstance(order, WatchlistEntry) and (role in told or f"user:{user}" in told):
        return True
    own = not is_police_matter(order.subject_kind, order.legal_basis)
    return own and role in {"administrator", "property_manager"}
