"""What the bus hears of a decision: when, how often, and until when it may open anything."""

import datetime as dt
from typing import Final, Protocol

from sqlalchemy import ColumnElement, and_, or_

from bus.messages import Sighting
from recognition.models import DecisionRow

OPENING: Final = frozenset({"identified", "household"})
"""Outcomes that a door may be opened because of."""


class Happened(Protocol):
    """What a sighting repeats of its event."""

    @property
    def id(self) -> str: ...
    @property
    def compound(self) -> str: ...
    @property
    def device_id(self) -> str: ...
    @property
    def ring(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def received_at(self) -> dt.datetime: ...
    @property
    def lane(self) -> str | None: ...
    @property
    def direction(self) -> str | None: ...
    @property
    def late(self) -> bool: ...


def sighting_of(
    event: Happened, row: DecisionRow, *, amends: bool = False, token: str | None = None
) -> Sighting:
    """The message for a stored decision; the same row always gives the same message.

    But for ``token``, the number of a stranger: it is stored nowhere (see `recognition.work.strangers`).
    """
    return Sighting(
        id=row.sighting_id,
        event_id=event.id,
        compound=event.compound,
        device_id=event.device_id,
        subject_kind=row.subject_kind,
        outcome=row.outcome,
        ring=event.ring,
        zone=event.zone,
        at=row.at,
        received_at=event.received_at,
        lane=event.lane,
        direction=event.direction,
        late=bool(event.late),
        person_id=row.person_id,
        household_id=row.household_id,
        vehicle_id=row.vehicle_id,
        plate=row.plate,
        score=row.score,
        reasons=tuple(row.reasons),
        amends=amends,
        valid_until=row.valid_until,
        token=token,
    )


def was_told() -> ColumnElement[bool]:
    """Whether the bus has heard of a decision in its own name: of a passage only the first one is told."""
    waits = and_(DecisionRow.settles_at.is_not(None), DecisionRow.told_at.is_(None))
    return and_(DecisionRow.leader.is_(None), or_(~waits, DecisionRow.told_at.is_not(None)))


def valid_until(
    row_outcome: str,
    reasons: tuple[str, ...],
    *,
    at: dt.datetime,
    received_at: dt.datetime,
    late: bool,
    deadline: dt.timedelta,
    now: dt.datetime,
) -> dt.datetime | None:
    """Until when a door may be opened because of a decision that is made now; None: never.

    Whoever was seen stands there for the deadline and no longer: after it, the door would open
    for the next one. A clock that runs ahead makes nobody stand there longer. A name that only
    the watch-list gave opens nothing.
    """
    if late or row_outcome not in OPENING or "watchlist_gallery" in reasons:
        return None
    until = min(at, received_at) + deadline
    return until if now < until else None
