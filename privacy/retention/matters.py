"""Incidents with their evidence and dispatches, watch-list entries with their hits, visitor passes."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch
from alerts.incidents.lifecycle import State
from alerts.incidents.models import (
    Evidence,
    Incident,
    IncidentAnswer,
    IncidentKey,
    IncidentMerge,
    MergeProposal,
    Transition,
)
from alerts.plans.models import PlanStep
from alerts.review.models import IncidentRating, IncidentReview, NeedIncident
from privacy.holds import held_subjects
from privacy.retention.protection import OPEN_STATES, hits_of_entries, watch_kept
from privacy.retention.rows import Rows
from privacy.retention.scope import Ground, Scope
from registry.models import (
    ApplicationState,
    PassUse,
    VisitorPass,
    WatchlistApplication,
    WatchlistEntry,
    WatchlistSubject,
)

_ENDED = tuple(state for state in State if not state.is_open)


def _old_incidents(scope: Scope) -> Select[Any]:
    return select(Incident.id).where(
        Incident.compound == scope.of_compound,
        # An open incident is no matter of time.
        Incident.state.in_(_ENDED),
        Incident.raised_at < scope.cutoff("incidents"),
    )


def _held_incidents(_session: Session, scope: Scope) -> ColumnElement[bool]:
    people = held_subjects("person", scope.at)
    held = held_subjects("incident", scope.at)
    return or_(
        Incident.id.in_(held),
        # What a held incident stood on lies with the one that it is part of now.
        Incident.id.in_(
            select(IncidentMerge.target).where(
                IncidentMerge.source.in_(held), IncidentMerge.undone_at.is_(None)
            )
        ),
        # NULL IN (…) is unknown, and NOT unknown would keep whatever has no subject for ever.
        and_(func.coalesce(Incident.subject_kind, "") == "person", Incident.subject.in_(people)),
    )


def _forget_incidents(session: Session, _ground: Ground, _scope: Scope, ids: list[Any]) -> None:
    for table in (Evidence, Transition, Dispatch, IncidentKey, IncidentAnswer, PlanStep):
        _delete(session, table, table.incident.in_(ids))
    # A need outlives the incidents that showed it.
    for about in (IncidentReview, IncidentRating, NeedIncident):
        _delete(session, about, about.incident.in_(ids))
    _delete(session, IncidentMerge, or_(IncidentMerge.target.in_(ids), IncidentMerge.source.in_(ids)))
    _delete(session, MergeProposal, or_(MergeProposal.first.in_(ids), MergeProposal.second.in_(ids)))
    # A source that is still to stay says that it was merged, though no longer into what.
    session.execute(
        update(Incident)
        .where(Incident.merged_into.in_(ids))
        .values(merged_into=None)
        .execution_options(synchronize_session=False)
    )
    _delete(session, Incident, Incident.id.in_(ids))


INCIDENTS = Rows(
    "incidents",
    "incidents",
    (
        *("incidents", "incident_evidence", "incident_transitions", "dispatches", "incident_keys"),
        *("incident_answers", "incident_merges", "merge_proposals", "plan_steps"),
        *("incident_reviews", "incident_ratings", "need_incidents", "incident_asides"),
    ),
    _old_incidents,
    _forget_incidents,
    _held_incidents,
)


def _old_entries(scope: Scope) -> Select[Any]:
    return select(WatchlistEntry.id).where(
        WatchlistEntry.compound == scope.of_compound, ~watch_kept(scope.at, scope.run.policy)
    )


def _held_entries(session: Session, scope: Scope) -> ColumnElement[bool]:
    """Entries on a held person, and those with a hit that is held or still open."""
    needed = or_(Incident.state.in_(OPEN_STATES), Incident.id.in_(held_subjects("incident", scope.at)))
    hits = hits_of_entries(session, scope.of_compound, needed)
    return or_(
        and_(
            WatchlistEntry.subject_kind == WatchlistSubject.PERSON,
            WatchlistEntry.subject.in_(held_subjects("person", scope.at)),
        ),
        WatchlistEntry.id.in_({entry for _, entry in hits}),
    )


def _forget_entries(session: Session, _ground: Ground, scope: Scope, ids: list[Any]) -> None:
    gone = set(ids)
    hits = hits_of_entries(session, scope.of_compound)
    _delete(session, Evidence, Evidence.incident.in_({incident for incident, entry in hits if entry in gone}))
    # A renewal outlives what it renewed.
    for table in (WatchlistApplication, WatchlistEntry):
        session.execute(
            update(table)
            .where(table.renews.in_(ids))
            .values(renews=None)
            .execution_options(synchronize_session=False)
        )
    _delete(session, WatchlistApplication, WatchlistApplication.entry.in_(ids))
    _delete(session, WatchlistEntry, WatchlistEntry.id.in_(ids))


WATCHLIST = Rows(
    "watchlist", "watchlist", ("watchlist_entries",), _old_entries, _forget_entries, _held_entries
)


def _old_applications(scope: Scope) -> Select[Any]:
    """What never became an entry; the others go with theirs."""
    return select(WatchlistApplication.id).where(
        WatchlistApplication.compound == scope.of_compound,
        WatchlistApplication.state != ApplicationState.APPROVED,
        WatchlistApplication.ends_at < scope.cutoff("watchlist"),
    )


def _held_applications(_session: Session, scope: Scope) -> ColumnElement[bool]:
    return and_(
        WatchlistApplication.subject_kind == WatchlistSubject.PERSON,
        WatchlistApplication.subject.in_(held_subjects("person", scope.at)),
    )


def _forget_applications(session: Session, _ground: Ground, _scope: Scope, ids: list[Any]) -> None:
    _delete(session, WatchlistApplication, WatchlistApplication.id.in_(ids))


APPLICATIONS = Rows(
    "watchlist_applications",
    "watchlist",
    ("watchlist_applications",),
    _old_applications,
    _forget_applications,
    _held_applications,
)


def _old_passes(scope: Scope) -> Select[Any]:
    return select(VisitorPass.id).where(
        VisitorPass.compound == scope.of_compound, VisitorPass.ends_at < scope.cutoff("passes")
    )


def _held_passes(_session: Session, scope: Scope) -> ColumnElement[bool]:
    return and_(
        VisitorPass.host_person.is_not(None),
        VisitorPass.host_person.in_(held_subjects("person", scope.at)),
    )


def _forget_passes(session: Session, ground: Ground, scope: Scope, ids: list[Any]) -> None:
    # The key first: a pass that comes back with a backup has no phone that anybody can read.
    ground.vault.shred(ids, scope.at)
    _delete(session, PassUse, PassUse.visitor_pass.in_(ids))
    _delete(session, VisitorPass, VisitorPass.id.in_(ids))


PASSES = Rows("passes", "passes", ("visitor_passes", "pass_uses"), _old_passes, _forget_passes, _held_passes)


def _delete(session: Session, table: Any, condition: ColumnElement[bool]) -> None:
    session.execute(delete(table).where(condition).execution_options(synchronize_session=False))
