"""Passages: what devices reported and what recognition made of it. Only counts of them stay.

Rows are chosen without a lock, in order of time through the index, and go in a transaction
that does nothing else: on SQLite everybody else who writes waits for it.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, delete, func, null, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from privacy.models import KeptPicture, PassageCount
from privacy.retention.pictures import PASSAGE_PICTURES, UNKNOWN_FACES
from privacy.retention.proofs import prove
from privacy.retention.protection import revision
from privacy.retention.scope import Batch, Due, Ground, Scope, among
from recognition.models import DecisionRow
from registry.models import Compound
from storage.events import EventRow

EVENTS: Final = "passages"
DECISIONS: Final = "decisions"
_BEFORE: Final = (PASSAGE_PICTURES.name, UNKNOWN_FACES.name)


class Passages:
    """Events with their decisions, counted by local day, device and type before they go."""

    name = EVENTS
    setting = "passages"
    tables = ("events", "decisions")
    whole_deployment = False

    def due(self, session: Session, scope: Scope) -> Due:
        guard = scope.guard(session)
        if guard.refs:
            rows = session.execute(_chosen(scope, EventRow.id, EventRow.body))
            total = held = 0
            for event_id, body in rows.yield_per(1000):
                total += 1
                held += guard.keeps(event_id, body)
            return Due(total - held, held)
        total = session.scalar(_chosen(scope, func.count(EventRow.id))) or 0
        ids = sorted(guard.events)
        held = sum(
            session.scalar(
                _chosen(scope, func.count(EventRow.id)).where(among(session, EventRow.id, ids[start:end]))
            )
            or 0
            for start, end in ((n, n + 5000) for n in range(0, len(ids), 5000))
        )
        return Due(total - held, held)

    def step(self, ground: Ground, scope: Scope, size: int) -> Batch:
        if not {(one, scope.of_compound) for one in _BEFORE} <= scope.run.finished:
            # A row that goes before its picture would leave one that nothing points to.
            return Batch()
        with ground.database.read() as session:
            guard = scope.guard(session)
            rows = _next(session, scope, size, with_body=bool(guard.refs))
            free = [row for row in rows if not guard.keeps(row.id, row.body)]
            waiting = _with_pictures(session, [row.id for row in free])
            zone = _zone(session, scope.of_compound)
        if not rows:
            return Batch()
        free = [row for row in free if row.id not in waiting]
        started = time.monotonic()
        with ground.database.write() as session:
            if revision(session) != guard.revision:
                # Somebody has asked for a hold between choosing and deleting: choose again.
                scope.run.forget()
                return Batch(more=True)
            gone = _delete(session, scope, free, zone) if free else {}
        scope.position = (rows[-1].corrected_time, rows[-1].id)
        return Batch(gone, more=True, held_s=time.monotonic() - started)


def _chosen(scope: Scope, *columns: Any) -> Select[Any]:
    """Events that are too old by either clock; a record that came late stays its time from then on."""
    cutoff = scope.cutoff("passages")
    return select(*columns).where(
        EventRow.compound == scope.of_compound,
        EventRow.corrected_time < cutoff,
        EventRow.received_at < cutoff,
    )


def _next(session: Session, scope: Scope, size: int, *, with_body: bool) -> Sequence[Any]:
    columns = [EventRow.id, EventRow.corrected_time, EventRow.device_id, EventRow.type]
    body: Any = EventRow.body if with_body else null()
    query = _chosen(scope, *columns, body.label("body"))
    if scope.position is not None:
        moment, last = scope.position
        query = query.where(
            EventRow.corrected_time >= moment,
            or_(
                EventRow.corrected_time > moment, and_(EventRow.corrected_time == moment, EventRow.id > last)
            ),
        )
    return session.execute(query.order_by(EventRow.corrected_time, EventRow.id).limit(size)).all()


def _with_pictures(session: Session, ids: list[str]) -> set[str]:
    """Events of which a picture had to stay: their row stays until that has gone, so none is orphaned."""
    return set(session.scalars(select(KeptPicture.event).where(among(session, KeptPicture.event, ids))))


def _delete(session: Session, scope: Scope, rows: Sequence[Any], zone: ZoneInfo) -> dict[str, int]:
    ids = [row.id for row in rows]
    sightings = session.scalars(
        delete(DecisionRow)
        .where(among(session, DecisionRow.event_id, ids))
        .returning(DecisionRow.sighting_id)
        .execution_options(synchronize_session=False)
    ).all()
    # Another keeper may have been here since: what counts is what went now.
    gone = set(
        session.scalars(
            delete(EventRow)
            .where(among(session, EventRow.id, ids))
            .returning(EventRow.id)
            .execution_options(synchronize_session=False)
        )
    )
    _count(session, scope, [row for row in rows if row.id in gone], zone)
    cutoff = scope.cutoff("passages")
    if sightings:
        prove(session, scope.run.id, DECISIONS, scope.compound, cutoff, sightings, scope.at)
    if gone:
        prove(session, scope.run.id, EVENTS, scope.compound, cutoff, gone, scope.at)
    return {EVENTS: len(gone), DECISIONS: len(sightings)}


def _count(session: Session, scope: Scope, rows: Sequence[Any], zone: ZoneInfo) -> None:
    counts = Counter((_day(row.corrected_time, zone), row.device_id, row.type) for row in rows)
    if not counts:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(PassageCount)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["compound", "day", "device_id", "type"],
            set_={"count": PassageCount.count + statement.excluded.count},
        ),
        [
            {"compound": scope.compound, "day": day, "device_id": device, "type": kind, "count": count}
            for (day, device, kind), count in sorted(counts.items())
        ],
    )


def _zone(session: Session, compound: str) -> ZoneInfo:
    return ZoneInfo(session.scalars(select(Compound.time_zone).where(Compound.id == compound)).one())


def _day(moment: dt.datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).date().isoformat()
