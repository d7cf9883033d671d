"""Writing a review: the record, the incident's step, and what a low score does, in one commit."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State, Step
from alerts.incidents.models import Incident
from alerts.incidents.record import IncidentNotFoundError, load
from alerts.notify.asking import answered
from alerts.notify.models import Purpose
from alerts.review import measures, rules
from alerts.review.guards import resolution
from alerts.review.measures import MeasureDraft
from alerts.review.models import IncidentRating, IncidentReview
from alerts.review.rules import Draft, Reviewer
from alerts.review.telling import supervisors, tell
from registry.errors import RefusedError
from storage import audit, new_id
from storage.audit import AuditEntry, AuditRow

PURPOSE = "review"


@dataclass(frozen=True, slots=True)
class Written:
    """A review and its incident as it is after it."""

    review: IncidentReview
    incident: Incident


def leads_operators(session: Session, compound: str, responder: str | None) -> bool:
    """Whether a responder leads the control room."""
    if responder is None:
        return False
    return bool(
        session.scalar(
            select(Responder.id)
            .join(Team, Team.id == Responder.team)
            .where(
                Responder.id == responder,
                Responder.leads,
                Responder.active,
                Team.kind == TeamKind.OPERATOR,
                Team.compound == compound,
            )
        )
    )


def review(
    session: Session,
    compound: str,
    incident_id: str,
    draft: Draft,
    by: Actor,
    at: dt.datetime,
    *,
    responder: str | None = None,
    measure: MeasureDraft | None = None,
    expected_version: int | None = None,
) -> Written:
    """Reviews how an incident was resolved, audited; `responder` is who the user is among responders.

    A measure goes onto the lists along with it. A score of two or lower takes the incident up again,
    once. Raises `IncidentNotFoundError`, `StaleVersionError`, and `RefusedError` with the codes of
    `rules.refused` and of `measures.add`.
    """
    incident = load(session, incident_id)
    if incident.compound != compound:
        raise IncidentNotFoundError(incident_id)
    reviewer = Reviewer(by.id, by.role, responder, leads_operators(session, compound, responder))
    done = resolution(session, incident.id)
    code = rules.refused(reviewer, resolved_by(session, incident), State(incident.state), draft)
    if code is not None or done is None:
        raise RefusedError(code or "not_resolved")
    row = IncidentReview(
        id=new_id(),
        incident=incident.id,
        compound=compound,
        resolved_version=done.version,
        score=draft.score,
        cause=draft.cause,
        alert=draft.alert,
        lesson=draft.lesson.strip(),
        measure=measure is not None,
        reviewer=by.id,
        role=by.role,
        at=at,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise RefusedError("not_resolved") from None
    if measure is not None:
        measures.add(session, compound, measure, by, at, incidents=[incident.id])
    take_step(session, incident.id, Step(State.REVIEWED), by, at, expected_version=expected_version)
    detail = f"score={row.score} cause={row.cause} alert={row.alert}"
    audit.append(
        session,
        at,
        AuditEntry(by.id, by.role, "incident.review_written", PURPOSE, incident.id, detail, compound),
    )
    answered(session, at, incident=incident.id, purposes=[Purpose.REVIEW])
    row.reopened = take_up_again(session, incident, row.score, by, at, by_reviewer=True)
    session.flush()
    return Written(row, incident)


def take_up_again(
    session: Session, incident: Incident, score: int, by: Actor, at: dt.datetime, *, by_reviewer: bool
) -> bool:
    """What a score of an incident that the caller holds does: told to the leaders where it is low.

    Returns whether the incident was reopened, which one score does and no other after it.
    """
    if score > rules.LOW:
        return False
    before = bool(
        session.scalar(
            select(
                or_(
                    exists().where(IncidentReview.incident == incident.id, IncidentReview.reopened),
                    exists().where(IncidentRating.incident == incident.id, IncidentRating.reopened),
                )
            )
        )
    )
    reason = rules.reopens(score, State(incident.state), before=before, by_reviewer=by_reviewer)
    if reason is not None:
        take_step(session, incident.id, Step(State.REOPENED, reason=reason), by, at)
    tell(
        session,
        supervisors(session, incident.compound),
        Purpose.REVIEW,
        f"low:{incident.id}:{incident.version}",
        incident.compound,
        at,
        {"why": "low_score", "kind": incident.kind, "zone": incident.zone, "reopened": reason is not None},
        incident,
    )
    return reason is not None


def resolved_by(session: Session, incident: Incident) -> frozenset[str]:
    """Who said that it was done: the responder or user of the step, and who pressed it for a responder."""
    done = resolution(session, incident.id)
    if done is None:
        return frozenset()
    pressed = session.scalars(
        select(AuditRow.actor).where(
            AuditRow.subject == incident.id,
            AuditRow.action.in_(["dispatch.resolve", "incident.resolved"]),
            AuditRow.at >= done.at,
        )
    )
    return frozenset({done.actor, *pressed})
