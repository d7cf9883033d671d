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

OFTEN: Final = dt.timedelta(seconds=10)
NOTED_EVERY: Final = dt.timedelta(minutes=1)


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


class Keeper:
    """A process's own: it knows when it last looked, so that a round with nothing to do costs no commit.

    A round that comes often notes its turn where it did something, and now and then; two processes that both
    look and find nothing do no harm.
    """

    def __init__(
        self,
        database: Database,
        rounds: Sequence[Round],
        now: Callable[[], dt.datetime],
        failed: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self._database = database
        self._rounds = rounds
        self._now = now
        self._failed = failed
        self._looked: dict[str, dt.datetime] = {}

    def keep(self) -> int:
        """Does the rounds that are due, each in a commit of its own; returns how many things they did."""
        done = 0
        for one in self._due(self._now()):
            try:
                done += self._turn(one, self._now())
            except Exception:
                self._failed(one.name)
                log.exception("alerts.round_failed", round=one.name)
        return done

    def _due(self, now: dt.datetime) -> list[Round]:
        """Those whose turn it is; takes no turn of a writer."""
        mine = [one for one in self._rounds if _is_over(self._looked.get(one.name), one, now)]
        if not mine:
            return []
        with self._database.read() as session:
            turns = {row.name: row for row in session.scalars(select(RoundTurn))}
            return [one for one in mine if _is_due(turns.get(one.name), one, now)]

    def _turn(self, one: Round, now: dt.datetime) -> int:
        with self._database.write() as session:
            turn = session.get(RoundTurn, one.name, with_for_update={"skip_locked": True})
            if turn is None:
                turn = _begun(session, one, now)
                if turn is None:
                    return 0
            elif not _is_due(turn, one, now):
                return 0
            done = one.do(session, now)
            if done or one.every >= OFTEN or _is_old(turn, now) or turn.version != one.version:
                turn.version, turn.at = one.version, now
        self._looked[one.name] = now
        return done


def keep(
    database: Database,
    rounds: Sequence[Round],
    now: Callable[[], dt.datetime],
    failed: Callable[[str], None] = lambda _name: None,
) -> int:
    """Does the rounds that are due, once; returns how many things they did."""
    return Keeper(database, rounds, now, failed).keep()


def _begun(session: Session, one: Round, now: dt.datetime) -> RoundTurn | None:
    """The row of a round that never was; None where somebody else has the turn at this moment."""
    if session.scalar(select(RoundTurn.version).where(RoundTurn.name == one.name)) is not None:
        return None
    try:
        with session.begin_nested():
            turn = RoundTurn(name=one.name, version=one.version, at=now)
            session.add(turn)
    except IntegrityError:
        return None
    return turn


def _is_due(turn: RoundTurn | None, one: Round, now: dt.datetime) -> bool:
    if turn is None:
        return True
    return turn.version <= one.version and _is_over(turn.at, one, now)


def _is_over(last: dt.datetime | None, one: Round, now: dt.datetime) -> bool:
    return last is None or last + one.every <= now or last > now + SET_BACK


def _is_old(turn: RoundTurn, now: dt.datetime) -> bool:
    return not now - NOTED_EVERY < turn.at <= now + SET_BACK
