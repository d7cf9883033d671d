"""Following erasures up: files, keys, and the places that have to say that they have forgotten.

Each stage is a transaction of its own and may be repeated, so this can be killed anywhere and
called from several processes at once. The order matters: galleries let go first, since a
worker that still knows a face goes on writing decisions about it; the passages are swept with
marks that only the person's key opens; the key goes last.
"""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from sqlalchemy import select

from privacy.erasure import passages, stages
from privacy.erasure.steps import Steps
from privacy.models import Erasure, ErasureStep, StepState
from storage import Database, MediaStore, Vault

log = structlog.get_logger(__name__)

# Events rewritten in one transaction: ingest waits no longer than this takes.
_BATCH: Final = 200
# Milliseconds that emptying the write-ahead log may keep others waiting; then it is tried again later.
_CHECKPOINT_MS: Final = 250


def follow_up(database: Database, media: MediaStore, vault: Vault, at: dt.datetime) -> int:
    """Takes every erasure as far as it goes now; returns how many steps were confirmed.

    To be called after the commit of an order, and then every few seconds.
    """
    with database.read() as session:
        open_steps = select(ErasureStep.erasure).where(ErasureStep.state != StepState.CONFIRMED).distinct()
        waiting = session.scalars(select(Erasure.id).where(Erasure.id.in_(open_steps))).all()
    confirmed = 0
    for erasure_id in waiting:
        try:
            confirmed += _Pursuit(database, media, vault, erasure_id, at).run()
        except Exception:
            # One that cannot be finished now must not keep the others from it.
            log.exception("erasure.follow_up_failed", erasure=erasure_id)
    return confirmed


class _Pursuit:
    """One erasure, taken as far as it goes."""

    def __init__(
        self, database: Database, media: MediaStore, vault: Vault, erasure_id: str, at: dt.datetime
    ) -> None:
        self._database = database
        self._media = media
        self._vault = vault
        self._id = erasure_id
        self._at = at
        self._began = time.monotonic()
        self._confirmed = 0

    def run(self) -> int:
        with self._turn() as todo:
            stages.reconsider(todo)
            stages.ask_holders(todo)
            if not stages.has_work(todo):
                # It waits for others, like most do: one look at it is enough.
                stages.complete(todo)
                return self._confirmed + todo.confirmed
        self._sweep()
        self._delete_pictures()
        self._shred()
        self._settle()
        with self._turn() as todo:
            stages.complete(todo)
        return self._confirmed

    @contextmanager
    def _turn(self) -> Iterator[Steps]:
        """One transaction, in which no other process follows this erasure up."""
        with self._database.write() as session:
            erasure = session.scalars(select(Erasure).where(Erasure.id == self._id).with_for_update()).one()
            todo = Steps(session, erasure, self._at)
            yield todo
            session.flush()
        self._confirmed += todo.confirmed

    def _sweep(self) -> None:
        """The event log and what was decided on it, in batches."""
        with self._turn() as todo:
            marks = stages.marks_to_sweep(todo)
        if marks is None:
            return
        # Looking through the whole log takes its time, and no lock.
        with self._database.read() as session:
            event_ids = stages.events_to_sweep(session, self._id, marks, self._at)
            letters = passages.find_letters(session, marks)
        for first in range(0, len(event_ids), _BATCH):
            with self._turn() as todo:
                stages.sweep(todo, marks, event_ids[first : first + _BATCH])
        with self._turn() as todo:
            stages.end_sweep(todo, marks, letters)

    def _delete_pictures(self) -> None:
        with self._turn() as todo:
            pending = stages.pictures(todo)
        for media_id in pending:
            self._media.delete(media_id)
        with self._turn() as todo:
            stages.pictures_gone(todo, frozenset(pending))

    def _shred(self) -> None:
        with self._turn() as todo:
            subjects = stages.keys_to_shred(todo)
        if subjects is not None:
            self._vault.shred(subjects, self._at)
            with self._turn() as todo:
                # The moment of now: a copy of the keys that was taken since this round began has them still.
                todo.at = self._at + dt.timedelta(seconds=time.monotonic() - self._began)
                stages.keys_gone(todo)

    def _settle(self) -> None:
        """The rows are gone; on SQLite the old pages must leave the write-ahead log as well."""
        with self._turn() as todo:
            waits = stages.database_waits(todo)
        if waits and _emptied_log(self._database):
            with self._turn() as todo:
                stages.database_settled(todo)


def _emptied_log(database: Database) -> bool:
    """Whether the write-ahead log holds no old page any more; PostgreSQL recycles its own."""
    if not database.is_sqlite:
        return True
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        # Most of it is copied while others go on writing; only the rest makes them wait.
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        before = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout={_CHECKPOINT_MS}")
        busy: int = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout={before}")
    finally:
        connection.close()
    return busy == 0
