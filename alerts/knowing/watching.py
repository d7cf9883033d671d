"""Watch-list entries, joined to whom or what they look for while they were in force."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.knowing.asking import rows
from alerts.rules import WatchHit
from registry.models import WatchlistEntry, WatchlistSubject

_Period = tuple[dt.datetime, dt.datetime, WatchHit]


class Watching:
    """Entries of one compound by their subject, each subject read once."""

    def __init__(self, session: Session, compound: str) -> None:
        self.session = session
        self._compound = compound
        self._entries: dict[tuple[WatchlistSubject, str], list[_Period]] = {}

    def learn(self, subjects: Mapping[WatchlistSubject, Collection[str]]) -> None:
        """Reads the entries for subjects that are not known yet: one statement a kind."""
        for kind, ids in subjects.items():
            self._learn(kind, {one for one in ids if (kind, one) not in self._entries})

    def _learn(self, kind: WatchlistSubject, new: Collection[str]) -> None:
        found: defaultdict[str, list[_Period]] = defaultdict(list)
        for row in rows(
            self.session,
            new,
            lambda some: (
                select(
                    WatchlistEntry.subject,
                    WatchlistEntry.id,
                    WatchlistEntry.rings,
                    WatchlistEntry.priority,
                    WatchlistEntry.starts_at,
                    WatchlistEntry.ends_at,
                    WatchlistEntry.lifted_at,
                )
                .where(
                    WatchlistEntry.compound == self._compound,
                    WatchlistEntry.subject_kind == kind,
                    WatchlistEntry.subject.in_(some),
                )
                .order_by(WatchlistEntry.id)
            ),
        ):
            ends = row.ends_at if row.lifted_at is None else min(row.ends_at, row.lifted_at)
            hit = WatchHit(row.id, frozenset(str(ring) for ring in row.rings), row.priority)
            found[row.subject].append((row.starts_at, ends, hit))
        for one in new:
            self._entries[kind, one] = found.get(one, [])

    def hits(self, kind: WatchlistSubject, subjects: Iterable[str], at: dt.datetime) -> tuple[WatchHit, ...]:
        """Entries in force for subjects that were learnt, from their first moment to before their last."""
        return tuple(
            hit
            for subject in subjects
            for starts, ends, hit in self._entries.get((kind, subject), ())
            if starts <= at < ends
        )
