"""Whole weeks of passages, on PostgreSQL: what deleting a million rows would take an hour for goes at once.

A week goes when everything in it is over and nothing holds it; its rows are counted and proved as
those that go by rows are, in the transaction that drops it. Where one row is held, all go by rows.
Weeks that retention has emptied go in any case.
"""

import datetime as dt
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Table, func, insert, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from privacy.models import DeletionProof, KeptPicture
from privacy.retention.passages import ADD_UP, PASSAGES
from privacy.retention.protection import Revision, revision
from privacy.retention.scope import Batch, Due, Ground, Scope
from registry.days import time_zone
from storage import new_id, partitions
from storage.events import EventRow
from storage.partitions import Piece
from storage.patience import again, changing, is_in_the_way

log = structlog.get_logger(__name__)

# Whoever reads or writes events waits while the tables let go of a week: not longer than this. Longer than
# the second after which PostgreSQL's own vacuuming makes room for somebody who waits for it.
_LOCK_S: Final = 1.5
_TRIES_S: Final = 20.0


class _ChangedError(Exception):
    """What was counted is not what is there now."""


@dataclass(slots=True)
class _Week:
    """A week that may go, and everything that is written when it does."""

    piece: Piece
    revision: Revision
    rows: int = 0
    counts: list[dict[str, Any]] = field(default_factory=list)
    proofs: list[dict[str, Any]] = field(default_factory=list)


class Weeks:
    """The class of whole weeks; it empties no table of its own."""

    name = "passage_weeks"
    setting = PASSAGES.setting
    tables: tuple[str, ...] = ()
    whole_deployment = True

    def due(self, _session: Session, _scope: Scope) -> Due:
        """Nothing: what lies in weeks that wait goes with them, and the others are passages."""
        return Due(0)

    def step(self, ground: Ground, scope: Scope, _size: int) -> Batch:
        """Lets the oldest week go that has not been tried in this run."""
        if ground.database.is_sqlite:
            return Batch()
        cutoff = scope.cutoff(self.setting)
        tried = scope.position or frozenset()
        with ground.database.read() as session:
            over = [
                one
                for one in partitions.pieces(session.connection())
                if one.is_week and one.end is not None and one.end <= cutoff and one.name not in tried
            ]
            if not over:
                return Batch()
            scope.position = tried | {over[0].name}
            week = _look(session, scope, over[0], cutoff)
        if week is None:
            return Batch(more=True)
        started = time.monotonic()
        try:
            again(lambda: _let_go(ground, week), for_s=_TRIES_S)
        except _ChangedError:
            scope.run.forget()
            return Batch(more=True)
        except DBAPIError as error:
            if not is_in_the_way(error):
                raise
            # Tomorrow is another night; from then on its rows go one by one.
            log.info("retention.week_waits", week=week.piece.name)
            return Batch(more=True)
        log.info("retention.week_went", week=week.piece.name, rows=week.rows)
        gone = {PASSAGES.name: week.rows} if week.rows else {}
        return Batch(gone, more=True, held_s=time.monotonic() - started)


def _look(session: Session, scope: Scope, piece: Piece, cutoff: dt.datetime) -> _Week | None:
    """The week with its counts and proofs; None where it has to stay, or its rows go one by one."""
    within = _in(piece)
    found = _Week(piece, revision(session))
    if session.scalar(select(EventRow.id).where(within).limit(1)) is None:
        return found
    if not scope.run.policy.whole_weeks or _is_held(session, scope, piece):
        return None
    young = or_(EventRow.corrected_time >= cutoff, EventRow.received_at >= cutoff)
    if session.scalar(select(EventRow.id).where(within, young).limit(1)) is not None:
        return None
    for compound in session.scalars(select(EventRow.compound).where(within).distinct()).all():
        _count(session, scope, found, compound, cutoff)
    return found


def _is_held(session: Session, scope: Scope, piece: Piece) -> bool:
    low, high = piece.bounds
    for compound in scope.run.compounds:
        guard = scope.run.guard(session, compound)
        # Who is known by a card is in words that only reading every row shows.
        if guard.refs or any(low <= one < high for one in guard.events):
            return True
    kept = select(KeptPicture.event).where(KeptPicture.event >= low, KeptPicture.event < high)
    return session.scalar(kept.limit(1)) is not None


def _count(session: Session, scope: Scope, week: _Week, compound: str, cutoff: dt.datetime) -> None:
    mine = (_in(week.piece), EventRow.compound == compound)
    local = func.timezone(str(time_zone(session, compound)), EventRow.corrected_time)
    day = func.to_char(local, "YYYY-MM-DD").label("day")
    columns = (day, EventRow.device_id, EventRow.type)
    counted = select(*columns, func.count().label("count")).where(*mine).group_by(*columns)
    week.counts += [
        {
            "compound": compound,
            "day": row.day,
            "device_id": row.device_id,
            "type": row.type,
            "count": row.count,
        }
        for row in session.execute(counted.order_by(*columns))
    ]
    digest, rows = hashlib.sha256(), 0
    ids = select(EventRow.id).where(*mine).order_by(EventRow.id).execution_options(yield_per=5000)
    for one in session.scalars(ids):
        digest.update(f"{one}\n".encode())
        rows += 1
    week.rows += rows
    week.proofs.append(
        {
            "id": new_id(),
            "compound": compound,
            "run": scope.run.id,
            "retention_class": PASSAGES.name,
            "cutoff": cutoff,
            "count": rows,
            "digest": digest.hexdigest(),
            "at": scope.at,
        }
    )


def _let_go(ground: Ground, week: _Week) -> None:
    proofs: Table = DeletionProof.__table__  # type: ignore[assignment]
    with changing(ground.database, lock_s=_LOCK_S) as connection:
        # A record of so long ago that comes now waits, and finds that its week is gone.
        connection.exec_driver_sql(f"LOCK TABLE ONLY {week.piece.name} IN SHARE MODE")
        now = connection.exec_driver_sql(f"SELECT count(*) FROM {week.piece.name}").scalar()  # noqa: S608 - a piece
        if revision(connection) != week.revision or now != week.rows:
            raise _ChangedError
        if week.counts:
            connection.execute(ADD_UP["postgresql"], week.counts)
            connection.execute(insert(proofs), week.proofs)
        partitions.drop(connection, week.piece)


def _in(piece: Piece) -> ColumnElement[bool]:
    low, high = piece.bounds
    return (EventRow.id >= low) & (EventRow.id < high)
