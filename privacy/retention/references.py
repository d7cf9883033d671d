"""Which pictures somebody still needs: those that an event refers to whose time is not over.

Two events with the same bytes share one picture (a covered lens sends the same black frame
for weeks), and the event table has no index of pictures. So whoever wants to delete some
reads once what stays, and before each batch what has come since.
"""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, literal_column, or_, select
from sqlalchemy.orm import Session

from privacy.models import KeptPicture
from privacy.retention.scope import Run, among
from recognition.models import DecisionRow
from storage.amendments import raw_bodies
from storage.events import EventRow

# With what became known later: a picture of an amendment is a picture of its event.
RAW_BODY: Final = raw_bodies()
# Written out, not bound: only so the database sees that its index of late records is meant.
IS_LATE: Final = EventRow.late == literal_column("1")
HAS_PICTURES: Final = RAW_BODY.like('%"media_id"%')

_FULL: Final = re.compile(r'"media_id":\s*"([0-9a-f]{64})"')
# Sixteen digits tell pictures apart; should two ever agree, one stays too long.
_NAMED: Final = re.compile(r'"media_id":\s*"([0-9a-f]{16})')
_PAGE: Final = 5000
# How far a later look goes back: events are committed a moment after they are received.
_OVERLAP: Final = dt.timedelta(minutes=1)


def of_unknown_face() -> ColumnElement[bool]:
    """The condition that an event shows a face that nobody knows."""
    decided = exists().where(
        DecisionRow.event_id == EventRow.id,
        DecisionRow.subject_kind == "face",
        DecisionRow.outcome == "unknown",
    )
    return or_(EventRow.type == "face.unknown", decided)


def pictures_of(raw_body: str) -> list[str]:
    """The pictures that an event's body names, each once."""
    return list(dict.fromkeys(_FULL.findall(raw_body)))


def of_run(run: Run) -> "References":
    """The references that a run works with."""
    if run.references is None:
        run.references = References(run)
    found: References = run.references
    return found


class References:
    """The pictures that are still needed, of all compounds: they share one store."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._cutoffs = run.policy.cutoff("pictures", run.at), run.policy.cutoff("unknown_faces", run.at)
        # Millions of numbers at a street's size: sorted in one piece, and a set of what came since.
        self._known: Any = None
        self._recent: set[int] = set()
        self._since: dt.datetime | None = None

    def needed(self, session: Session, media_ids: Iterable[str]) -> set[str]:
        """Those of the given pictures that have to stay."""
        wanted = list(media_ids)
        if not wanted:
            return set()
        # Late: the classes of retention are read by processes that delete nothing.
        import numpy as np

        if self._since is None:
            named = self._kept(session) + self._newer(session, min(self._cutoffs))
            self._known = np.unique(np.array(named, dtype=np.uint64))
        else:
            self._recent.update(self._newer(session, self._since))
        numbers = [int(one[:16], 16) for one in wanted]
        found = np.isin(np.array(numbers, dtype=np.uint64), self._known)
        return {
            one
            for one, number, is_needed in zip(wanted, numbers, found, strict=True)
            if is_needed or number in self._recent
        }

    def _kept(self, session: Session) -> list[int]:
        """Of events that are over time and stay all the same."""
        guards = {compound: self._run.guard(session, compound) for compound in self._run.compounds}
        ids = set(session.scalars(select(KeptPicture.event)))
        for guard in guards.values():
            ids |= guard.events
        named: list[int] = []
        in_order = sorted(ids)
        for start in range(0, len(in_order), _PAGE):
            part = in_order[start : start + _PAGE]
            query = select(EventRow.id, EventRow.compound, RAW_BODY.label("body"))
            for row in session.execute(query.where(among(session, EventRow.id, part))):
                of_row = guards.get(row.compound)
                if of_row is not None and of_row.keeps(row.id, row.body):
                    named += (int(one, 16) for one in _NAMED.findall(row.body))
        return named

    def _newer(self, session: Session, since: dt.datetime) -> list[int]:
        """Of events whose time is not over, by either clock, from a moment on."""
        known, unknown = self._cutoffs
        # Where both classes have the same time, nobody needs to be asked which one it is.
        cutoff: Any = known if known == unknown else case((of_unknown_face(), unknown), else_=known)
        newest = since
        named: list[int] = []
        for compound in self._run.compounds:
            for recent in (
                EventRow.corrected_time >= since,
                and_(IS_LATE, EventRow.received_at >= since),
            ):
                query = select(EventRow.received_at, RAW_BODY).where(
                    EventRow.compound == compound, recent, EventRow.received_at >= cutoff, HAS_PICTURES
                )
                for received_at, body in session.execute(query.execution_options(yield_per=_PAGE)):
                    newest = max(newest, received_at)
                    named += (int(one, 16) for one in _NAMED.findall(body))
        self._since = newest - _OVERLAP
        return named
