"""What follows from an incident's change: a review that is late is said to whoever has to write it."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import ReopenReason, State
from alerts.incidents.models import Incident
from alerts.notify.asking import withdraw
from alerts.notify.models import Purpose
from alerts.reactions import Changed
from alerts.review.telling import supervisors, tell

TIMEOUT = "timeout_review"


def follow(session: Session, changed: Changed, now: dt.datetime) -> None:
    """Tells the supervisors once that a review is late; takes it back where it was written meanwhile."""
    incident, step = changed.incident, changed.step
    if step is None:
        return
    if step.reason == TIMEOUT and State(incident.state) is State.RESOLVED:
        tell(
            session,
            supervisors(session, incident.compound),
            Purpose.REVIEW,
            f"review:{incident.id}:{changed.version}",
            incident.compound,
            now,
            {"why": "review_late", "kind": incident.kind, "zone": incident.zone},
            incident,
        )
    elif (
        step.from_state == State.RESOLVED
        and step.to_state == State.REOPENED
        # The leaders' word on a low score belongs to this very step: it stays.
        and step.reason not in {ReopenReason.WRONG_RESULT, ReopenReason.NOT_DONE}
    ):
        withdraw(session, now, incident=incident.id, purposes=[Purpose.REVIEW])


def unreviewed(session: Session, compound: str, *, drill: bool = False) -> Sequence[Incident]:
    """Resolved and not reviewed, the oldest first: who supervises works this list off every month."""
    return session.scalars(
        select(Incident)
        .where(Incident.compound == compound, Incident.state == State.RESOLVED, Incident.drill.is_(drill))
        .order_by(Incident.last_signal_at, Incident.id)
    ).all()
