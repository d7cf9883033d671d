"""What follows when a timer ran out: the people on the next rung are told, until somebody takes it.

A rung where nobody stands is passed over at once. One operator's acknowledgement ends what operators and
those above them are told; it does not answer for responders, whose offers stay (multi-ack). It holds for
as long as the next timer: who acknowledges and does nothing is climbed over, too.
"""

import datetime as dt
from typing import Final

import structlog
from sqlalchemy import String, column, func, select, table
from sqlalchemy.orm import Session

from alerts.dispatch.telling import tell_people
from alerts.escalation import ladder
from alerts.escalation.people import of_rung
from alerts.incidents.deadlines import RUNS, Timer
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.notify.asking import withdraw
from alerts.notify.models import Purpose
from alerts.reactions import Changed

log = structlog.get_logger(__name__)

_TIMEOUT: Final = "timeout_"

# Accounts belong to the console, above this room: named, not imported.
_USERS: Final = table("users", column("id", String), column("responder_id", String))


def follow(session: Session, changed: Changed, now: dt.datetime) -> None:
    """Tells the rung of a timer that ran out; a step that somebody took ends what was told."""
    step = changed.step
    if step is None:
        return
    reason = step.reason or ""
    if reason.startswith(_TIMEOUT):
        _climb(session, changed.incident, step, now)
    elif step.from_state is not None and step.from_state != step.to_state:
        withdraw(session, now, incident=changed.incident.id, purposes=(Purpose.ESCALATION,))


def _climb(session: Session, incident: Incident, step: Transition, now: dt.datetime) -> None:
    state = State(incident.state)
    timer = Timer((step.reason or "").removeprefix(_TIMEOUT))
    if RUNS.get(state) is not timer or timer is Timer.REVIEW:
        # Somebody was faster than we were; and what is late to be looked back at is `review`'s to say.
        return
    level = level_of(session, incident, step)
    acted = _acted(session, incident)
    count = ladder.rungs(timer, incident.severity)
    people: list[str] = []
    rung = level
    while not people and rung <= max(count, level):
        people = of_rung(session, incident, ladder.targets(timer, rung, incident.severity), now, acted)
        rung += 1
    if not people and count:
        # Fail open: whoever leads anything is better than silence.
        every = {one for rung in ladder.LADDERS[timer] for one in rung}
        people = of_rung(session, incident, every, now)
    if not people:
        log.warning("escalation.nobody", incident=incident.id, timer=str(timer), level=level)
        return
    tell_people(
        session,
        incident,
        people,
        Purpose.ESCALATION,
        f"escalate:{incident.id}:{timer}:{_round(session, incident, step)}.{level}",
        now,
        more={"timer": str(timer), "level": level},
    )


def level_of(session: Session, incident: Incident, step: Transition) -> int:
    """For the how many-th time the timer of a state ran out with this step, since the state began."""
    began = _began(session, incident, step)
    count = session.scalar(
        select(func.count())
        .select_from(Transition)
        .where(
            Transition.incident == incident.id,
            Transition.reason == step.reason,
            Transition.version > began,
            Transition.version <= step.version,
        )
    )
    return count or 1


def _round(session: Session, incident: Incident, step: Transition) -> int:
    """What tells two rounds in the same state apart: dispatched, given back, dispatched again."""
    return _began(session, incident, step)


def _began(session: Session, incident: Incident, step: Transition) -> int:
    """The version with which the present state began, before `step`."""
    began = session.scalar(
        select(func.max(Transition.version)).where(
            Transition.incident == incident.id,
            Transition.version <= step.version,
            Transition.from_state.is_distinct_from(Transition.to_state),
        )
    )
    return began or 0


def _acted(session: Session, incident: Incident) -> set[str]:
    """Whoever took a step, as responders: they know of it."""
    actors = set(session.scalars(select(Transition.actor).where(Transition.incident == incident.id)))
    own = select(_USERS.c.responder_id).where(_USERS.c.id.in_(actors), _USERS.c.responder_id.is_not(None))
    return actors | set(session.scalars(own))
