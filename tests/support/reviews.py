"""A review as the life cycle wants one, for tests of what comes after it."""

import datetime as dt

from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from alerts.review.guards import resolution
from alerts.review.models import IncidentReview
from alerts.review.rules import AlertVerdict, Cause
from storage import new_id


def reviewed(session: Session, incident_id: str, at: dt.datetime, **changes: object) -> IncidentReview:
    """Writes the row alone: the step is the test's to take."""
    incident = session.get_one(Incident, incident_id)
    done = resolution(session, incident_id)
    assert done is not None, "it was never resolved"
    fields = {
        "id": new_id(),
        "incident": incident_id,
        "compound": incident.compound,
        "resolved_version": done.version,
        "score": 4,
        "cause": Cause.ACCESS_HABIT,
        "alert": AlertVerdict.RIGHT,
        "lesson": "门要随手关",
        "measure": False,
        "reviewer": "manager-1",
        "role": "property_manager",
        "at": at,
    }
    row = IncidentReview(**fields | changes)
    session.add(row)
    session.flush()
    return row
