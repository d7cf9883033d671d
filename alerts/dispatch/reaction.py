"""What follows for those who go: a sensor's alarm sends them at once, and what is over calls them off."""

import datetime as dt
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from alerts.dispatch.leading import leaderless
from alerts.dispatch.models import DispatchState, TaskPicture
from alerts.dispatch.next import tell_leads
from alerts.dispatch.ranking import best, violent
from alerts.dispatch.sending import call_off, offer_by_system, release, with_volunteers
from alerts.dispatch.suggest import ranking
from alerts.incidents.actor import SYSTEM
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.incidents.record import load, record
from alerts.notify.asking import withdraw
from alerts.notify.models import Purpose
from alerts.reactions import Changed

_OVER: Final = frozenset(
    {
        *(State.RESOLVED, State.REVIEWED, State.CLOSED),
        *(State.FALSE_ALARM, State.AUTO_CLEARED, State.MERGED),
    }
)
_LETTERS: Final = (Purpose.OFFER, Purpose.TAKEN, Purpose.HELP, Purpose.LONE_WORKER, Purpose.ESCALATION)


def follow(session: Session, changed: Changed, now: dt.datetime) -> None:
    """Sends, calls off and wipes what has to be after a change."""
    step = changed.step
    incident = changed.incident
    if State(incident.state) in _OVER:
        incident = load(session, incident.id)
        if State(incident.state) in _OVER:
            release(session, incident, now)
            withdraw(session, now, incident=incident.id, purposes=_LETTERS)
            # Nobody looks at a picture of what is over.
            session.execute(delete(TaskPicture).where(TaskPicture.incident == incident.id))
        return
    if violent(incident.kind):
        _no_volunteers(session, incident, now)
    if step is not None and step.to_state == State.CONFIRMED and step.reason == "sensor":
        _send_at_once(session, incident, now)


def _send_at_once(session: Session, incident: Incident, now: dt.datetime) -> None:
    """A sensor of the plan list has confirmed itself: the best go, without waiting for a person's word.

    Never where a machine named somebody, nor where anybody has been asked already.
    """
    incident = load(session, incident.id)
    if State(incident.state) is not State.CONFIRMED or incident.needs_comparison:
        return
    chosen = [one.id for one in best(ranking(session, incident, now), incident.severity)]
    if not chosen:
        tell_leads(session, incident, now)
        return
    if offer_by_system(session, incident, chosen, now):
        record(session, incident, State.DISPATCHED, SYSTEM, now, reason="sensor")


def _no_volunteers(session: Session, incident: Incident, now: dt.datetime) -> None:
    """It has turned out to be violence: volunteers turn back, whatever they have said."""
    if not any(volunteer for _, volunteer in with_volunteers(session, incident)):
        return
    incident = load(session, incident.id)
    led = False
    for row, volunteer in with_volunteers(session, incident):
        if volunteer and (DispatchState(row.state).is_open or row.state == DispatchState.TAKEN):
            led = led or row.lead_of is not None
            call_off(session, incident, row, now, "violence")
    if led:
        leaderless(session, incident, SYSTEM, now, "volunteers_called_off")
