"""What an incident's change means for those who hear of it: told, told as graver, told no more."""

import datetime as dt
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents.actor import SYSTEM
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.notify.asking import answered, withdraw
from alerts.notify.models import ChannelKind, Contact, Notification, Purpose
from alerts.reactions import Changed
from alerts.rounds import RoundTurn
from alerts.routing.models import Telling
from alerts.routing.telling import ROUND, Teller, is_desk, is_over

_NOT_TRUE: Final = frozenset({State.FALSE_ALARM, State.AUTO_CLEARED, State.MERGED})
_TOLD: Final = (Purpose.INCIDENT,)


def follow(session: Session, changed: Changed, now: dt.datetime) -> None:
    """Follows one change; as often as one likes with the same effect."""
    incident, step = changed.incident, changed.step
    _in_turn(session)
    teller = Teller(session, now)
    if is_over(incident):
        end = withdraw if State(incident.state) in _NOT_TRUE else answered
        ended = end(session, now, incident=incident.id, purposes=_TOLD)
        _others(session, teller, incident, unheard=ended > 0)
        session.execute(delete(Telling).where(Telling.incident == incident.id))
        _free(session, teller, incident)
        return
    alive = step is not None and (step.to_state == State.REOPENED or step.reason == "merge_undone")
    if step is not None and not alive and step.role != SYSTEM.role and step.to_state != State.RAISED:
        _taken(session, teller, incident, now)
    teller.consider(incident, changed.version if alive else None)


def _taken(session: Session, teller: Teller, incident: Incident, now: dt.datetime) -> None:
    """Somebody has it in hand: the control room's notices end, and its sound. Nobody else's does: who is
    asked to come is asked by name, and one who answers does not answer for the others; a siren, a group's
    chat and another house's system have not been answered for.
    """
    mine = (Notification.incident == incident.id, Notification.purpose.in_(_TOLD))
    desk = {
        row.responder: row.pending
        for row in session.execute(
            select(Notification.responder, func.count(Notification.due_at).label("pending"))
            .join(Responder, Responder.id == Notification.responder)
            .join(Team, Team.id == Responder.team)
            .where(*mine, Team.kind == TeamKind.OPERATOR)
            .group_by(Notification.responder)
        )
    }
    sounds = session.scalars(
        select(Notification.channel)
        .join(Contact, Contact.id == Notification.channel)
        .where(
            *mine,
            Notification.due_at.is_not(None),
            Notification.responder.is_(None),
            Contact.kind == ChannelKind.CONSOLE,
        )
        .distinct()
    ).all()
    people = sum(
        answered(session, now, incident=incident.id, responder=responder, purposes=_TOLD)
        for responder, pending in desk.items()
        if pending
    )
    silenced = sum(
        answered(session, now, incident=incident.id, channel=channel, purposes=_TOLD) for channel in sounds
    )
    # Where nobody sits at the desk its sound is all that was to be heard.
    _others(session, teller, incident, unheard=(people if desk else silenced) > 0, desk=True)


def _others(session: Session, teller: Teller, face: Incident, *, unheard: bool, desk: bool = False) -> None:
    """What was told under the notice of another that is over before anybody heard it is told by itself;
    with `desk` that of the control room alone.
    """
    rows = session.execute(
        select(Telling, Incident)
        .join(Incident, Incident.id == Telling.incident)
        .where(Telling.face == face.id)
        .order_by(Incident.severity, Incident.raised_at, Incident.id)
    ).all()
    again = []
    for row, incident in rows:
        receiver = teller.tree.receivers.get(row.receiver)
        if desk and (receiver is None or not is_desk(receiver)):
            continue
        row.face = None
        if unheard and State(incident.state) is State.RAISED:
            row.severity = None
            again.append(incident)
    session.flush()
    for incident in dict.fromkeys(again):
        teller.consider(incident)


def _free(session: Session, teller: Teller, source: Incident) -> None:
    """What a source kept quiet is looked at now."""
    rows = session.execute(
        select(Telling, Incident)
        .join(Incident, Incident.id == Telling.incident)
        .where(Telling.quiet_by == source.id)
        .order_by(Incident.severity, Incident.raised_at, Incident.id)
    ).all()
    for row, _ in rows:
        row.again_at = teller.now
    for row, incident in rows:
        teller.again(row, incident)


def _in_turn(session: Session) -> None:
    """Not while groups are told: what is told there is known here then, and what is over here is there."""
    session.scalar(select(RoundTurn.at).where(RoundTurn.name == ROUND).with_for_update())
