"""Incidents that may be one thing: a rule says so, a person decides (R-X02)."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents import merging
from alerts.incidents.actor import Actor
from alerts.incidents.merging import MergeRefusedError
from alerts.incidents.models import Incident, IncidentMerge, MergeProposal
from alerts.incidents.record import IncidentNotFoundError
from storage import audit, new_id


def make(session: Session, one: Incident, other: Incident, reason: str, at: dt.datetime) -> bool:
    """Asks whether two incidents are one; False where that was asked before, whatever the answer was."""
    first, second = sorted((one.id, other.id))
    known = select(MergeProposal.id).where(MergeProposal.first == first, MergeProposal.second == second)
    if session.scalar(known) is not None:
        return False
    session.add(
        MergeProposal(
            id=new_id(), compound=one.compound, first=first, second=second, reason=reason, at=at, state="open"
        )
    )
    session.flush()
    return True


def decide(
    session: Session,
    compound: str,
    proposal_id: str,
    actor: Actor,
    at: dt.datetime,
    *,
    target_id: str | None,
    target_version: int | None = None,
    source_version: int | None = None,
) -> tuple[MergeProposal, IncidentMerge | None]:
    """Merges into `target_id`, one of the two, or refuses where that is None.

    Raises `IncidentNotFoundError`, `StaleVersionError` where one of them is not as it was previewed, and
    `MergeRefusedError` (`proposal_decided`, `proposal_other`, and what a merge is refused for).
    """
    proposal = session.scalars(
        select(MergeProposal)
        .where(MergeProposal.id == proposal_id, MergeProposal.compound == compound)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if proposal is None:
        raise IncidentNotFoundError(proposal_id)
    if proposal.state != "open":
        raise MergeRefusedError("proposal_decided")
    made: IncidentMerge | None = None
    if target_id is None:
        proposal.state = "refused"
        entry = audit.AuditEntry(
            actor.id,
            actor.role,
            "incident.merge_refused",
            "incident_handling",
            proposal.first,
            proposal.second,
        )
        audit.append(session, at, entry)
    else:
        if target_id not in {proposal.first, proposal.second}:
            raise MergeRefusedError("proposal_other")
        source = proposal.second if target_id == proposal.first else proposal.first
        # Before the merge, which overtakes whatever else was asked about the source.
        proposal.state = "merged"
        session.flush()
        made = merging.merge(
            session,
            compound,
            target_id,
            source,
            actor,
            at,
            target_version=target_version,
            source_version=source_version,
        )
    proposal.decided_by, proposal.decided_at = actor.id, at
    session.flush()
    return proposal, made
