"""Work that comes back with time: what is due, who has not answered, what is missing tomorrow.

Each round has a name, a version and a turn of its own. Any number of processes may keep them: a round's
turn is a row, taken in the commit of its work, so that it is done once when it is due. A process whose
version of a round is older than one that has run leaves it to the newer; the other rounds go on.

Failure policy: *fail open*. A round that fails is counted, logged and tried again at its next turn.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Integer, String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage import Base, Database, UtcTime

log = structlog.get_logger(__name__)

SET_BACK: Final = dt.timedelta(seconds=5)
"""A turn dated further ahead than this was taken before the clock was set back: it counts for nothing."""


class RoundTurn(Base):
    """When a round was last done, and by which version of it."""

    __tablename__ = "round_turns"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    at: Mapped[dt.datetime] = mapped_column(UtcTime)


@dataclass(frozen=True, slots=True)
class Round:
    """`do` gets a session and the time, and returns how many things it did."""

    name: str
    every: dt.timedelta
    do: Callable[[Session, dt.datetime], int]
    version: int = 1


def due(database: Database, rounds: Sequence[Round], now: dt.datetime) -> list[Round]:
    """Those whose turn it is; takes no turn of a writer."""
    with database.read() as session:
        turns = {row.name: row for row in session.scalars(select(RoundTurn))}
        return [one for one in rounds if _is_due(turns.get(one.name), one, now)]


def keep(
    database: Database,
    rounds: Sequence[Round],
    now: Callable[[], dt.datetime],
    failed: Callable[[str], None] = lambda _name: None,
) -> int:
    """Does the rounds that are due, each in a commit of its own; returns how many things they did."""
    done = 0
    for one in due(database, rounds, now()):
        try:
            done += _keep(database, one, now())
        except Exception:
            failed(one.name)
            log.exception("alerts.round_failed", round=one.name)
    return done


def _keep(database: Database, one: Round, now: dt.datetime) -> int:
    with database.write() as session:
        turn = session.get(RoundTurn, one.name, with_for_update={"skip_locked": True})
        if turn is None:
            if session.scalar(select(RoundTurn.version).where(RoundTurn.name == one.name)) is not None:
                # Somebody else's turn, at this moment.
                return 0
            try:
                with session.begin_nested():
                    turn = RoundTurn(name=one.name, version=one.version, at=now)
                    session.add(turn)
            except IntegrityError:
                return 0
        elif not _is_due(turn, one, now):
            return 0
        turn.version, turn.at = one.version, now
        return one.do(session, now)


def _is_due(turn: RoundTurn | None, one: Round, now: dt.datetime) -> bool:
    if turn is None:
        return True
    if turn.version > one.version:
        return False
    return turn.at + one.every <= now or turn.at > now + SET_BACK
