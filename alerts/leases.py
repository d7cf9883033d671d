"""Who evaluates a compound's rules: one process at a time, another within seconds where it dies.

What a holder writes it writes under its epoch, in the same transaction: one that slept while
another took over finds the epoch gone, and writes nothing. The row also says how far the holder
had come, so that the next one goes on from there.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    CursorResult,
    Integer,
    String,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.sharing import Member
from storage import Base, Clock, OwnedByCompound, UtcTime
from storage.columns import JsonText

TTL: Final = dt.timedelta(seconds=2.5)
"""How long a holder is believed to live after its last word. Shorter takes a process that pauses
for dead, which costs a restore; longer leaves a compound without rules for as long."""

KEEPS_UP: Final = dt.timedelta(seconds=2)
"""Whose time lies back no further than this is prolonged together with the others."""

AT_ONCE: Final = 500
"""Leases in one statement: it has three values for each, and SQLite takes some thousands."""

_T = TypeVar("_T")


# No lease is prolonged further than this: one that says so is from a clock that was set back since, and would
# last until the clock is there again.
_BEYOND: Final = 2 * TTL


class AlertLease(OwnedByCompound, Base):
    """One row a compound. `epoch` counts its holders: a holder that slept is known by an old one."""

    __tablename__ = "alert_leases"

    compound: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    epoch: Mapped[int] = mapped_column(Integer)
    until: Mapped[dt.datetime] = mapped_column(UtcTime)
    # How far it has come: everything up to this place of the bus's stream was handled, and
    # everything that was due before this moment was answered.
    position: Mapped[int | None] = mapped_column(BigInteger)
    # Which stream that is: one that was made anew counts from one again.
    stream: Mapped[str | None] = mapped_column(String(64))
    advanced_to: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class AlertEvaluator(Base):
    """A process that can evaluate rules, whether or not it has a compound: shares are made by heads."""

    __tablename__ = "alert_evaluators"

    holder: Mapped[str] = mapped_column(String(64), primary_key=True)
    until: Mapped[dt.datetime] = mapped_column(UtcTime)
    # The compounds that it is for; None for any.
    only: Mapped[list[str] | None] = mapped_column(JsonText)


class LeaseLostError(Exception):
    """Another process evaluates the compound by now: nothing that this one says may be written."""

    def __init__(self, compound: str, epoch: int) -> None:
        super().__init__(f"epoch {epoch} of {compound} is over")
        self.compound = compound
        self.epoch = epoch


@dataclass(frozen=True, slots=True)
class Come:
    """How far a holder has come: what it handled, and up to when it answered what was due."""

    position: int | None = None
    stream: str | None = None
    advanced_to: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A compound that this process evaluates, and how far its last holder had come."""

    compound: str
    holder: str
    epoch: int
    come: Come = Come()


TellTime = Callable[[Session], dt.datetime]


def database_time(clock: Clock) -> TellTime:
    """What all holders measure leases by: the database's clock, or this machine's for a file on it."""

    def tell(session: Session) -> dt.datetime:
        if session.get_bind().dialect.name != "postgresql":
            return clock.now()
        return cast("dt.datetime", session.scalar(select(func.clock_timestamp())))

    return tell


