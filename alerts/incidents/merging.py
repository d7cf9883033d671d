"""Two incidents that are one thing: put together with a preview, and taken apart again.

The target has the evidence and the keys from then on, the source ends as merged. A merged incident is
neither merged again nor merged into, so there are no chains and no rings of them: what a source had
taken in before goes over to the target with it. People who are on the way keep their incident: what
responders were sent for takes others in, it is not taken in.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch
from alerts.incidents.actor import Actor
from alerts.incidents.joining import evidence_of, keys_of, looks, standing, take_apart, take_in
from alerts.incidents.lifecycle import PROGRESS, UNDECIDED, State
from alerts.incidents.models import Incident, IncidentAnswer, IncidentMerge, Transition
from alerts.incidents.record import IncidentNotFoundError, StaleVersionError
from storage import audit

_OF_MERGES: Final = ("took_in", "gave_back", "merged", "merge_undone")


class MergeRefusedError(Exception):
    """Two incidents cannot be put together or taken apart; `code` says why.

    Codes: `merge_self`, `merge_ended`, `merge_merged`, `merge_further`, `merge_care`, `merge_undone`,
    `merge_not_last`, `merge_worked_on`, `merge_drill`, `not_probable`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Preview:
    """What the target would be, and why it cannot be where it cannot."""

    target: str
    source: str
    target_version: int
    source_version: int
    state: str
    severity: int
    kind: str
    reason: str
    reason_args: dict[str, Any]
    needs_comparison: bool
    happened_at: dt.datetime
    evidence: int
    keys: tuple[str, ...]
    # Responders that were asked for the target: they stay with it.
    dispatches: int
    refused: str | None


def refusal(session: Session, target: Incident, source: Incident) -> str | None:
    """Why the source cannot become part of the target, as a code; None where it can."""
    if target.id == source.id:
        return "merge_self"
    if State.MERGED in {State(target.state), State(source.state)}:
        return "merge_merged"
    if not State(target.state).grows or not State(source.state).grows:
        return "merge_ended"
    if target.care != source.care:
        return "merge_care"
    if target.drill != source.drill:
        return "merge_drill"
    ahead = PROGRESS[State(source.state)]
    if ahead > PROGRESS[State(target.state)] or ahead >= PROGRESS[State.DISPATCHED]:
        return "merge_further"
    if State(source.state) is State.REOPENED and _asked(session, source.id):
        return "merge_further"
    return None


def preview(session: Session, compound: str, target_id: str, source_id: str) -> Preview:
    """What a merge would make, without making it. Raises `IncidentNotFoundError`."""
    target, source = (_find(session, compound, one) for one in (target_id, source_id))
    after = looks(target).with_heard(looks(source), decided=State(target.state) not in UNDECIDED)
    together = sorted({*keys_of(session, target.id), *keys_of(session, source.id)})
    return Preview(
        target=target.id,
        source=source.id,
        target_version=target.version,
        source_version=source.version,
        state=target.state,
        severity=after.severity,
        kind=after.kind,
        reason=after.reason,
        reason_args=dict(after.reason_args),
        needs_comparison=after.needs_comparison,
        happened_at=min(target.happened_at, source.happened_at),
        evidence=len(evidence_of(session, target.id)) + len(evidence_of(session, source.id)),
        keys=tuple(together),
        dispatches=_asked(session, target.id),
        refused=refusal(session, target, source),
    )


def merge(
    session: Session,
    compound: str,
    target_id: str,
    source_id: str,
    actor: Actor,
    at: dt.datetime,
    *,
    target_version: int | None = None,
    source_version: int | None = None,
    note: str | None = None,
) -> IncidentMerge:
    """Puts one incident into another on somebody's word.

    Raises `IncidentNotFoundError`, `StaleVersionError` where one of them is not as it was previewed, and
    `MergeRefusedError`.
    """
    target, source = _locked(session, compound, target_id, source_id)
    for row, expected in ((target, target_version), (source, source_version)):
        if expected is not None and row.version != expected:
            raise StaleVersionError(row.id, row.version)
    refused = refusal(session, target, source)
    if refused is not None:
        raise MergeRefusedError(refused)
    made = take_in(session, target, source, actor, at, note=note)
    _note(session, at, actor, "incident.merged", target.id, source.id)
    return made


