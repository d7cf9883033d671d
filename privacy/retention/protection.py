"""What may not go although its time is over: what is held, and what an open incident stands on."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident
from alerts.rules.entrance.watchlist_hit import WatchlistHit
from devices.enrolments import TerminalEnrolment
from privacy.holds import held_subjects
from privacy.models import LegalHold
from privacy.retention.policy import RetentionPolicy
from recognition.models import DecisionRow
from registry import spelling
from registry.models import Credential, Vehicle, WatchlistEntry

OPEN_STATES: Final = tuple(state for state in State if state.is_open)

_bodies: Final = msgspec.json.Decoder(dict[str, Any])

Revision = tuple[int, str | None]
_REVISION: Final = select(func.count(LegalHold.id), func.max(LegalHold.id))


@dataclass(frozen=True, slots=True)
class Protection:
    """Events of a compound that stay, by id or by whose card or terminal reference they name."""

    revision: Revision
    events: frozenset[str]
    refs: frozenset[str]

    def keeps(self, event_id: str, body: dict[str, Any] | str | None) -> bool:
        """Whether an event stays. The body is needed only while there are `refs`."""
        if event_id in self.events:
            return True
        if not self.refs or body is None:
            return False
        # What became known later stands on lines of its own.
        bodies = _bodies.decode_lines(body) if isinstance(body, str) else [body]
        return not self.refs.isdisjoint(spelling.card(ref) for one in bodies for ref in refs_in(one))


def protection(session: Session, compound: str, policy: RetentionPolicy, at: dt.datetime) -> Protection:
    """What stays of a compound now."""
    # Read first: what changes in between makes this look old, never new.
    now = revision(session)
    held_people = held_subjects("person", at)
    incidents = (
        or_(
            Incident.state.in_(OPEN_STATES),
            Incident.id.in_(held_subjects("incident", at)),
            # Held under the number that it had before it became part of another.
            Evidence.moved_from.in_(held_subjects("incident", at)),
            and_(Incident.subject_kind == "person", Incident.subject.in_(held_people)),
        ),
        Incident.id.in_(_watched(session, compound, policy, at)),
    )
    events: set[str] = set()
    for condition in incidents:
        stands_on = (
            select(Evidence.event_ids)
            .join(Incident, Incident.id == Evidence.incident)
            .where(Incident.compound == compound, condition)
        )
        for ids in session.scalars(stands_on):
            events.update(ids)
    people = session.scalars(held_people.where(LegalHold.compound == compound)).all()
    if not people:
        return Protection(now, frozenset(events), frozenset())
    events.update(_seen(session, compound, people))
    refs = frozenset(spelling.card(ref) for ref in known_by(session, people))
    return Protection(now, frozenset(events), refs)


def revision(session: Session | Connection) -> Revision:
    """Moves whenever somebody has asked for a hold.

    Nothing else can begin to protect what is old: rules look back for a day at most, and late
    data raises nothing.
    """
    row = session.execute(_REVISION).one()
    return row[0], row[1]


def watch_kept(at: dt.datetime, policy: RetentionPolicy) -> Any:
    """The condition that a watch-list entry and what was recorded because of it still stay."""
    cutoff = policy.cutoff("watchlist", at)
    return and_(
        WatchlistEntry.ends_at >= cutoff,
        or_(WatchlistEntry.lifted_at.is_(None), WatchlistEntry.lifted_at >= cutoff),
    )


def _watched(session: Session, compound: str, policy: RetentionPolicy, at: dt.datetime) -> Sequence[str]:
    """Incidents that are hits of entries which have not been over for long."""
    entries = session.execute(
        select(WatchlistEntry.id, WatchlistEntry.starts_at).where(
            WatchlistEntry.compound == compound, watch_kept(at, policy)
        )
    ).all()
    if not entries:
        return ()
    wanted = {entry.id for entry in entries}
    since = Incident.raised_at >= min(entry.starts_at for entry in entries)
    return [incident for incident, entry in hits_of_entries(session, compound, since) if entry in wanted]


def hits_of_entries(
    session: Session, compound: str, *conditions: ColumnElement[bool]
) -> list[tuple[str, str]]:
    """(incident, watch-list entry): also where the hit was only part of what happened."""
    raised = session.execute(
        select(Incident.id, Incident.reason_args).where(
            Incident.compound == compound, Incident.rule == WatchlistHit.id, *conditions
        )
    )
    found = [(row.id, row.reason_args.get("entry_id")) for row in raised]
    joined = session.execute(
        select(Incident.id, Evidence.trace)
        .join(Evidence, Evidence.incident == Incident.id)
        .where(Incident.compound == compound, Evidence.rule == WatchlistHit.id, *conditions)
    )
    found += [(row.id, (row.trace.get("args") or {}).get("entry_id")) for row in joined]
    return [(incident, entry) for incident, entry in dict.fromkeys(found) if isinstance(entry, str)]


def _seen(session: Session, compound: str, people: Sequence[str]) -> Iterable[str]:
    """Events in which recognition found these people, or their vehicles."""
    yield from session.scalars(
        select(DecisionRow.event_id).where(
            DecisionRow.compound == compound, DecisionRow.person_id.in_(people)
        )
    )
    vehicles = session.scalars(select(Vehicle.id).where(Vehicle.owner.in_(people))).all()
    if vehicles:
        yield from session.scalars(
            select(DecisionRow.event_id).where(
                DecisionRow.compound == compound, DecisionRow.vehicle_id.in_(vehicles)
            )
        )


def known_by(session: Session, people: Sequence[str]) -> Iterable[str]:
    """What devices call these people: references of terminals, numbers of cards."""
    yield from people
    yield from session.scalars(select(TerminalEnrolment.ref).where(TerminalEnrolment.person.in_(people)))
    for credential in session.scalars(select(Credential).where(Credential.person.in_(people))):
        ref = credential.ref
        if ref is not None:
            yield ref


def refs_in(body: dict[str, Any]) -> Iterable[str]:
    for part, name in (("credential", "ref"), ("match", "person_ref")):
        value = (body.get(part) or {}).get(name)
        if value is not None:
            yield value
