"""Which incidents were ended, by people or by their own condition: nothing more is built on what was said."""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident, Transition

# Names, since the life cycle may have more of them; an incident that was merged goes on in another.
_OVER: Final = tuple(
    state
    for state in State
    if str(state) in {"resolved", "reviewed", "closed", "false_alarm", "auto_cleared"}
)


def compounds_ended_since(session: Session, since: dt.datetime) -> frozenset[str]:
    """The compounds of which incidents were ended since."""
    return frozenset(
        session.scalars(
            select(Incident.compound)
            .distinct()
            .join(Transition, Transition.incident == Incident.id)
            .where(Transition.at >= since, Transition.to_state.in_(_OVER))
        )
    )


def ended_since(session: Session, compound: str, since: dt.datetime) -> dict[str, dt.datetime]:
    """Dedupe key → when the incident that it belongs to was ended, of those ended since."""
    over = (
        select(Transition.incident, Transition.at)
        .join(Incident, Incident.id == Transition.incident)
        .where(Incident.compound == compound, Transition.at >= since, Transition.to_state.in_(_OVER))
        .subquery()
    )
    keys: dict[str, dt.datetime] = {}
    for query in (
        select(Evidence.key, over.c.at).join(over, over.c.incident == Evidence.incident),
        select(Incident.key, over.c.at).join(over, over.c.incident == Incident.id),
    ):
        for key, at in session.execute(query):
            if key is not None:
                keys[key] = max(at, keys.get(key, at))
    return keys
