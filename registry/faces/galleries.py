"""Which running processes hold a gallery in memory, and how old their copy is.

A gallery that somebody was erased from must be gone from every memory within a minute
(L-02). Nobody can reach into another process, so each says what it holds, and one that has
said nothing for a minute is taken for gone.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from registry.faces.models import GalleryHolder

GONE_AFTER: Final = dt.timedelta(seconds=60)
"""After this silence a holder no longer counts; six times the pause between two reports."""


def report(session: Session, worker: str, compound: str, revision: int, at: dt.datetime) -> None:
    """A process says which revision it holds; the first time it is entered."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    held = {"revision": revision, "seen_at": at}
    session.execute(
        dialect.insert(GalleryHolder)
        .values(worker=worker, compound=compound, **held)
        .on_conflict_do_update(index_elements=["worker", "compound"], set_=held)
    )


def leave(session: Session, worker: str) -> None:
    """A process has ended and holds nothing any more."""
    session.execute(delete(GalleryHolder).where(GalleryHolder.worker == worker))


def holders(session: Session, compound: str, at: dt.datetime) -> Sequence[GalleryHolder]:
    """Whoever holds the compound's gallery now."""
    return session.scalars(
        select(GalleryHolder)
        .where(GalleryHolder.compound == compound, GalleryHolder.seen_at > at - GONE_AFTER)
        .order_by(GalleryHolder.worker)
    ).all()


def clear_away(session: Session, at: dt.datetime) -> None:
    """Forgets processes that were killed a day ago or longer."""
    session.execute(delete(GalleryHolder).where(GalleryHolder.seen_at < at - dt.timedelta(days=1)))
