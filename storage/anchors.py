"""The anchor: how far the audit log had come, kept where the database's own user cannot reach.

A chain of hashes does not show that its last rows were cut off. The anchor is a file beside
the keys with the newest row's number and hash, under a keyed hash of the ring. What was
anchored can be neither removed nor written anew without being noticed; what came since the
last anchor can, so the keeper writes one every few seconds.
"""

import datetime as dt
import enum
import hmac
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import secretfile
from storage.audit import AuditCheckpoint, AuditRow
from storage.columns import to_microseconds
from storage.database import Database
from storage.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Anchor:
    """The newest row at a moment; `seal` is a keyed hash over the rest."""

    seq: int
    row_hash: str
    at: dt.datetime
    seal: str


class AnchorState(enum.StrEnum):
    """What comparing the log with its anchor says."""

    HOLDS = "holds"
    MISSING = "missing"  # no anchor was written yet, or it was removed
    FORGED = "forged"  # the file was not written with this ring
    CUT = "cut"  # the anchored row is not in the log, or is another one


class AnchorError(Exception):
    """The log no longer holds what the anchor says; the anchor was left as it is."""

    def __init__(self, state: AnchorState) -> None:
        super().__init__(f"audit anchor: {state}")
        self.state = state


def write(database: Database, path: Path, ring: KeyRing, at: dt.datetime) -> Anchor | None:
    """Anchors the newest row; None while the log is empty. Durable when it returns.

    Raises `AnchorError` where the earlier anchor does not hold: a new one would bury the
    evidence.
    """
    with database.read() as session:
        state = _compare(session, path, ring)
        if state not in {AnchorState.HOLDS, AnchorState.MISSING}:
            raise AnchorError(state)
        newest = session.execute(
            select(AuditRow.seq, AuditRow.row_hash).order_by(AuditRow.seq.desc()).limit(1)
        ).first()
    if newest is None:
        return None
    earlier = _read(path)
    if earlier is not None and earlier.seq >= newest.seq:
        return earlier
    anchor = Anchor(newest.seq, newest.row_hash, at, _seal(ring, newest.seq, newest.row_hash, at))
    secretfile.replace(path, msgspec.json.encode(anchor).decode())
    return anchor


def check(database: Database, path: Path, ring: KeyRing) -> AnchorState:
    """Compares the log with its anchor."""
    with database.read() as session:
        return _compare(session, path, ring)


def _compare(session: Session, path: Path, ring: KeyRing) -> AnchorState:
    if not path.exists():
        return AnchorState.MISSING
    anchor = _read(path)
    if anchor is None or not hmac.compare_digest(
        anchor.seal, _seal(ring, anchor.seq, anchor.row_hash, anchor.at)
    ):
        return AnchorState.FORGED
    # A cut at the old end may have taken the anchored row, and then its hash is the checkpoint's
    # or was before it.
    through = session.scalar(
        select(AuditCheckpoint.through_seq).order_by(AuditCheckpoint.through_seq.desc()).limit(1)
    )
    if through is not None and anchor.seq < through:
        return AnchorState.HOLDS
    query = select(AuditRow.row_hash).where(AuditRow.seq == anchor.seq)
    if through == anchor.seq:
        query = select(AuditCheckpoint.row_hash).where(AuditCheckpoint.through_seq == through)
    return AnchorState.HOLDS if session.scalar(query) == anchor.row_hash else AnchorState.CUT


def _read(path: Path) -> Anchor | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Anchor)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _seal(ring: KeyRing, seq: int, row_hash: str, at: dt.datetime) -> str:
    return ring.fingerprint("audit anchor", f"{seq}\x1f{row_hash}\x1f{to_microseconds(at)}")