def attend(session: Session, member: Member, now: dt.datetime) -> None:
    """Says that a process is there, and forgets those that are not."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"until": now + TTL, "only": sorted(member.only) if member.only is not None else None}
    session.execute(
        insert(AlertEvaluator)
        .values(holder=member.holder, **values)
        .on_conflict_do_update(index_elements=["holder"], set_=values)
    )
    session.execute(
        delete(AlertEvaluator).where(
            or_(AlertEvaluator.until < now - 10 * TTL, AlertEvaluator.until > now + _BEYOND)
        )
    )


def leave(session: Session, holder: str) -> None:
    """Says that a process is gone."""
    session.execute(delete(AlertEvaluator).where(AlertEvaluator.holder == holder))


def members(session: Session, now: dt.datetime) -> list[Member]:
    """The processes that are there."""
    rows = session.scalars(
        select(AlertEvaluator)
        .where(AlertEvaluator.until > now, AlertEvaluator.until <= now + _BEYOND)
        .order_by(AlertEvaluator.holder)
    )
    return [Member(row.holder, None if row.only is None else frozenset(row.only)) for row in rows]


def held(session: Session, now: dt.datetime) -> dict[str, str]:
    """Compound → who holds it, of those that somebody holds."""
    rows = session.execute(
        select(AlertLease.compound, AlertLease.holder).where(
            AlertLease.until > now, AlertLease.until <= now + _BEYOND
        )
    )
    return {row.compound: row.holder for row in rows}


def acquire(session: Session, compound: str, holder: str, now: dt.datetime) -> Lease | None:
    """Takes a compound that nobody holds; None where somebody does."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(AlertLease)
        .values(compound=compound, holder="", epoch=0, until=now - TTL)
        .on_conflict_do_nothing(index_elements=["compound"])
    )
    row = session.scalars(
        select(AlertLease)
        .where(AlertLease.compound == compound)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if now < row.until <= now + _BEYOND:
        return None
    row.holder, row.epoch, row.until = holder, row.epoch + 1, now + TTL
    session.flush()
    return Lease(compound, holder, row.epoch, Come(row.position, row.stream, row.advanced_to))


def renew(session: Session, held: Iterable[tuple[Lease, Come]], now: dt.datetime) -> set[str]:
    """Prolongs what a process holds, and says how far it has come; returns what it does hold still.

    A `Come` without a position leaves the one that stands. Those of which no more is to be said than how
    far time has come go in a few statements together, however many they are: as far as the last of those
    that keep up, which is never further than any of them, and never back.
    """
    kept: set[str] = set()
    still: list[Lease] = []
    level: list[tuple[Lease, dt.datetime]] = []
    for lease, come in held:
        if come.position is None and come.advanced_to is None:
            still.append(lease)
        elif come.position is None and come.advanced_to is not None and now - come.advanced_to < KEEPS_UP:
            level.append((lease, come.advanced_to))
        elif _changes(session, lease, {"until": now + TTL} | _known(come)):
            kept.add(lease.compound)
    for part in batched(still, AT_ONCE):
        kept |= _prolong(session, part, {"until": now + TTL})
    greatest = func.greatest if session.get_bind().dialect.name == "postgresql" else func.max
    for some in batched(level, AT_ONCE):
        least = literal(min(reached for _, reached in some), UtcTime)
        reached = func.coalesce(greatest(AlertLease.advanced_to, least), least)
        kept |= _prolong(session, [lease for lease, _ in some], {"until": now + TTL, "advanced_to": reached})
    return kept


def _prolong(session: Session, leases: Sequence[Lease], values: Mapping[str, Any]) -> set[str]:
    """The same for all of these at once; the compounds of those that hold still."""
    mine = tuple_(AlertLease.compound, AlertLease.holder, AlertLease.epoch)
    return set(
        session.scalars(
            update(AlertLease)
            .where(mine.in_([(lease.compound, lease.holder, lease.epoch) for lease in leases]))
            .values(**values)
            .returning(AlertLease.compound)
            .execution_options(synchronize_session=False)
        )
    )


def release(session: Session, lease: Lease, now: dt.datetime) -> None:
    """Gives a compound up: whoever looks next takes it."""
    _changes(session, lease, {"until": now})


def hold(session: Session, lease: Lease, come: Come) -> None:
    """Says how far the holder has come, and keeps others off until the transaction ends.

    Raises `LeaseLostError` where another one is the holder: with it goes all that was to be written.
    """
    if not _changes(session, lease, _known(come) or {"holder": lease.holder}):
        raise LeaseLostError(lease.compound, lease.epoch)


def _known(come: Come) -> dict[str, Any]:
    values = {"position": come.position, "stream": come.stream, "advanced_to": come.advanced_to}
    return {name: value for name, value in values.items() if value is not None}


def _changes(session: Session, lease: Lease, values: Mapping[str, Any]) -> bool:
    done = session.execute(
        update(AlertLease)
        .where(
            AlertLease.compound == lease.compound,
            AlertLease.holder == lease.holder,
            AlertLease.epoch == lease.epoch,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", done).rowcount == 1


def batched(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Stretches of at most `size`, in their order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
