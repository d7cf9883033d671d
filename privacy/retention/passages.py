"""Passages: what devices reported and what recognition made of it. Only counts of them stay.

Rows are chosen without a lock, in order of time through the index, and go in a transaction
that does nothing else: on SQLite everybody else who writes waits for it.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, func, insert, null, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from privacy.models import DeletionProof, KeptPicture, PassageCount
from privacy.retention.pictures import PASSAGE_PICTURES, UNKNOWN_FACES
from privacy.retention.proofs import proof_row
from privacy.retention.protection import Revision, revision
from privacy.retention.references import RAW_BODY
from privacy.retention.scope import Batch, Due, Ground, Scope, among
from recognition.models import DecisionRow
from registry.days import time_zone
from storage import partitions
from storage.events import EventRow

_events: Final = cast("Table", EventRow.__table__)
_decisions: Final = cast("Table", DecisionRow.__table__)
_proofs: Final = cast("Table", DeletionProof.__table__)
# A night in which a week goes, and one more in which it may.
_GRACE: Final = dt.timedelta(days=2)
_BEFORE: Final = (PASSAGE_PICTURES.name, UNKNOWN_FACES.name)


class _ChangedError(Exception):
    """What was chosen is not what is there now."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """A batch, and everything that goes into its transaction: under the lock nothing is thought about."""

    revision: Revision
    ids: list[str]
    counts: list[dict[str, Any]]
    proof: dict[str, Any]
    end: tuple[dt.datetime, str]


@dataclass(frozen=True, slots=True)
class Trail:
    """Rows of passages in order of time. `clocks`: when it happened, and when we knew of it.

    A row goes when it is too old by both; a record that came late has its time from then on.
    """

    name: str
    table: Table
    key: Any
    event: Any
    clocks: tuple[Any, Any]
    counted: bool
    setting: str = "passages"
    whole_deployment: bool = False

    @property
    def tables(self) -> tuple[str, ...]:
        return (self.table.name,)

    def due(self, session: Session, scope: Scope) -> Due:
        guard = scope.guard(session)
        if guard.refs:
            total = held = 0
            for row in session.execute(self._over(session, scope, with_body=True)).yield_per(1000):
                total += 1
                held += guard.keeps(row.event, row.body)
            return Due(total - held, held)
        rows = self._over(session, scope, with_body=False).subquery()
        total = session.scalar(select(func.count()).select_from(rows)) or 0
        ids = sorted(guard.events)
        held = sum(
            session.scalar(
                select(func.count()).select_from(rows).where(among(session, rows.c.event, ids[n : n + 5000]))
            )
            or 0
            for n in range(0, len(ids), 5000)
        )
        return Due(total - held, held)

    def step(self, ground: Ground, scope: Scope, size: int) -> Batch:
        if not {(one, scope.of_compound) for one in _BEFORE} <= scope.run.finished:
            # A row that goes before its picture would leave one that nothing points to.
            return Batch()
        with ground.database.read() as session:
            choice = self._choose(session, scope, size)
        if choice is None:
            return Batch()
        started = time.monotonic()
        try:
            with ground.database.write() as session:
                self._delete(session.connection(), choice)
        except _ChangedError:
            # Somebody asked for a hold, or another keeper was here, between choosing and deleting.
            scope.run.forget()
            return Batch(more=True)
        scope.position = choice.end
        gone = {self.name: len(choice.ids)} if choice.ids else {}
        return Batch(gone, more=True, held_s=time.monotonic() - started)

    def _over(self, session: Session, scope: Scope, *, with_body: bool) -> Select[Any]:
        happened, known = self.clocks
        cutoff = scope.cutoff(self.setting)
        columns = [self.key.label("key"), self.event.label("event"), happened.label("happened")]
        if self.counted:
            columns += [EventRow.device_id, EventRow.type]
        columns.append(RAW_BODY.label("body") if with_body else null().label("body"))
        query = select(*columns)
        if with_body and not self.counted:
            query = query.outerjoin(EventRow, EventRow.id == self.event)
        if self.counted and scope.run.policy.whole_weeks:
            query = query.where(*_not_waiting(session, cutoff))
        return query.where(self.table.c.compound == scope.of_compound, happened < cutoff, known < cutoff)

    def _choose(self, session: Session, scope: Scope, size: int) -> _Choice | None:
        guard = scope.guard(session)
        query = self._over(session, scope, with_body=bool(guard.refs))
        happened = self.clocks[0]
        if scope.position is not None:
            moment, last = scope.position
            query = query.where(
                happened >= moment,
                or_(happened > moment, and_(happened == moment, self.key > last)),
            )
        rows = session.execute(query.order_by(happened, self.key).limit(size)).all()
        if not rows:
            return None
        going = [row for row in rows if not guard.keeps(row.event, row.body)]
        waiting = _with_pictures(session, [row.event for row in going])
        if waiting:
            going = [row for row in going if row.event not in waiting]
        ids = [row.key for row in going]
        zone = time_zone(session, scope.of_compound)
        return _Choice(
            guard.revision,
            ids,
            _counted(scope.of_compound, going, zone) if self.counted else [],
            proof_row(scope.run.id, self.name, scope.compound, scope.cutoff(self.setting), ids, scope.at),
            (rows[-1].happened, rows[-1].key),
        )

    def _delete(self, connection: Connection, choice: _Choice) -> None:
        """Core on the connection, which tenancy does not see: the rows were chosen by compound."""
        if revision(connection) != choice.revision:
            raise _ChangedError
        if not choice.ids:
            return
        going = among(connection, self.key.expression, choice.ids)
        if connection.execute(delete(self.table).where(going)).rowcount != len(choice.ids):
            raise _ChangedError
        if choice.counts:
            connection.execute(ADD_UP[connection.dialect.name], choice.counts)
        connection.execute(insert(_proofs), [choice.proof])


DECISIONS: Final = Trail(
    "decisions",
    _decisions,
    DecisionRow.sighting_id,
    DecisionRow.event_id,
    (DecisionRow.at, DecisionRow.decided_at),
    counted=False,
)
PASSAGES: Final = Trail(
    "passages",
    _events,
    EventRow.id,
    EventRow.id,
    (EventRow.corrected_time, EventRow.received_at),
    counted=True,
)


def _not_waiting(session: Session, cutoff: dt.datetime) -> list[ColumnElement[bool]]:
    """Leaves alone what lies in a week that goes as a whole soon (see `privacy.retention.weeks`).

    One that was over two nights ago and is still there is held by something: its rows go one by one.
    """
    return [
        or_(EventRow.id < low, EventRow.id >= high)
        for low, high in (
            one.bounds
            for one in partitions.pieces(session.connection())
            if one.start is not None and one.end is not None and one.start < cutoff < one.end + _GRACE
        )
    ]


def _with_pictures(session: Session, ids: list[str]) -> set[str]:
    """Events of which a picture had to stay: they stay until that has gone, so none is orphaned."""
    return set(session.scalars(select(KeptPicture.event).where(among(session, KeptPicture.event, ids))))


def _counted(compound: str, rows: Sequence[Any], zone: ZoneInfo) -> list[dict[str, Any]]:
    if not rows:
        return []
    days = {_day(rows[0].happened, zone), _day(rows[-1].happened, zone)}
    # Rows come in order of time, so nearly every batch lies within one day.
    same = days.pop() if len(days) == 1 else None
    counts = Counter((same or _day(row.happened, zone), row.device_id, row.type) for row in rows)
    return [
        {"compound": compound, "day": day, "device_id": device, "type": kind, "count": count}
        for (day, device, kind), count in sorted(counts.items())
    ]


def _adding_up(dialect: Any) -> Any:
    statement = dialect.insert(PassageCount.__table__)
    return statement.on_conflict_do_update(
        index_elements=["compound", "day", "device_id", "type"],
        set_={"count": PassageCount.__table__.c.count + statement.excluded.count},
    )


ADD_UP: Final = {"sqlite": _adding_up(sqlite), "postgresql": _adding_up(postgresql)}


def _day(moment: dt.datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).date().isoformat()
