"""What could be seen of a window: read from what devices were told of, also long ago."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.knowing.plan import site
from alerts.rules import Observation
from alerts.rules.coverage import ZoneCoverage, covered
from alerts.rules.memory import Recent
from storage.events import EventRow, of_sight

# How far before a window a device's last word on its condition is looked for; beyond it the register of
# presence says what was offline.
_BEFORE = dt.timedelta(hours=24)


def coverage(
    session: Session, compound: str, start: dt.datetime, end: dt.datetime, *, as_of: dt.datetime
) -> tuple[ZoneCoverage, ...]:
    """For each zone from `start` to `end`: its devices, when each was blind, and when all were.

    `as_of` is now: that a device had fallen silent is known only some heartbeats afterwards.
    """
    view = watched(session, compound, start, as_of)
    return covered(view, list(view.site.zones), start, end, as_of=as_of)


def watched(session: Session, compound: str, start: dt.datetime, as_of: dt.datetime) -> Recent:
    """The plan, and all that devices were told of their own condition from a day before `start` on."""
    begins = start - _BEFORE
    plan = site(session, compound, begins)
    view = Recent(dt.timedelta(days=36500), plan)
    rows = session.execute(
        select(
            EventRow.id,
            EventRow.type,
            EventRow.corrected_time,
            EventRow.received_at,
            EventRow.device_id,
            EventRow.zone,
            EventRow.ring,
            EventRow.body,
        )
        .where(
            EventRow.compound == compound,
            EventRow.corrected_time >= begins,
            EventRow.corrected_time <= as_of,
            of_sight(),
        )
        .order_by(EventRow.corrected_time)
    )
    for row in rows:
        attributes = (row.body or {}).get("attributes") or {}
        cause = attributes.get("cause")
        view.add(
            Observation(
                id=row.id,
                type=row.type,
                at=row.corrected_time,
                received_at=row.received_at,
                device=row.device_id,
                zone=row.zone,
                ring=row.ring,
                event_id=row.id,
                cause=cause if isinstance(cause, str) else None,
                attributes=attributes,
            )
        )
    return view
