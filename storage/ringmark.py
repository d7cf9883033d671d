"""The ring's mark: by which a database and a ring of keys know that they belong together.

A database that was restored without its keys, or a key folder of another deployment, would
start without a word: new rows are sealed with the ring that is there, old ones no longer
open, and looking up by keyed hash finds nobody. So the first start leaves a keyed hash in
the database that only this ring can make; its oldest key makes it, which no rotation takes away.
"""

import datetime as dt
import enum
import hmac
import secrets

from sqlalchemy import Integer, String, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base
from storage.columns import UtcTime
from storage.database import Database
from storage.keys import KeyRing

_ONLY = 1
_PURPOSE = "ring mark"


class RingMark(Base):
    """One row. `seal` is the keyed hash of `nonce`, both hexadecimal."""

    __tablename__ = "ring_marks"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    nonce: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str] = mapped_column(String(64))


class MarkState(enum.StrEnum):
    """What comparing a database with a ring says."""

    HOLDS = "holds"
    MISSING = "missing"  # never started since there are marks
    FOREIGN = "foreign"  # another ring has made it


class ForeignRingError(Exception):
    """The ring of keys is not the one that this database was written with; nothing may start."""

    def __init__(self, made_at: dt.datetime) -> None:
        super().__init__(
            "the keys do not belong to this database: it was written with another key ring, marked "
            f"{made_at:%Y-%m-%d %H:%M}Z. Put back that deployment's key folder, or name the database that "
            "these keys belong to; after a restore, take keys and archive from the same folder"
        )
        self.made_at = made_at


def ensure(database: Database, ring: KeyRing, at: dt.datetime) -> None:
    """Compares, and leaves the mark where there is none yet. Raises `ForeignRingError`.

    Nothing happens on a schema from before there were marks.
    """
    if not inspect(database.engine).has_table(RingMark.__tablename__):
        return
    with database.read() as session:
        missing = _compare(session, ring)[0] is MarkState.MISSING
    if missing:
        nonce = secrets.token_hex(16)
        try:
            with database.write() as session:
                session.add(
                    RingMark(id=_ONLY, made_at=at, nonce=nonce, seal=ring.fingerprint(_PURPOSE, nonce))
                )
        except IntegrityError:
            # Another process was first; whose ring it has is looked at below.
            pass
    with database.read() as session:
        state, mark = _compare(session, ring)
        if state is MarkState.FOREIGN and mark is not None:
            raise ForeignRingError(mark.made_at)


def check(database: Database, ring: KeyRing) -> MarkState:
    """Compares a database with a ring; changes nothing. Raises what the database raises."""
    with database.read() as session:
        return _compare(session, ring)[0]


def _compare(session: Session, ring: KeyRing) -> tuple[MarkState, RingMark | None]:
    mark = session.scalars(select(RingMark).where(RingMark.id == _ONLY)).first()
    if mark is None:
        return MarkState.MISSING, None
    holds = hmac.compare_digest(mark.seal, ring.fingerprint(_PURPOSE, mark.nonce))
    return (MarkState.HOLDS if holds else MarkState.FOREIGN), mark
