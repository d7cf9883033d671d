"""How a gallery in memory learns of changes: a number a compound, and what came or went with it.

The number is counted up in the transaction of the change itself, whose row it locks until the
commit. So numbers become visible in their order: whoever has read number N can read every
change up to N.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from registry.faces.models import FaceTemplate, GalleryChange, GalleryRevision
from storage import SystemClock

KEPT: Final = dt.timedelta(days=1)
"""How long changes can be followed; a process that slept longer reads its gallery anew."""

_ALL: Final = ""
_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Changes:
    """Templates that came or whose person's facts changed, and templates that went.

    An id stands in one of the two only: what was last said of it.
    """

    changed: frozenset[str]
    removed: frozenset[str]


def tell(session: Session, compound: str, *, changed: Sequence[str] = (), removed: Sequence[str] = ()) -> int:
    """Counts up the compound's revision, with what changed; without a word of it, everything may have.

    Returns the new revision. The compound's other writers wait for this transaction to end.
    """
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    revision: int = session.scalars(
        dialect.insert(GalleryRevision)
        .values(compound=compound, revision=1)
        .on_conflict_do_update(index_elements=["compound"], set_={"revision": GalleryRevision.revision + 1})
        .returning(GalleryRevision.revision)
    ).one()
    told = [(template, False) for template in changed] + [(template, True) for template in removed]
    if not told or len(told) > _MOST:
        told = [(_ALL, False)]
    session.execute(
        insert(GalleryChange),
        [
            {
                "compound": compound,
                "revision": revision,
                "template": template,
                "removed": gone,
                # By the machine's own clock: it serves nothing but the clearing away.
                "at": SystemClock().now(),
            }
            for template, gone in told
        ],
    )
    return revision


def tell_of_people(session: Session, compound: str, people: Collection[str]) -> None:
    """The same for people whose household or age has changed; nothing where none has a template."""
    if len(people) > _MOST:
        tell(session, compound)
        return
    found = session.scalars(select(FaceTemplate.id).where(FaceTemplate.person.in_(people))).all()
    if found:
        tell(session, compound, changed=found)


def current(session: Session, compound: str) -> int:
    """How many changes the compound's gallery has seen; 0 before the first."""
    return session.scalar(select(GalleryRevision.revision).where(GalleryRevision.compound == compound)) or 0


def since(session: Session, compound: str, held: int, now: int) -> Changes | None:
    """What changed after one revision up to another; None where the gallery must be read anew.

    That is so where somebody said so, and where a revision between has no row any more: it was
    cleared away, or the revision was counted up without a word, as a restored backup does.
    """
    among = (
        GalleryChange.compound == compound,
        GalleryChange.revision > held,
        GalleryChange.revision <= now,
    )
    if now < held or session.scalar(select(func.count(GalleryChange.revision.distinct())).where(*among)) != (
        now - held
    ):
        return None
    told = session.execute(
        select(GalleryChange.template, GalleryChange.removed).where(*among).order_by(GalleryChange.revision)
    )
    # The last word on a template stays.
    last: dict[str, bool] = {template: removed for template, removed in told}  # noqa: C416 - rows, not pairs
    if _ALL in last:
        return None
    return Changes(
        frozenset(template for template, removed in last.items() if not removed),
        frozenset(template for template, removed in last.items() if removed),
    )


def clear_away(session: Session, at: dt.datetime) -> int:
    """Forgets changes that every process has followed long ago; returns how many rows."""
    gone = session.execute(delete(GalleryChange).where(GalleryChange.at < at - KEPT))
    return int(getattr(gone, "rowcount", 0))
