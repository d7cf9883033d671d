"""Reading the past of a compound back as what rules saw of it, in bounded memory.

For a rehearsal in the order in which things came in, amendments at their own moment; for a
restore in the order in which they happened, each as it stands now. Rows are read by the hour,
without the ORM, and joined to the register's facts an hour at a time.
"""

import datetime as dt
import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from alerts.knowing import Register, observe
from alerts.rules import Observation
from bus.messages import CredentialUse, DeviceMatch, EventStored, Message, Picture, PlateReading, Sighting
from ingest import matches
from recognition.models import DecisionRow
from recognition.work.telling import sighting_of, was_told
from storage import Database
from storage.amendments import AMENDED, standing
from storage.events import EventAmendment, EventRow

_SLICE: Final = dt.timedelta(hours=1)
# How far ahead of ours a device's clock may be without being taken for broken: what came in by a
# moment lies at most so much later by its own time.
_AHEAD: Final = dt.timedelta(seconds=60)

Night = tuple[str, str, dt.date]
"""Subject, zone, and the date of the evening."""

Progress = Callable[[dt.datetime, int], None]
"""Told how far a reading has come: by which moment, how many observations."""


class _Body(msgspec.Struct):
    track: str | None = None
    credential: CredentialUse | None = None
    plate: PlateReading | None = None
    match: DeviceMatch | None = None
    pictures: tuple[Picture, ...] = ()
    attributes: dict[str, Any] = {}


class _Words(msgspec.Struct):
    """What rules hear of a body: pictures and tracks they do not."""

    credential: CredentialUse | None = None
    plate: PlateReading | None = None
    match: DeviceMatch | None = None
    attributes: dict[str, Any] = {}


_words: Final = msgspec.json.Decoder(_Words)
_EVENT: Final = (
    EventRow.id,
    EventRow.device_id,
    EventRow.type,
    EventRow.ring,
    EventRow.zone,
    EventRow.lane,
    EventRow.direction,
    EventRow.device_time,
    EventRow.corrected_time,
    EventRow.received_at,
    EventRow.late,
    EventRow.revision,
    type_coerce(EventRow.body, Text).label("text"),
)
_DECISION: Final = (
    DecisionRow.sighting_id,
    DecisionRow.event_id,
    DecisionRow.subject_kind,
    DecisionRow.outcome,
    DecisionRow.at,
    DecisionRow.person_id,
    DecisionRow.household_id,
    DecisionRow.vehicle_id,
    DecisionRow.plate,
    DecisionRow.score,
    EventRow.device_id,
    EventRow.ring,
    EventRow.zone,
    EventRow.lane,
    EventRow.direction,
    EventRow.received_at,
    EventRow.late,
)


def event_message(row: EventRow) -> EventStored:
    """The message that was committed with this row; of an event as it stands, what would be told now.

    Whom a terminal's match means is not among it: see `ingest.matches`.
    """
    body = msgspec.convert(row.body, _Body)
    return EventStored(
        id=row.id,
        compound=row.compound,
        device_id=row.device_id,
        type=row.type,
        ring=row.ring,
        zone=row.zone,
        device_time=row.device_time,
        at=row.corrected_time,
        received_at=row.received_at,
        lane=row.lane,
        direction=row.direction,
        late=bool(row.late),
        track=body.track,
        credential=body.credential,
        plate=body.plate,
        match=body.match,
        pictures=body.pictures,
        attributes=body.attributes,
        marks=tuple(row.marks),
        revision=row.revision,
    )


def replay(database: Database, compound: str, since: dt.datetime) -> Sequence[Message]:
    """Events, as they stand now, and sightings of a compound since a moment, in order of corrected time."""
    with database.read() as session:
        rows = session.scalars(
            select(EventRow).where(EventRow.compound == compound, EventRow.corrected_time >= since)
        ).all()
        messages = [event_message(row) for row in standing(session, rows)]
        events = {message.id: message for message in matches.resolved(session, messages)}
        decisions = session.scalars(
            select(DecisionRow).where(DecisionRow.compound == compound, DecisionRow.at >= since, was_told())
        )
        # Nothing is opened by a replay, however soon after.
        sightings = [
            msgspec.structs.replace(sighting_of(events[row.event_id], row), valid_until=None)
            for row in decisions
            if row.event_id in events
        ]
    told: list[EventStored] | list[Any] = [*events.values(), *sightings]
    return sorted(told, key=lambda message: (message.at, message.id))


def happened(
    database: Database,
    compound: str,
    start: dt.datetime,
    end: dt.datetime,
    progress: Progress | None = None,
) -> Iterator[Observation]:
    """What rules saw from `start` to before `end`, as it stands now, in the order in which it happened."""
    for _, batch in _slices(database, compound, start, end, progress, amended=False):
        yield from sorted(batch, key=lambda one: (one.at, one.id))


def came_in(
    database: Database,
    compound: str,
    start: dt.datetime,
    end: dt.datetime,
    progress: Progress | None = None,
) -> Iterator[Observation]:
    """What rules were told from `start` to before `end`, in the order in which it came in.

    What more became known of an event comes when it became known. Records that came late come
    when they came, though they had happened before `start`.
    """
    waiting: list[tuple[dt.datetime, bool, str, int, Observation]] = []
    counted = 0
    for until, batch in _slices(database, compound, start, end, progress, amended=True):
        for one in batch:
            if one.received_at < end:
                counted += 1
                heapq.heappush(waiting, (one.received_at, one.amends, one.id, counted, one))
        while waiting and waiting[0][0] < until - _AHEAD:
            yield heapq.heappop(waiting)[-1]
    while waiting:
        yield heapq.heappop(waiting)[-1]


