"""Making, annotating and signing hand-overs. What was signed stays what it was: a digest says so."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.handover import rules
from alerts.handover.facts import gather
from alerts.handover.models import Handover, HandoverEntry, HandoverSignature
from alerts.handover.rules import EntryKind, Side
from alerts.handover.sealing import digest, sealed
from alerts.incidents.actor import Actor
from alerts.notify.asking import answered
from alerts.notify.models import Purpose
from registry import rows
from registry.errors import RefusedError
from storage import audit, new_id
from storage.audit import AuditEntry, AuditRow

PURPOSE = "hand_over"
MOST_CHARACTERS = 4000
_SHIFT = dt.timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Whole:
    """A hand-over with who signed and what was written on it.

    `stands` is false where its facts or notes are no longer those that the audit log has the digest of.
    `to_sign` is the digest of what somebody who signs now would sign.
    """

    row: Handover
    signatures: dict[Side, HandoverSignature]
    entries: Sequence[HandoverEntry]
    to_sign: str
    stands: bool


def make(
    session: Session,
    compound: str,
    by: Actor,
    at: dt.datetime,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> Handover | None:
    """Freezes the shift that ends at `until` (now where it is not said), audited.

    None where the end of this shift was handed over already. Without `since` it goes on from the last
    one, at most eight hours back.
    """
    end = until or at
    known = select(Handover.id).where(Handover.compound == compound, Handover.until == end)
    if session.scalar(known) is not None:
        return None
    begin = since or _since(session, compound, end)
    facts = gather(session, compound, begin, end)
    row = Handover(
        id=new_id(),
        compound=compound,
        since=begin,
        until=end,
        made_at=at,
        made_by=by.id,
        facts=facts,
        digest=digest(facts),
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return None
    _note(session, row, "handover.made", by, at, row.digest)
    return row


def _since(session: Session, compound: str, end: dt.datetime) -> dt.datetime:
    last = session.scalar(
        select(Handover.until)
        .where(Handover.compound == compound, Handover.until < end)
        .order_by(Handover.until.desc())
        .limit(1)
    )
    return max(end - _SHIFT, last) if last is not None else end - _SHIFT


def whole(session: Session, row: Handover) -> Whole:
    """Everything of a hand-over, and whether it stands as it was signed."""
    signatures = {
        Side(one.side): one
        for one in session.scalars(select(HandoverSignature).where(HandoverSignature.handover == row.id))
    }
    entries = session.scalars(
        select(HandoverEntry)
        .where(HandoverEntry.handover == row.id)
        .order_by(HandoverEntry.at, HandoverEntry.id)
    ).all()
    seal = _seal(row, entries)
    return Whole(row, signatures, entries, row.sealed or seal, _stands(session, row, entries, seal))


def _seal(row: Handover, entries: Sequence[HandoverEntry]) -> str:
    notes = sorted((one.id, one.digest) for one in entries if one.kind == EntryKind.NOTE)
    return sealed(row.facts, notes)


def _stands(session: Session, row: Handover, entries: Sequence[HandoverEntry], seal: str) -> bool:
    """The audit log, which nobody can change unseen, has the digests of the facts, the texts and the seal.

    Of a text from which a name was struck out it has the one before and the one after.
    """
    said = set(session.scalars(select(AuditRow.detail).where(AuditRow.subject == f"handover:{row.id}")).all())
    if digest(row.facts) != row.digest or row.digest not in said:
        return False
    if any({one.digest, digest(one.text)} - said for one in entries):
        return False
    return row.sealed is None or (row.sealed == seal and row.sealed in said)


def sign(
    session: Session,
    compound: str,
    handover_id: str,
    side: Side,
    by: Actor,
    at: dt.datetime,
    *,
    responder: str | None = None,
    seen: str | None = None,
) -> Whole:
    """Signs one side, audited; `seen` is the digest of what the signer was shown.

    Raises `MissingError`, `RefusedError`: the codes of `rules.refused`, `handover_changed` (a note came
    in between) and `handover_broken` (it is no longer what was generated).
    """
    row = _held(session, compound, handover_id)
    now = whole(session, row)
    if not now.stands:
        raise RefusedError("handover_broken")
    signed = {one: signature.user for one, signature in now.signatures.items()}
    code = rules.refused(
        side, by.id, responder, signed, row.facts.get("outgoing", ()), row.facts.get("incoming", ())
    )
    if code is not None:
        raise RefusedError(code)
    if seen is not None and seen != now.to_sign:
        raise RefusedError("handover_changed")
    if row.sealed is None:
        row.sealed, row.sealed_at = now.to_sign, at
    signature = HandoverSignature(
        handover=row.id,
        side=side,
        compound=compound,
        user=by.id,
        responder=responder,
        role=by.role,
        digest=row.sealed,
        at=at,
    )
    try:
        with session.begin_nested():
            session.add(signature)
    except IntegrityError:
        raise RefusedError("handover_signed") from None
    _note(session, row, f"handover.signed_{side}", by, at, row.sealed)
    if responder is not None:
        answered(session, at, responder=responder, purposes=[Purpose.HANDOVER])
    return whole(session, row)


def write(
    session: Session,
    compound: str,
    handover_id: str,
    text: str,
    by: Actor,
    at: dt.datetime,
    *,
    side: Side | None = None,
    disagrees: bool = False,
) -> HandoverEntry:
    """Keeps a text, audited by its digest: a note before anybody signed, an addendum after, a disagreement
    at any time. Raises `MissingError`, `RefusedError`: handover_text (empty or too long).
    """
    row = _held(session, compound, handover_id)
    if not text.strip() or len(text) > MOST_CHARACTERS:
        raise RefusedError("handover_text")
    entry = HandoverEntry(
        id=new_id(),
        handover=row.id,
        compound=compound,
        kind=rules.kind_of(signed=row.sealed is not None, disagrees=disagrees),
        side=side,
        author=by.id,
        role=by.role,
        text=text.strip(),
        digest=digest(text.strip()),
        at=at,
    )
    session.add(entry)
    session.flush()
    _note(session, row, f"handover.{entry.kind}", by, at, entry.digest)
    return entry


def listed(session: Session, compound: str, limit: int = 60) -> Sequence[Handover]:
    """The newest first."""
    return session.scalars(
        select(Handover)
        .where(Handover.compound == compound)
        .order_by(Handover.until.desc(), Handover.id)
        .limit(limit)
    ).all()


def _held(session: Session, compound: str, handover_id: str) -> Handover:
    rows.lock(session, Handover, compound, [handover_id], "handover")
    return rows.find(session, Handover, compound, handover_id, "handover")


def _note(session: Session, row: Handover, action: str, by: Actor, at: dt.datetime, detail: str) -> None:
    entry = AuditEntry(by.id, by.role, action, PURPOSE, f"handover:{row.id}", detail, row.compound)
    audit.append(session, at, entry)
