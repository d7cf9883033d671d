"""What a reader device at a checkpoint reports, as visits."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.patrols.models import Checkpoint, How, PatrolRound, PatrolVisit, PointKind, RoundState
from alerts.patrols.visiting import OLDEST, Told, visit
from storage.events import EventRow

CHECK_IN: Final = "patrol.checkin"
"""What a reader says when somebody holds a tag before it. A door's `access.granted` is none: a resident
who comes home has walked no round.
"""

AT_ONCE: Final = 200

Walker = Callable[[Session, str, dict[str, Any]], str | None]
"""(session, compound, an event's body): the responder whose credential it is, if the register knows."""


def take(session: Session, now: dt.datetime, walker: Walker) -> int:
    """Reports of the last day that are no visits yet become such; returns how many."""
    readers = {
        (row.compound, row.device): row
        for row in session.scalars(
            select(Checkpoint).where(
                Checkpoint.kind == PointKind.READER,
                Checkpoint.device.is_not(None),
                Checkpoint.retired_at.is_(None),
            )
        )
    }
    if not readers:
        return 0
    events = session.scalars(
        select(EventRow)
        .outerjoin(PatrolVisit, PatrolVisit.event == EventRow.id)
        .where(
            EventRow.device_id.in_({device for _, device in readers}),
            EventRow.type == CHECK_IN,
            EventRow.corrected_time > now - OLDEST,
            PatrolVisit.id.is_(None),
        )
        .order_by(EventRow.corrected_time, EventRow.id)
        .limit(AT_ONCE)
    ).all()
    for event in events:
        checkpoint = readers.get((event.compound, event.device_id))
        if checkpoint is not None:
            by = walker(session, event.compound, event.body) or _under_way(session, event, checkpoint.id)
            visit(
                session,
                event.compound,
                checkpoint,
                Told(
                    client=f"event:{event.id}",
                    at=min(event.corrected_time, event.received_at),
                    received_at=event.received_at,
                    how=How.READER,
                    by=by,
                    device_time=event.device_time,
                    event=event.id,
                ),
            )
    return len(events)


def _under_way(session: Session, event: EventRow, point: str) -> str | None:
    """Who walks the one round that comes by here at that time; nobody where there are several."""
    rounds = session.scalars(
        select(PatrolRound).where(
            PatrolRound.compound == event.compound,
            PatrolRound.state == RoundState.UNDER_WAY,
            PatrolRound.due_from <= event.corrected_time + dt.timedelta(hours=1),
            PatrolRound.counts_until >= event.corrected_time,
        )
    )
    walkers = {row.responder for row in rounds if any(one["id"] == point for one in row.plan["points"])}
    return walkers.pop() if len(walkers) == 1 else None
