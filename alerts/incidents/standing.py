"""What an incident stands on: its own rule, and those of whatever joined it or was merged into it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.models import Evidence, Incident


def rules_of(session: Session, incident: Incident) -> set[str]:
    """The rules that an incident stands on, its own among them."""
    found = session.scalars(select(Evidence.rule).where(Evidence.incident == incident.id))
    return {incident.rule, *found}
