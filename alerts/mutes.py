"""Mutes: a rule silenced for a place and a time. Each has an author, a reason and an end."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.incidents.actor import Actor
from alerts.rulebook.current import current
from alerts.rulebook.tables import MUTE_LONGEST, REASON_LONGEST
from alerts.rulebook.versions import PURPOSE, ground
from alerts.rules import RULES, Mute
from registry import rows
from registry.errors import RefusedError
from storage import Base, OwnedByCompound, UtcTime, audit, new_id
from storage.audit import AuditEntry


class RuleMute(OwnedByCompound, Base):
    """A maintenance window or the like; `place` is a lane, device or zone, None for all."""

    __tablename__ = "rule_mutes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64), index=True)
    rule: Mapped[str] = mapped_column(String(16))
    place: Mapped[str | None] = mapped_column(String(64))
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    author: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    # person, plate, pass …; None for all.
    subject_kind: Mapped[str | None] = mapped_column(String(16))
    # Ended before its end.
    lifted_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    lifted_by: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (CheckConstraint("ends_at > starts_at", name="ends"),)


def in_force(session: Session, compound: str, since: dt.datetime) -> list[Mute]:
    """Mutes that have not ended before `since`, those of the rules file among them.

    One that was lifted holds until then: what it kept silent stays silent.
    """
    kept = session.scalars(select(RuleMute).where(RuleMute.compound == compound, RuleMute.ends_at > since))
    found = [
        Mute(
            row.rule,
            row.place,
            row.starts_at,
            min(row.ends_at, row.lifted_at or row.ends_at),
            row.subject_kind,
        )
        for row in kept
    ]
    written = [one.mute for one in current(session, compound, since).mutes]
    return [mute for mute in (*found, *written) if mute.ends_at > max(since, mute.starts_at)]


def listed(session: Session, compound: str, at: dt.datetime, *, ended: bool = False) -> Sequence[RuleMute]:
    """Mutes that hold or will, the next to end first; with `ended` also those that are over."""
    query = select(RuleMute).where(RuleMute.compound == compound)
    if not ended:
        query = query.where(RuleMute.ends_at > at, RuleMute.lifted_at.is_(None))
    return session.scalars(query.order_by(RuleMute.ends_at, RuleMute.id)).all()


def make(session: Session, compound: str, mute: Mute, reason: str, by: Actor, at: dt.datetime) -> RuleMute:
    """Silences a rule, audited.

    Raises `RefusedError`: unknown_rule, safety_rule (fire, SOS, duress are never silenced),
    unknown_place, reason_required, mute_empty, mute_too_long, mute_over.
    """
    rule = next((known for known in RULES if known.id == mute.rule), None)
    if rule is None:
        raise RefusedError("unknown_rule")
    if rule.safety:
        raise RefusedError("safety_rule", rule=rule.id)
    if mute.place is not None and mute.place not in ground(session, compound).places:
        raise RefusedError("unknown_place")
    if not reason.strip():
        raise RefusedError("reason_required")
    if mute.ends_at <= mute.starts_at:
        raise RefusedError("mute_empty")
    if mute.ends_at - mute.starts_at > MUTE_LONGEST:
        raise RefusedError("mute_too_long", days=MUTE_LONGEST.days)
    if mute.ends_at <= at:
        raise RefusedError("mute_over")
    row = RuleMute(
        id=new_id(),
        compound=compound,
        rule=mute.rule,
        place=mute.place,
        # What was said already was said: nobody silences the past.
        starts_at=max(at, mute.starts_at),
        ends_at=mute.ends_at,
        author=by.id,
        reason=reason.strip()[:REASON_LONGEST],
        subject_kind=mute.subject_kind,
    )
    session.add(row)
    session.flush()
    _note(session, row, "rule.muted", by, at)
    return row


def lift(session: Session, compound: str, mute_id: str, by: Actor, at: dt.datetime) -> RuleMute:
    """Ends a mute before its time. Raises `MissingError`, `RefusedError("mute_over")`."""
    rows.lock(session, RuleMute, compound, [mute_id], "mute")
    row = rows.find(session, RuleMute, compound, mute_id, "mute")
    if row.lifted_at is not None or row.ends_at <= at:
        raise RefusedError("mute_over")
    row.lifted_at, row.lifted_by = at, by.id
    session.flush()
    _note(session, row, "rule.unmuted", by, at)
    return row


def _note(session: Session, row: RuleMute, action: str, by: Actor, at: dt.datetime) -> None:
    detail = f"{row.rule} {row.place or 'everywhere'} until {row.ends_at.isoformat(timespec='minutes')}"
    entry = AuditEntry(by.id, by.role, action, PURPOSE, f"rule_mute:{row.id}", detail, row.compound)
    audit.append(session, at, entry)
