"""The audit log: append-only, each row chained to the one before it by its hash.

Every look-up of a person, every export, manual opening and decision on an incident
lands here: who, in which role, for what purpose, on which subject. Rows carry
references, never names.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass

import msgspec
from sqlalchemy import BigInteger, Integer, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base
from storage.columns import UtcTime, to_microseconds

GENESIS = "0" * 64
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
    """The sequence number of the first broken row, or None when the chain holds."""
    previous, expected = GENESIS, 1
    for row in session.scalars(select(AuditRow).order_by(AuditRow.seq)):
        if row.seq != expected or row.previous_hash != previous or row.row_hash != _hash(row):
            return row.seq
        previous, expected = row.row_hash, row.seq + 1
    return None


def _hash(row: AuditRow) -> str:
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
