"""New, told before, amended or contradicted: what an event is to those that are stored."""

from collections.abc import Callable, Mapping
from typing import Final, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from ingest.batch import Batch
from ingest.rows import Prepared, amendment_row
from storage.events import EventAmendment, EventRow

Conflict = Callable[[int, Prepared], None]

_events = cast("Table", EventRow.__table__)
_amendments = cast("Table", EventAmendment.__table__)
# Built once: an IN of a thousand ids costs more to put together than to run.
_KNOWN: Final = select(_events.c.id, _events.c.content_hash, _events.c.revision).where(
    _events.c.id.in_(bindparam("ids", expanding=True))
)
# In rising order, so that the newest is what is left when all are read.
_AMENDED: Final = (
    select(_amendments.c.event_id, _amendments.c.content_hash, _amendments.c.revision)
    .where(_amendments.c.event_id.in_(bindparam("ids", expanding=True)))
    .order_by(_amendments.c.revision)
)
_COUNT_AGAIN: Final = (
    update(_events)
    .where(_events.c.id.in_(bindparam("ids", expanding=True)))
    .values(resent=_events.c.resent + bindparam("times"))
)


def sort_out(session: Session, batch: Batch, conflict: Conflict) -> list[Prepared]:
    """The events that are new; the others are repeats, amendments or, for `conflict`, contradictions.

    Only one ingest writes a device's events, so looking first is safe here; the primary
    key stands behind it, and a lost race fails the batch, which then comes again.
    """
    if not batch.events:
        return []
    rows = session.execute(_KNOWN, {"ids": list(batch.events)})
    known = {row.id: (row.content_hash, row.revision) for row in rows}
    fresh = [prepared for event_id, (_, prepared) in batch.events.items() if event_id not in known]
    if not known and not batch.further:
        return fresh
    newest = _newest(session, known)
    for prepared in fresh:
        newest[prepared.message.id] = (prepared.content_hash, prepared.message.revision)
    seen_before = [entry for event_id, entry in batch.events.items() if event_id in known]
    for position, prepared in [*seen_before, *batch.further]:
        event_id = prepared.message.id
        content_hash, revision = newest[event_id]
        first_hash = known[event_id][0] if event_id in known else content_hash
        mine = prepared.message.revision
        if prepared.content_hash in {content_hash, first_hash}:
            batch.repeats[event_id] += 1
        elif mine is not None and revision is not None:
            if mine > revision:
                newest[event_id] = (prepared.content_hash, mine)
                batch.amendments.append(prepared.as_amendment())
            else:
                batch.repeats[event_id] += 1
        elif prepared.message.late:
            # A record that is pushed again on demand says less than it did at first.
            batch.repeats[event_id] += 1
        else:
            conflict(position, prepared)
    return fresh


def amend(session: Session, batch: Batch) -> None:
    """Stores what became known of events, and counts those that only came again."""
    if batch.amendments:
        session.execute(insert(EventAmendment), [amendment_row(one) for one in batch.amendments])
    for times in set(batch.repeats.values()):
        again = [event_id for event_id, seen in batch.repeats.items() if seen == times]
        session.execute(_COUNT_AGAIN, {"ids": again, "times": times})


def _newest(
    session: Session, known: Mapping[str, tuple[str, int | None]]
) -> dict[str, tuple[str, int | None]]:
    """What holds now of stored events, as (content hash, revision)."""
    newest = dict(known)
    told_again = [event_id for event_id, (_, revision) in known.items() if revision is not None]
    if told_again:
        for row in session.execute(_AMENDED, {"ids": told_again}):
            newest[row.event_id] = (row.content_hash, row.revision)
    return newest