def undo(session: Session, compound: str, merge_id: str, actor: Actor, at: dt.datetime) -> Incident:
    """Takes a merge apart: both are as they were, and what was said since goes to whose key it has.

    Returns the source. Raises `IncidentNotFoundError` and `MergeRefusedError`: once somebody has worked
    on the target, their work was about both and cannot be divided.
    """
    made = session.get(IncidentMerge, merge_id)
    if made is None or made.compound != compound:
        raise IncidentNotFoundError(merge_id)
    target, source = _locked(session, compound, made.target, made.source)
    session.refresh(made)
    refused = undo_refusal(session, made, target, source)
    if refused is not None:
        raise MergeRefusedError(refused)
    take_apart(session, made, target, source, actor, at)
    _note(session, at, actor, "incident.merge_undone", target.id, source.id)
    return source


def of(session: Session, incident_id: str) -> Sequence[IncidentMerge]:
    """Every merge that an incident was in, the first first; also those that were undone."""
    return session.scalars(
        select(IncidentMerge)
        .where(or_(IncidentMerge.target == incident_id, IncidentMerge.source == incident_id))
        .order_by(IncidentMerge.at, IncidentMerge.id)
    ).all()


def undo_refusal(session: Session, made: IncidentMerge, target: Incident, source: Incident) -> str | None:
    if made.undone_at is not None:
        return "merge_undone"
    if source.merged_into != target.id or State(target.state) is State.MERGED:
        # Meanwhile the target has become part of another: that is undone first.
        return "merge_not_last"
    if standing(session, target.id)[0].id != made.id:
        return "merge_not_last"
    if not State(target.state).grows:
        return "merge_ended"
    if _further(made, target) or _worked_on(session, made, target):
        return "merge_worked_on"
    return None


def _further(made: IncidentMerge, target: Incident) -> bool:
    # Who has only taken it on has looked at it; that is how one finds out that it is two things.
    return target.state not in {made.before["target"]["state"], State.ACKNOWLEDGED}


def _worked_on(session: Session, made: IncidentMerge, target: Incident) -> bool:
    step = select(Transition.id).where(
        Transition.incident == target.id,
        Transition.version > made.before["target_version"],
        Transition.role != "system",
        Transition.to_state != State.ACKNOWLEDGED,
        func.coalesce(Transition.reason, "").not_in(_OF_MERGES),
    )
    sent = select(Dispatch.id).where(
        Dispatch.incident == target.id, or_(Dispatch.offered_at > made.at, Dispatch.answered_at > made.at)
    )
    answered = select(IncidentAnswer.id).where(
        IncidentAnswer.incident == target.id, IncidentAnswer.at > made.at
    )
    return any(session.scalar(query.limit(1)) is not None for query in (step, sent, answered))


def _asked(session: Session, incident_id: str) -> int:
    count = select(func.count()).select_from(Dispatch).where(Dispatch.incident == incident_id)
    return session.scalar(count) or 0


def _find(session: Session, compound: str, incident_id: str) -> Incident:
    row = session.get(Incident, incident_id)
    if row is None or row.compound != compound:
        raise IncidentNotFoundError(incident_id)
    return row


def _locked(session: Session, compound: str, one: str, other: str) -> tuple[Incident, Incident]:
    """Both, locked in the order of their ids."""
    rows = {
        row.id: row
        for row in session.scalars(
            select(Incident)
            .where(Incident.id.in_({one, other}), Incident.compound == compound)
            .order_by(Incident.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    for wanted in (one, other):
        if wanted not in rows:
            raise IncidentNotFoundError(wanted)
    return rows[one], rows[other]


def _note(session: Session, at: dt.datetime, actor: Actor, action: str, target: str, source: str) -> None:
    entry = audit.AuditEntry(actor.id, actor.role, action, "incident_handling", target, source)
    audit.append(session, at, entry)
