"""Held back by the alert budget: an incident all the same, which the operators' queue does not show."""

import datetime as dt
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from alerts.incidents.portrait import is_care, is_safety
from alerts.rulebook.budget import HOUR, Asking, Shown, decide, released
from alerts.rulebook.values import Budget

Hold = Callable[[Session, Incident, dt.datetime], str | None]
"""Why an incident is not to be shown, as a code; None where it is."""


def by_budget(budget: Budget, operators: int) -> Hold:
    """Holds back what is more than so many operators can look at, going by what they were shown lately."""

    def hold(session: Session, incident: Incident, at: dt.datetime) -> str | None:
        if is_care(incident.rule) or released(incident.severity, safety=is_safety(incident.rule)):
            # Of what is never held back nobody needs to know what else there was: a flood would pay for it.
            return None
        recent = session.execute(
            select(Incident.raised_at, Incident.severity, Incident.rule, Incident.device_id).where(
                Incident.compound == incident.compound,
                Incident.raised_at > at - HOUR,
                Incident.held.is_(False),
                Incident.care.is_(False),
                # An exercise takes nothing of the hour from what is real.
                Incident.drill.is_(False),
                Incident.id != incident.id,
            )
        )
        asking = Asking(at, incident.severity, incident.rule, incident.device_id)
        held = decide([Shown(*row) for row in recent], asking, budget, operators)
        return None if held is None else str(held.reason)

    return hold