def nights(
    database: Database, compound: str, before: dt.datetime, zone: dt.tzinfo, count: int = 8
) -> list[Night]:
    """Who was seen in which building's zone in the nights before a moment, longer ago than rules remember."""
    found: dict[Night, None] = {}
    today = before.astimezone(zone).date()
    for day in range(count, 0, -1):
        evening = today - dt.timedelta(days=day)
        start = dt.datetime.combine(evening, dt.time(23), zone).astimezone(dt.UTC)
        for seen in happened(database, compound, start, min(start + dt.timedelta(hours=6), before)):
            if seen.ring == "building" and not seen.late:
                found |= dict.fromkeys((subject, seen.zone, evening) for subject in seen.subjects)
    return list(found)


def _slices(
    database: Database,
    compound: str,
    start: dt.datetime,
    end: dt.datetime,
    progress: Progress | None,
    *,
    amended: bool,
) -> Iterator[tuple[dt.datetime, list[Observation]]]:
    """Observations by the hour in which they happened, with the hour's end; each hour a read of its own."""
    register: Register | None = None
    count = 0
    moment = start
    while moment < end:
        until = min(moment + _SLICE, end)
        with database.read() as session:
            if register is None:
                register = Register(session, compound)
            register.read_through(session)
            first = moment == start and amended
            messages = _messages(session, compound, moment, until, amended=amended, late_since=first)
            batch = observe(session, compound, messages, register)
        count += len(batch)
        yield until, batch
        if progress is not None:
            progress(until, count)
        moment = until


def _messages(
    session: Session,
    compound: str,
    start: dt.datetime,
    end: dt.datetime,
    *,
    amended: bool,
    late_since: bool,
) -> list[EventStored | Sighting]:
    within = (EventRow.corrected_time >= start, EventRow.corrected_time < end)
    rows = list(session.execute(select(*_EVENT).where(EventRow.compound == compound, *within)))
    if late_since:
        # They had happened before and came in after: of the records of an outage, most.
        rows += session.execute(
            select(*_EVENT).where(
                EventRow.compound == compound,
                EventRow.late == 1,
                EventRow.received_at >= start,
                EventRow.corrected_time < start,
            )
        )
    told = [_event(compound, row) for row in rows]
    told = _with_amendments(session, told, amended=amended)
    if any(event.match is not None for event in told):
        told = matches.resolved(session, told)
    decisions = session.execute(
        select(*_DECISION)
        .join(EventRow, EventRow.id == DecisionRow.event_id)
        .where(DecisionRow.compound == compound, DecisionRow.at >= start, DecisionRow.at < end, was_told())
    )
    return [*told, *(_sighting(compound, row) for row in decisions)]


def _with_amendments(session: Session, told: list[EventStored], *, amended: bool) -> list[EventStored]:
    """Events and what became known of them: as messages of their own, or in place of what was told first."""
    by_id = {event.id: event for event in told if event.revision is not None}
    if not by_id:
        return told
    later: dict[str, list[EventStored]] = {}
    ids = sorted(by_id)
    for start in range(0, len(ids), 500):
        query = (
            select(
                EventAmendment.event_id,
                EventAmendment.revision,
                EventAmendment.type,
                EventAmendment.received_at,
                type_coerce(EventAmendment.body, Text).label("text"),
            )
            .where(EventAmendment.event_id.in_(ids[start : start + 500]))
            .order_by(EventAmendment.revision)
        )
        for row in session.execute(query):
            later.setdefault(row.event_id, []).append(_amendment(by_id[row.event_id], row, amends=amended))
    if amended:
        return [*told, *(one for amendments in later.values() for one in amendments)]
    return [later[event.id][-1] if event.id in later else event for event in told]


def _event(compound: str, row: Any) -> EventStored:
    body = _words.decode(row.text)
    return EventStored(
        row.id,
        compound,
        row.device_id,
        row.type,
        row.ring,
        row.zone,
        row.device_time,
        row.corrected_time,
        row.received_at,
        row.lane,
        row.direction,
        bool(row.late),
        credential=body.credential,
        plate=body.plate,
        match=body.match,
        attributes=body.attributes,
        revision=row.revision,
    )


def _amendment(event: EventStored, row: Any, *, amends: bool) -> EventStored:
    body = _words.decode(row.text)
    return msgspec.structs.replace(
        event,
        type=row.type,
        # As it stands it came when it came first: then it is as live as it was.
        received_at=row.received_at if amends else event.received_at,
        credential=body.credential,
        plate=body.plate,
        match=body.match,
        attributes=body.attributes,
        revision=row.revision,
        marks=(AMENDED,),
        amends=amends,
    )


def _sighting(compound: str, row: Any) -> Sighting:
    return Sighting(
        row.sighting_id,
        row.event_id,
        compound,
        row.device_id,
        row.subject_kind,
        row.outcome,
        row.ring,
        row.zone,
        row.at,
        row.received_at,
        row.lane,
        row.direction,
        bool(row.late),
        person_id=row.person_id,
        household_id=row.household_id,
        vehicle_id=row.vehicle_id,
        plate=row.plate,
        score=row.score,
    )
