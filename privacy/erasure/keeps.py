"""What the law or a hold keeps from being erased, and until when (PIPL art. 47).

It is looked at when an erasure is ordered and again whenever it is followed up: what was
kept goes by itself once nothing keeps it any more.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, Text, or_, select, type_coerce
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident
from privacy.disclosures import DELIVERABLE
from privacy.holds import held, held_subjects
from privacy.models import Disclosure, DisclosureState
from registry.models import (
    ApplicationState,
    LegalBasis,
    Person,
    WatchlistApplication,
    WatchlistEntry,
)

_OPEN = [state for state in State if state.is_open]


class KeepReason(enum.StrEnum):
    """Why something stays for now."""

    LEGAL_HOLD = "legal_hold"
    OPEN_INCIDENT = "open_incident"
    WATCHLIST = "watchlist"
    # Somebody has asked for it by a document, and it is not handed out yet.
    OFFICIAL_REQUEST = "official_request"
    OWNERS_RESOLUTION = "owners_resolution"
    # What those are told who may not know of a hold or of an order of the police.
    BY_LAW = "by_law"
    # Nobody keeps it: it goes by itself at that moment.
    EXPIRES = "expires"


# A person under investigation must not learn of it by asking to be forgotten.
SECRET = frozenset({KeepReason.LEGAL_HOLD, KeepReason.WATCHLIST, KeepReason.OFFICIAL_REQUEST})


@dataclass(frozen=True, slots=True)
class Keep:
    """One ground; `source` is the id of the hold, incident or entry, `until` None for an open end."""

    reason: KeepReason
    source: str
    until: dt.datetime | None = None

    def as_detail(self) -> dict[str, str | None]:
        """As a step of an erasure stores it."""
        until = self.until.isoformat() if self.until else None
        return {"reason": self.reason, "source": self.source, "until": until}


def of_person(session: Session, person: Person, subjects: Iterable[str], at: dt.datetime) -> list[Keep]:
    """What keeps a person whole. `subjects`: the person's id, and the ids and plates of own vehicles."""
    known = sorted(set(subjects) | {person.id})
    keeps = []
    hold = held(session, "person", person.id, at)
    if hold is not None:
        keeps.append(Keep(KeepReason.LEGAL_HOLD, hold.id, hold.ends_at))
    keeps += _incidents(session, person.compound, known, at)
    keeps += _watched(session, person.compound, known, at)
    keeps += _requested(session, person.compound, known, at)
    return keeps


def of_events(session: Session, compound: str, at: dt.datetime) -> Mapping[str, Keep]:
    """Events that an open or held incident stands on, and what keeps each."""
    held_ones = held_subjects("incident", at)
    rows = session.execute(
        select(Evidence.event_ids, Evidence.moved_from, Incident.id, Incident.state)
        .join(Incident, Incident.id == Evidence.incident)
        .where(
            Incident.compound == compound,
            or_(
                Incident.state.in_(_OPEN),
                Incident.id.in_(held_ones),
                # Held before it became part of another.
                Evidence.moved_from.in_(held_ones),
            ),
        )
    )
    return {
        event_id: _keep(session, incident_id, State(state), at, moved_from)
        for event_ids, moved_from, incident_id, state in rows
        for event_id in event_ids
    }


def _incidents(session: Session, compound: str, subjects: Sequence[str], at: dt.datetime) -> list[Keep]:
    rows = session.execute(
        select(Incident.id, Incident.state).where(
            Incident.compound == compound,
            or_(Incident.subject.in_(subjects), Incident.id.in_(_told_of(subjects))),
            or_(Incident.state.in_(_OPEN), Incident.id.in_(held_subjects("incident", at))),
        )
    )
    return [_keep(session, row.id, State(row.state), at) for row in rows]


def _told_of(subjects: Sequence[str]) -> Select[str]:
    """Incidents with a signal on one of these, whomever they are about on the whole."""
    trace = type_coerce(Evidence.trace, Text)
    named = [trace.contains(f'"subject":"{one}"', autoescape=True) for one in subjects]
    return select(Evidence.incident).where(or_(*named))


def _keep(
    session: Session, incident_id: str, state: State, at: dt.datetime, moved_from: str | None = None
) -> Keep:
    hold = held(session, "incident", incident_id, at)
    if hold is None and moved_from is not None:
        hold = held(session, "incident", moved_from, at)
    if hold is not None:
        return Keep(KeepReason.LEGAL_HOLD, hold.id, hold.ends_at)
    assert state.is_open
    return Keep(KeepReason.OPEN_INCIDENT, incident_id)


def _watched(session: Session, compound: str, subjects: Sequence[str], at: dt.datetime) -> list[Keep]:
    """Orders in force, and those of the police and the courts that wait for their second signature."""
    official = {LegalBasis.POLICE_ORDER, LegalBasis.COURT_ORDER}
    entries = session.scalars(
        select(WatchlistEntry).where(
            WatchlistEntry.compound == compound,
            WatchlistEntry.subject.in_(subjects),
            WatchlistEntry.legal_basis != LegalBasis.OWNERS_REPORT,
            WatchlistEntry.ends_at > at,
            WatchlistEntry.lifted_at.is_(None),
        )
    )
    keeps = [
        Keep(
            KeepReason.WATCHLIST if entry.legal_basis in official else KeepReason.OWNERS_RESOLUTION,
            entry.id,
            entry.ends_at,
        )
        for entry in entries
    ]
    applications = session.scalars(
        select(WatchlistApplication).where(
            WatchlistApplication.compound == compound,
            WatchlistApplication.subject.in_(subjects),
            WatchlistApplication.legal_basis.in_(official),
            WatchlistApplication.state == ApplicationState.PENDING,
            WatchlistApplication.ends_at > at,
        )
    )
    return keeps + [Keep(KeepReason.WATCHLIST, row.id, row.ends_at) for row in applications]


def _requested(session: Session, compound: str, subjects: Sequence[str], at: dt.datetime) -> list[Keep]:
    """Disclosures that are still to be decided or delivered; what is left lying keeps nothing for ever."""
    rows = session.scalars(
        select(Disclosure).where(
            Disclosure.compound == compound,
            Disclosure.state.in_((DisclosureState.PENDING, DisclosureState.APPROVED)),
        )
    )
    keeps = [
        Keep(KeepReason.OFFICIAL_REQUEST, row.id, (row.decided_at or row.applied_at) + DELIVERABLE)
        for row in rows
        if row.scope.get("id") in subjects
    ]
    return [keep for keep in keeps if keep.until is not None and keep.until > at]
