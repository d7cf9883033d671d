"""The live strip: what was seen where, without saying who it was.

Place and outcome are enough to follow what goes on. A registered plate is not spelt out;
an unregistered one is, since that is what a guard looks for.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.pages.eventwords import what
from console.pages.places import Names
from console.pages.readings import Reading, of_events
from console.texts import Texts
from storage.amendments import standing
from storage.events import EventRow

LENGTH: Final = 40
_NOT_OURS: Final = frozenset({"unknown", "uncertain"})


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One event; `outcome` is empty while nothing has looked at its pictures."""

    id: str
    at: dt.datetime
    ring: str
    zone: str
    device: str
    what: str
    outcome: str
    unknown: bool
    plate: str
    direction: str
    late: bool


def feed(session: Session, compound: str, names: Names, t: Texts) -> list[FeedLine]:
    """The newest events by the time they happened."""
    newest = session.scalars(
        select(EventRow)
        .where(EventRow.compound == compound)
        .order_by(EventRow.corrected_time.desc(), EventRow.id.desc())
        .limit(LENGTH)
    ).all()
    rows = standing(session, newest)
    readings = of_events(session, [row.id for row in rows])
    return [_line(row, readings.get(row.id, ()), names, t) for row in rows]


def _line(row: EventRow, readings: Sequence[Reading], names: Names, t: Texts) -> FeedLine:
    # Several faces in one picture: the one nobody knows is the one to see.
    reading = min(readings, key=lambda r: r.outcome not in _NOT_OURS, default=None)
    return FeedLine(
        id=row.id,
        at=row.corrected_time,
        ring=row.ring,
        zone=names.zone(row.zone),
        device=names.device(row.device_id),
        what=what(row, t),
        outcome=t.code("outcome", f"{reading.subject_kind}.{reading.outcome}") if reading else "",
        unknown=reading is not None and reading.outcome in _NOT_OURS,
        plate=reading.plate or "" if reading and reading.outcome in _NOT_OURS else "",
        direction=row.direction or "",
        late=bool(row.late),
    )
