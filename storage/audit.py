"""The audit log: append-only, each row chained to the one before it by its hash.

Every look-up of a person, every export, manual opening and decision on an incident
lands here: who, in which role, for what purpose, on which subject. Rows carry
references, never names.

The database itself refuses to change or delete a row (triggers of migration 0003). Whoever
may drop a trigger is found by the chain, and whoever cuts off its end by the anchor, which
lies outside the database (`storage.anchors`).
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Index, Integer, Row, String, Text, delete, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base
from storage.columns import UtcTime, to_microseconds

GENESIS = "0" * 64
# A migration that lets Alembic rebuild `audit` on SQLite has to make these again.
GUARDS: Final = frozenset({"audit_no_update", "audit_no_delete", "audit_no_replace"})
_STREAM: Final = 1000
# Any number that nothing else locks: "audit" in ASCII.
_CHAIN_LOCK = 0x6175646974


class AuditRow(Base):
    __tablename__ = "audit"

    # Given by us, not by the database: a gap in the sequence is evidence of a deletion.
    seq: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    actor: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(128), index=True)
    detail: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str] = mapped_column(String(64))
    # Unique: two writers cannot both extend the same end of the chain.
    row_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # Whose auditors may see the row; None: the deployment's. Part of the hash where it is set.
    compound: Mapped[str | None] = mapped_column(String(64), index=True)

    # Whoever oversees asks by who, what and what for, the newest first.
    __table_args__ = (
        Index("ix_audit_actor", "actor", "seq"),
        Index("ix_audit_action", "action", "seq"),
        Index("ix_audit_purpose", "purpose", "seq"),
    )


class AuditCheckpoint(Base):
    """Up to which row the log was cut off when its time was over, and that row's hash.

    The chain goes on from here; without a checkpoint a missing row is a broken chain.
    """

    __tablename__ = "audit_checkpoints"

    through_seq: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    row_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What is to be recorded; `detail` holds codes and counts, no personal data."""

    actor: str
    role: str
    action: str
    purpose: str
    subject: str
    detail: str = ""
    compound: str | None = None


def append(session: Session, at: dt.datetime, entry: AuditEntry) -> AuditRow:
    """Adds an entry to the chain inside the running transaction."""
    if session.get_bind().dialect.name == "postgresql":
        # SQLite has one writer at a time; here two would extend the same end of the chain.
        session.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    last = session.execute(
        select(AuditRow.seq, AuditRow.row_hash).order_by(AuditRow.seq.desc()).limit(1)
    ).first()
    seq, previous = (last.seq + 1, last.row_hash) if last else (1, GENESIS)
    row = AuditRow(
        seq=seq,
        at=at,
        actor=entry.actor,
        role=entry.role,
        action=entry.action,
        purpose=entry.purpose,
        subject=entry.subject,
        detail=entry.detail,
        compound=entry.compound,
        previous_hash=previous,
        row_hash="",
    )
    row.row_hash = _hash(row)
    session.add(row)
    session.flush()
    return row


def verify(session: Session) -> int | None:
    """The sequence number of the first broken row, or None when the chain holds.

    It begins after the last checkpoint. Rows come in batches, so the length does not matter.
    """
    begin = _checkpoint(session)
    through, previous = (begin.through_seq, begin.row_hash) if begin else (0, GENESIS)
    expected = through + 1
    rows = session.execute(
        select(*AuditRow.__table__.c)
        .where(AuditRow.seq > through)
        .order_by(AuditRow.seq)
        .execution_options(yield_per=_STREAM)
    )
    for row in rows:
        if row.seq != expected or row.previous_hash != previous or row.row_hash != _hash(row):
            return int(row.seq)
        previous, expected = row.row_hash, row.seq + 1
    # Cutting off leaves the last row where it is: a checkpoint without rows has lost them.
    return expected if begin and expected == through + 1 else None


def cut_off(session: Session, before: dt.datetime, at: dt.datetime, *, limit: int = 50_000) -> int:
    """Removes the oldest rows, those from before a moment, and leaves a checkpoint in their place.

    At most `limit` rows, so call it again until it returns 0; each call is a transaction's
    worth. The newest row always stays, and the cut is a row of the log itself.
    """
    first = session.scalar(select(func.min(AuditRow.seq)))
    last = session.scalar(select(func.max(AuditRow.seq)))
    if first is None or last is None:
        return 0
    # The first row that has to stay, not the last that may go: clocks have been set back before.
    staying = session.scalar(select(func.min(AuditRow.seq)).where(AuditRow.at >= before)) or last
    through = min(staying - 1, first + limit - 1)
    row_hash = session.scalar(select(AuditRow.row_hash).where(AuditRow.seq == through))
    if row_hash is None:
        return 0
    session.add(AuditCheckpoint(through_seq=through, row_hash=row_hash, at=at))
    session.flush()
    gone = session.execute(
        delete(AuditRow).where(AuditRow.seq <= through), execution_options={"synchronize_session": False}
    ).rowcount  # type: ignore[attr-defined]
    append(
        session,
        at,
        AuditEntry("keeper", "system", "audit.cut_off", "retention", f"audit:{through}", f"{gone} rows"),
    )
    return int(gone)


def unguarded(session: Session) -> frozenset[str]:
    """Which of the triggers that keep the log append-only are missing from the database."""
    if session.get_bind().dialect.name == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit'::regclass AND tgenabled <> 'D'"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
    return GUARDS - set(session.scalars(text(query)))


def _checkpoint(session: Session) -> AuditCheckpoint | None:
    return session.scalars(
        select(AuditCheckpoint).order_by(AuditCheckpoint.through_seq.desc()).limit(1)
    ).first()


def _hash(row: AuditRow | Row[Any]) -> str:
    fields = [
        row.seq,
        to_microseconds(row.at),
        row.actor,
        row.role,
        row.action,
        row.purpose,
        row.subject,
        row.detail,
        row.previous_hash,
    ]
    if row.compound is not None:
        # Rows from before there was this column keep the hash they have.
        fields.append(row.compound)
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()
