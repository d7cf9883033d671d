"""What the life cycle of an incident asks of reviews and measures."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.review.models import IncidentReview, Measure, NeedIncident
from alerts.review.rules import MeasureState

_OPEN = [state for state in MeasureState if state.is_open]


def resolution(session: Session, incident_id: str) -> Transition | None:
    """The step with which an incident was last resolved; None where it never was."""
    return session.scalars(
        select(Transition)
        .where(
            Transition.incident == incident_id,
            Transition.to_state == State.RESOLVED,
            Transition.from_state != State.RESOLVED,
        )
        .order_by(Transition.version.desc())
        .limit(1)
    ).first()


def reviewed(session: Session, incident: Incident) -> bool:
    """Whether there is a review of how the incident was last resolved."""
    resolved = resolution(session, incident.id)
    if resolved is None:
        return False
    return bool(
        session.scalar(
            select(
                exists().where(
                    IncidentReview.incident == incident.id,
                    IncidentReview.resolved_version == resolved.version,
                )
            )
        )
    )


def measure_open(session: Session, incident_id: str) -> bool:
    """Whether a blocking measure of the incident is neither done nor refused."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    NeedIncident.incident == incident_id,
                    Measure.need == NeedIncident.need,
                    Measure.blocking,
                    Measure.state.in_(_OPEN),
                )
            )
        )
    )
