"""What an incident waits for, until when, and who is told next where it does not come."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from alerts.escalation import ladder
from alerts.escalation.people import of_rung
from alerts.incidents.deadlines import RUNS, Timer
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident


@dataclass(frozen=True, slots=True)
class Outlook:
    """The next rung: `level` from 1, who stands on it as roles, and how many people that is now."""

    timer: Timer
    due_at: dt.datetime
    level: int
    rungs: int
    targets: tuple[str, ...]
    people: int


def outlook(session: Session, incident: Incident, at: dt.datetime) -> Outlook | None:
    """The next rung of an incident's ladder; None where nothing is waited for or nobody would be told."""
    timer = RUNS.get(State(incident.state))
    if timer is None or incident.due_at is None:
        return None
    level = incident.escalation + 1
    wanted = ladder.targets(timer, level, incident.severity)
    if not wanted:
        return None
    return Outlook(
        timer=timer,
        due_at=incident.due_at,
        level=level,
        rungs=ladder.rungs(timer, incident.severity),
        targets=tuple(sorted(str(one) for one in wanted)),
        people=len(of_rung(session, incident, wanted, at)),
    )
