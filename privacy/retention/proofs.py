"""Proof of deletion: written in the transaction that deletes, so neither is there without the other."""

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from privacy.models import DeletionProof
from storage import new_id


def digest(ids: Iterable[str]) -> str:
    """SHA-256 over the sorted ids, each followed by a newline: whoever has the ids can check it."""
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(ids)).encode()).hexdigest()


def proof_row(
    run: str,
    retention_class: str,
    compound: str | None,
    cutoff: dt.datetime,
    ids: Iterable[str],
    at: dt.datetime,
) -> dict[str, Any]:
    """A proof's columns."""
    gone = sorted(ids)
    return {
        "id": new_id(),
        "compound": compound,
        "run": run,
        "retention_class": retention_class,
        "cutoff": cutoff,
        "count": len(gone),
        "digest": digest(gone),
        "at": at,
    }


def prove(
    session: Session,
    run: str,
    retention_class: str,
    compound: str | None,
    cutoff: dt.datetime,
    ids: Iterable[str],
    at: dt.datetime,
) -> None:
    """Notes that a batch went."""
    row = proof_row(run, retention_class, compound, cutoff, ids, at)
    session.execute(insert(DeletionProof), [row])


def proved_through(session: Session, retention_class: str, compound: str) -> dt.datetime | None:
    """Up to when a class that goes in order of time has been dealt with."""
    return session.scalar(
        select(func.max(DeletionProof.cutoff)).where(
            DeletionProof.compound == compound, DeletionProof.retention_class == retention_class
        )
    )
