"""Pictures of passages: they go long before the rows that name them, in order of time.

A class has gone through everything up to the cutoff of its last proof. What had to stay by
then is noted by its event in `kept_pictures` and looked at again in every run, so that
nothing is forgotten when a hold ends, and nothing is read twice otherwise.
"""

import datetime as dt
import time
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, delete, not_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from privacy.models import KeptPicture
from privacy.retention.proofs import prove, proved_through
from privacy.retention.protection import Protection, revision
from privacy.retention.references import HAS_PICTURES, IS_LATE, RAW_BODY, of_run, of_unknown_face, pictures_of
from privacy.retention.scope import Batch, Due, Ground, Scope, among
from storage.events import EventRow

_KEPT: Final = "kept"
_ON_TIME: Final = "on_time"
_LATE: Final = "late"
_DONE: Final = "done"
_NEXT: Final = {_KEPT: _ON_TIME, _ON_TIME: _LATE, _LATE: _DONE}
_LONG_AGO: Final = dt.datetime(1, 1, 2, tzinfo=dt.UTC)
_TICK: Final = dt.timedelta(microseconds=1)
_QUIET: Final = dt.timedelta(days=1)


class Pictures:
    """One of the two classes of event pictures: of residents' passages, or of faces nobody knows."""

    # Their rows go as passages; here it is about what lies in the media store.
    tables = ()
    whole_deployment = False

    def __init__(self, name: str, *, unknown: bool) -> None:
        self.name = name
        self.setting = name
        self._unknown = unknown

    def due(self, session: Session, scope: Scope) -> Due:
        guard = scope.guard(session)
        count = held = 0
        queries = [self._waiting(scope)]
        for part in (_ON_TIME, _LATE):
            after = self._through(session, scope, part)
            queries.append(self._rows(scope, part, after, scope.cutoff(self.setting)))
        for query in queries:
            for row in session.execute(query).yield_per(1000):
                pictures = len(pictures_of(row.body))
                if guard.keeps(row.id, row.body):
                    held += pictures
                else:
                    count += pictures
        return Due(count, held)

    def step(self, ground: Ground, scope: Scope, size: int) -> Batch:
        part, after = scope.position or (_KEPT, None)
        if part == _DONE:
            scope.run.finished.add((self.name, scope.of_compound))
            return Batch()
        with ground.database.read() as session:
            guard = scope.guard(session)
            if revision(session) != guard.revision:
                # Somebody has asked for a hold: look again at what may go.
                scope.run.forget()
                return Batch(more=True)
            if part == _KEPT:
                rows = self._kept(session, scope, after or "", size)
            else:
                after = after or self._through(session, scope, part)
                rows = self._next(session, scope, part, after, size)
            stay, free = _divide(rows, guard)
            wanted = list(dict.fromkeys(one for row in free for one in pictures_of(row.body)))
            needed = of_run(scope.run).needed(session, wanted)
            going = sorted(set(wanted) - needed)
        # Files first: what a killed run has deleted without a proof, the next one proves.
        ground.media.delete_all(going)
        started = time.monotonic()
        with ground.database.write() as session:
            if part == _KEPT:
                _let_go(session, [row.id for row in free if needed.isdisjoint(pictures_of(row.body))])
            else:
                self._keep_back(session, scope, stay)
            through = self._reached(scope, part, after, rows)
            if through is not None:
                prove(session, scope.run.id, self._proof(part), scope.compound, through, going, scope.at)
        if not rows:
            scope.position = (_NEXT[part], None)
        else:
            scope.position = (part, rows[-1].id if part == _KEPT else _clock(part, rows[-1]))
        return Batch({self.name: len(going)} if going else {}, more=True, held_s=time.monotonic() - started)

    def _proof(self, part: str) -> str:
        """The name that proofs bear: each part has an order of its own."""
        return self.name if part == _ON_TIME else f"{self.name}.{part}"

    def _reached(self, scope: Scope, part: str, after: Any, rows: Sequence[Any]) -> dt.datetime | None:
        """Up to when this batch has gone through; None where that is no news."""
        cutoff = scope.cutoff(self.setting)
        if part == _KEPT:
            return cutoff if rows else None
        if rows:
            return _clock(part, rows[-1])
        # Nothing came for a day: say so once, or every run would read all the rows again.
        return cutoff - _TICK if cutoff - after > _QUIET else None

    def _through(self, session: Session, scope: Scope, part: str) -> dt.datetime:
        return proved_through(session, self._proof(part), scope.of_compound) or _LONG_AGO

    def _rows(self, scope: Scope, part: str, after: dt.datetime, before: dt.datetime) -> Select[Any]:
        """Events of this class in an interval of its part's clock, oldest first.

        A record that came late has its time from when it came: nobody knew of it before.
        """
        clock = _column(part)
        columns: list[Any] = [EventRow.id, EventRow.corrected_time, EventRow.received_at]
        return (
            select(*columns, RAW_BODY.label("body"))
            .where(
                EventRow.compound == scope.of_compound,
                IS_LATE if part == _LATE else not_(IS_LATE),
                clock > after,
                clock < before,
                HAS_PICTURES,
                self._is_mine(),
            )
            .order_by(clock, EventRow.id)
        )

    def _is_mine(self) -> ColumnElement[bool]:
        return of_unknown_face() if self._unknown else not_(of_unknown_face())

    def _next(
        self, session: Session, scope: Scope, part: str, after: dt.datetime, size: int
    ) -> Sequence[Any]:
        """The next rows; those of one moment are never divided, since the proof knows moments only."""
        before = scope.cutoff(self.setting)
        rows = list(session.execute(self._rows(scope, part, after, before).limit(size)).all())
        if len(rows) == size:
            moment = _clock(part, rows[-1])
            same = self._rows(scope, part, after, before).where(
                and_(_column(part) == moment, EventRow.id > rows[-1].id)
            )
            rows += session.execute(same).all()
        return rows

    def _waiting(self, scope: Scope) -> Select[Any]:
        """Events whose pictures had to stay in an earlier run."""
        columns: list[Any] = [EventRow.id, RAW_BODY.label("body")]
        return (
            select(*columns)
            .join(KeptPicture, KeptPicture.event == EventRow.id)
            .where(KeptPicture.compound == scope.of_compound, KeptPicture.retention_class == self.name)
        )

    def _kept(self, session: Session, scope: Scope, after: str, size: int) -> Sequence[Any]:
        waiting = self._waiting(scope).where(EventRow.id > after).order_by(EventRow.id)
        return session.execute(waiting.limit(size)).all()

    def _keep_back(self, session: Session, scope: Scope, events: Sequence[str]) -> None:
        if not events:
            return
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        session.execute(
            dialect.insert(KeptPicture).on_conflict_do_nothing(),
            [
                {"event": one, "compound": scope.compound, "retention_class": self.name, "since": scope.at}
                for one in events
            ],
        )


PASSAGE_PICTURES: Final = Pictures("pictures", unknown=False)
UNKNOWN_FACES: Final = Pictures("unknown_faces", unknown=True)


def _column(part: str) -> InstrumentedAttribute[dt.datetime]:
    return EventRow.received_at if part == _LATE else EventRow.corrected_time


def _clock(part: str, row: Any) -> dt.datetime:
    moment: dt.datetime = row.received_at if part == _LATE else row.corrected_time
    return moment


def _divide(rows: Sequence[Any], guard: Protection) -> tuple[list[str], list[Any]]:
    stay, free = [], []
    for row in rows:
        if guard.keeps(row.id, row.body):
            stay.append(row.id)
        else:
            free.append(row)
    return stay, free


def _let_go(session: Session, events: list[str]) -> None:
    session.execute(
        delete(KeptPicture)
        .where(among(session, KeptPicture.event, events))
        .execution_options(synchronize_session=False)
    )
