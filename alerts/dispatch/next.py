"""Who is asked when those who were asked do not come: the next best, then others, then the team's lead."""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.dispatch.ranking import alone, following
from alerts.dispatch.sending import dispatches_of, going_of, offer_by_system
from alerts.dispatch.suggest import ranking
from alerts.dispatch.telling import tell_people
from alerts.duty.models import Responder
from alerts.incidents.deadlines import LIMITS, Timer
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.notify.models import Purpose

# Whoever was asked in the present round of it, whatever they said.
_NOT_ASKED: Final = frozenset({DispatchState.CANCELLED, DispatchState.RESOLVED})

# Until somebody is there, or it is over.
WANTED: Final = frozenset({State.DISPATCHED, State.ACCEPTED, State.EN_ROUTE, State.ARRIVED})


def ask_next(session: Session, incident: Incident, at: dt.datetime) -> list[Dispatch]:
    """Asks the next best, and one to go with them who would be a volunteer alone.

    Ranking has the routed team first and then everybody else, so that the circle widens by itself. Where
    nobody is left the team's leads are told, to telephone. The caller has locked the incident.
    """
    if State(incident.state) not in WANTED:
        return []
    asked = {row.responder for row in dispatches_of(session, incident.id) if row.state not in _NOT_ASKED}
    ranked = ranking(session, incident, at)
    going = going_of(session, incident)
    chosen: list[str] = []
    while True:
        one = following(ranked, {*asked, *chosen})
        if one is None:
            break
        chosen.append(one.id)
        going[one.id] = one.volunteer
        if not alone(list(going.values())):
            break
    if chosen and alone(list(going.values())):
        # One volunteer by themselves is nobody.
        chosen = []
    if not chosen:
        tell_leads(session, incident, at)
    return offer_by_system(session, incident, chosen, at)


def ask_companion(session: Session, incident: Incident, at: dt.datetime) -> list[Dispatch]:
    """Asks the next best to go along with a volunteer who goes alone, unless somebody who was asked may
    still say yes. The caller has locked the incident.
    """
    limit = LIMITS[Timer.ACCEPT].get(incident.severity)
    waited_for = any(
        row.state == DispatchState.OFFERED
        or (row.state == DispatchState.TAKEN and (row.due_at is not None or limit is None))
        for row in dispatches_of(session, incident.id)
    )
    return [] if waited_for or not companion_missing(session, incident) else ask_next(session, incident, at)


def companion_missing(session: Session, incident: Incident) -> bool:
    """Whether those who go are one volunteer by themselves."""
    return alone(list(going_of(session, incident, asked=False).values()))


def tell_leads(session: Session, incident: Incident, at: dt.datetime) -> int:
    """Nobody is left: whoever leads the routed team is told to telephone their people; once."""
    if incident.team is None:
        return 0
    leads = session.scalars(
        select(Responder.id)
        .where(Responder.team == incident.team, Responder.leads, Responder.active)
        .order_by(Responder.id)
    ).all()
    return tell_people(
        session,
        incident,
        leads,
        Purpose.ESCALATION,
        f"lead:{incident.id}",
        at,
        more={"step": "telephone_team"},
    )
