"""Which process does the work of a role that only one may do: by a lease in the database.

A holder prolongs its lease each second; where it dies, another takes the role over when the lease
has run out. Each holder has an epoch of its own: one that slept while another took over finds the
epoch gone, and what it asks `hold` or `check` for in its transaction is not written.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Integer, String, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base
from storage.clock import Clock
from storage.columns import UtcTime

TTL: Final = dt.timedelta(seconds=2.5)
"""How long a holder is believed to live after its last word. Shorter takes a process that pauses
for dead, and its work is begun anew; longer leaves the work undone for as long."""

# Where the clock that leases are measured by was set back, one that a dead holder has left would
# last until the clock is there again.
_BEYOND: Final = 2 * TTL


class RoleLease(Base):
    """One row a role, and where a role has several instances (an MQTT session each), one an instance."""

    __tablename__ = "role_leases"

    role: Mapped[str] = mapped_column(String(32), primary_key=True)
    instance: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(96))
    epoch: Mapped[int] = mapped_column(Integer)
    until: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Who would take it over, and until when that one is believed to live: a holder that cannot do
    # its work gives it up where somebody is there who may be able to.
    waiting: Mapped[str | None] = mapped_column(String(96))
    waiting_until: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class RoleLostError(Exception):
    """Another process has the role by now: nothing that this one says may be written."""

    def __init__(self, role: str, epoch: int) -> None:
        super().__init__(f"epoch {epoch} of {role} is over")
        self.role = role
        self.epoch = epoch


@dataclass(frozen=True, slots=True)
class Claim:
    """What is held by one process at a time."""

    role: str
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim that a process has, under an epoch that no other has had."""

    claim: Claim
    holder: str
    epoch: int


Fence = Callable[[Session], None]
"""Called in a transaction before it writes; raises `RoleLostError` where the role is another's by now."""


def unfenced(session: Session) -> None:
    """For whoever works alone: tests, benches, commands."""
    del session


TellTime = Callable[[Session], dt.datetime]


def database_time(clock: Clock) -> TellTime:
    """What all holders measure leases by: the database's clock, or this machine's for a file on it."""

    def tell(session: Session) -> dt.datetime:
        if session.get_bind().dialect.name != "postgresql":
            return clock.now()
        return cast("dt.datetime", session.scalar(select(func.clock_timestamp())))

    return tell


def standing(session: Session, claims: Iterable[Claim]) -> dict[Claim, RoleLease]:
    """The rows of these claims, of those that have ever been held."""
    wanted = set(claims)
    rows = session.scalars(select(RoleLease).where(RoleLease.role.in_({one.role for one in wanted})))
    found = {Claim(row.role, row.instance): row for row in rows}
    return {claim: row for claim, row in found.items() if claim in wanted}


def is_free(row: RoleLease | None, now: dt.datetime) -> bool:
    """Whether nobody has it: never held, run out, or from a clock that was set back since."""
    return row is None or row.until <= now or row.until > now + _BEYOND


def acquire(
    session: Session,
    claim: Claim,
    holder: str,
    now: dt.datetime,
    is_gone: Callable[[str], bool] = lambda _holder: False,
) -> Lease | None:
    """Takes what nobody holds; None where somebody does, or is just taking it.

    `is_gone` says whether a holder is known to be dead, so that nobody waits for its lease to run out.
    """
    if claim not in standing(session, [claim]):
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(
            insert(RoleLease)
            .values(role=claim.role, instance=claim.instance, holder="", epoch=0, until=now - TTL)
            .on_conflict_do_nothing(index_elements=["role", "instance"])
        )
    row = session.scalars(
        select(RoleLease)
        .where(RoleLease.role == claim.role, RoleLease.instance == claim.instance)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None or not (is_free(row, now) or is_gone(row.holder)):
        return None
    row.holder, row.epoch, row.until = holder, row.epoch + 1, now + TTL
    if row.waiting == holder:
        row.waiting = row.waiting_until = None
    session.flush()
    return Lease(claim, holder, row.epoch)


def is_to_be_told(row: RoleLease, holder: str, now: dt.datetime) -> bool:
    """Whether `wait` has something to say: nobody else says it, and the last word is old."""
    if row.waiting_until is None or row.waiting_until > now + _BEYOND:
        return True
    return row.waiting_until - now < (TTL / 2 if row.waiting == holder else dt.timedelta(0))


def wait(session: Session, claim: Claim, holder: str, now: dt.datetime) -> None:
    """Says that somebody would take it over; of several that wait one is enough."""
    row = session.scalars(
        select(RoleLease)
        .where(RoleLease.role == claim.role, RoleLease.instance == claim.instance)
        # Whoever has the row is about to say something newer.
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is not None and is_to_be_told(row, holder, now):
        row.waiting, row.waiting_until = holder, now + TTL
        session.flush()


def is_awaited(row: RoleLease, now: dt.datetime) -> bool:
    """Whether another process would take it over."""
    return row.waiting_until is not None and now < row.waiting_until <= now + _BEYOND


def renew(session: Session, leases: Iterable[Lease], now: dt.datetime) -> set[Lease]:
    """Prolongs what a process holds; returns what it does hold still."""
    return {lease for lease in leases if _changes(session, lease, until=now + TTL)}


def release(session: Session, lease: Lease, now: dt.datetime) -> None:
    """Gives it up: whoever looks next takes it."""
    _changes(session, lease, until=now)


def hold(session: Session, lease: Lease) -> None:
    """Keeps others off until the transaction ends. Raises `RoleLostError` where another has it."""
    if not _changes(session, lease, holder=lease.holder):
        raise RoleLostError(lease.claim.role, lease.epoch)


def check(session: Session, lease: Lease) -> None:
    """Looks, and locks nothing: for work whose rows are unique by themselves and that comes often.

    Who sleeps between this look and the commit loses the transaction (PostgreSQL ends it, SQLite
    lets nobody take over before it is over). Raises `RoleLostError`.
    """
    held = session.scalar(
        select(RoleLease.epoch).where(
            RoleLease.role == lease.claim.role, RoleLease.instance == lease.claim.instance
        )
    )
    if held != lease.epoch:
        raise RoleLostError(lease.claim.role, lease.epoch)


def _changes(session: Session, lease: Lease, **values: Any) -> bool:
    done = session.execute(
        update(RoleLease)
        .where(
            RoleLease.role == lease.claim.role,
            RoleLease.instance == lease.claim.instance,
            RoleLease.holder == lease.holder,
            RoleLease.epoch == lease.epoch,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", done).rowcount == 1
