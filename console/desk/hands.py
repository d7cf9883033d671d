"""Who has which incident open, and who is deciding about it: so that two operators see each other's hands.

Each open page says every few seconds what it has open. The rows are the same for any number of console
processes; a page that is closed or loses its line is gone half a minute later. It is told, never enforced:
whoever presses a button nevertheless is not hindered by it (the incident's version is the guard).
"""

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from console.accounts.models import User
from storage import Base, OwnedByCompound, UtcTime

GONE_AFTER: Final = dt.timedelta(seconds=30)
"""A page that has said nothing for so long is not there any more."""

_WRITE_EVERY: Final = dt.timedelta(seconds=10)
_FORGET_AFTER: Final = dt.timedelta(minutes=5)


class Doing(enum.StrEnum):
    """What somebody does with an incident."""

    LOOKING = "looking"
    # Has chosen or typed something that is not sent yet.
    DECIDING = "deciding"


class Hand(OwnedByCompound, Base):
    """One open page with an incident on it. `id` is the page's own, made by the browser."""

    __tablename__ = "desk_hands"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    doing: Mapped[str] = mapped_column(String(16))
    seen_at: Mapped[dt.datetime] = mapped_column(UtcTime, index=True)


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody else who has an incident open."""

    name: str
    doing: Doing


def due(row: Hand | None, user_id: str, incident: str, doing: Doing, now: dt.datetime) -> bool:
    """Whether what a page says has to be written: it is something else than before, or long ago."""
    if row is None or row.user_id != user_id:
        return True
    old = not dt.timedelta() <= now - row.seen_at < _WRITE_EVERY
    return old or (row.incident, row.doing) != (incident, str(doing))


def put(
    session: Session, compound: str, page: str, user_id: str, incident: str, doing: Doing, now: dt.datetime
) -> None:
    """Writes down what a page has open. A page's id that is another user's is left alone."""
    row = session.get(Hand, page)
    if row is None:
        row = Hand(id=page, compound=compound, user_id=user_id)
        session.add(row)
    elif row.user_id != user_id or row.compound != compound:
        return
    row.incident, row.doing, row.seen_at = incident, str(doing), now


def let_go(session: Session, page: str, user_id: str) -> None:
    """A page that has nothing open any more."""
    session.execute(delete(Hand).where(Hand.id == page, Hand.user_id == user_id))


def others(session: Session, compound: str, user_id: str, now: dt.datetime) -> Mapping[str, Sequence[Seen]]:
    """By incident: everybody but the reader, who decides before who looks, each person once."""
    rows = session.execute(
        select(Hand.incident, Hand.doing, User.name)
        .join(User, User.id == Hand.user_id)
        .where(Hand.compound == compound, Hand.user_id != user_id, Hand.seen_at > now - GONE_AFTER)
        .order_by(Hand.incident, Hand.doing, User.name, Hand.id)
    )
    found: defaultdict[str, dict[str, Seen]] = defaultdict(dict)
    for row in rows:
        found[row.incident].setdefault(row.name, Seen(row.name, Doing(row.doing)))
    return {incident: tuple(by_name.values()) for incident, by_name in found.items()}


def forget(session: Session, now: dt.datetime) -> int:
    """Deletes what pages left behind; returns how many."""
    gone = session.execute(delete(Hand).where(Hand.seen_at < now - _FORGET_AFTER).returning(Hand.id)).all()
    return len(gone)
