"""What comes back with time: measures that are late, and every month what nobody has reviewed."""

import datetime as dt
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.notify.models import Purpose
from alerts.review import measures
from alerts.review.telling import supervisors, tell
from alerts.rounds import Round
from registry.days import local_date


def unreviewed(session: Session, now: dt.datetime) -> int:
    """On the first of a month the supervisors hear how many wait for a review; returns how many heard."""
    waiting = session.execute(
        select(Incident.compound, func.count())
        .where(Incident.state == State.RESOLVED, Incident.drill.is_(False))
        .group_by(Incident.compound)
        .order_by(Incident.compound)
    ).all()
    told = 0
    for compound, number in waiting:
        today = local_date(session, compound, now)
        if today.day != 1:
            continue
        arguments = {"why": "unreviewed", "count": number}
        to = supervisors(session, compound)
        told += tell(session, to, Purpose.REVIEW, f"unreviewed:{today:%Y-%m}", compound, now, arguments)
    return told


ROUNDS: Final = (
    Round("measures", dt.timedelta(minutes=10), measures.remind),
    Round("unreviewed", dt.timedelta(hours=1), unreviewed),
)
