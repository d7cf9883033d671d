"""The versions of a compound's rules file: kept as written, numbered, never changed.

The highest number is in force. Going back to an old file makes a new version with the old text:
what was in force when can always be said, and each incident names the number it came from.
"""

import datetime as dt
import difflib
import hashlib
from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.incidents.actor import Actor
from alerts.rulebook.file import Reading, load
from alerts.rulebook.findings import Finding
from alerts.rulebook.ground import Ground
from alerts.rulebook.models import RuleVersion
from devices.models import Device
from registry.days import time_zone
from registry.errors import MissingError, StaleEditError
from registry.models import Zone
from storage import audit, new_id
from storage.audit import AuditEntry

log = structlog.get_logger(__name__)

NOTE_LONGEST: Final = 200
PURPOSE: Final = "monitoring"


class BadRulesError(Exception):
    """A rules file has errors: it is not taken in, what was in force stays so."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{sum(one.error for one in findings)} errors")
        self.findings = tuple(findings)


def newest(session: Session, compound: str) -> RuleVersion | None:
    """What is in force; None where the compound has never set anything."""
    return session.scalars(
        select(RuleVersion)
        .where(RuleVersion.compound == compound)
        .order_by(RuleVersion.number.desc())
        .limit(1)
    ).one_or_none()


def numbered(session: Session, compound: str, number: int) -> RuleVersion:
    """Raises `MissingError("rule_version")`."""
    row = session.scalars(
        select(RuleVersion).where(RuleVersion.compound == compound, RuleVersion.number == number)
    ).one_or_none()
    if row is None:
        raise MissingError("rule_version")
    return row


def history(session: Session, compound: str) -> Sequence[RuleVersion]:
    """All versions, newest first."""
    return session.scalars(
        select(RuleVersion).where(RuleVersion.compound == compound).order_by(RuleVersion.number.desc())
    ).all()


def check(session: Session, compound: str, text: str) -> Reading:
    """What a text says in this compound, and what is wrong with it."""
    return load(text, ground(session, compound), time_zone(session, compound))


def keep(
    session: Session,
    compound: str,
    text: str,
    by: Actor,
    at: dt.datetime,
    *,
    note: str | None = None,
    since: int | None = None,
) -> tuple[RuleVersion, bool]:
    """Takes a text in as the next version, audited; whether it is new: the same text again is not.

    `since` is the number that the writer started from (0 for none): where another has come between,
    nothing is taken in. Raises `BadRulesError`, `StaleEditError`.
    """
    last = newest(session, compound)
    number = last.number if last is not None else 0
    if since is not None and since != number:
        raise StaleEditError(number)
    reading = check(session, compound, text)
    if reading.errors:
        raise BadRulesError(reading.findings)
    digest = digest_of(text)
    if last is not None and last.digest == digest:
        return last, False
    row = RuleVersion(
        id=new_id(),
        compound=compound,
        number=number + 1,
        text=text,
        digest=digest,
        author=by.id,
        at=at,
        note=note[:NOTE_LONGEST] if note else None,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        # Two saved at once: the number is the database's to give.
        raise StaleEditError(number + 1) from None
    audit.append(
        session,
        at,
        AuditEntry(
            by.id,
            by.role,
            "rules.changed",
            PURPOSE,
            f"rules:{compound}",
            f"version {row.number} {digest[:12]}",
            compound,
        ),
    )
    log.info("rules.changed", compound=compound, version=row.number)
    return row, True


def difference(old: RuleVersion, new: RuleVersion) -> str:
    """What one version has changed against another, as a unified diff."""
    return diff(old.text, new.text, f"version {old.number}", f"version {new.number}")


def diff(old: str, new: str, was: str = "", now: str = "") -> str:
    """What a text has changed against another, as a unified diff."""
    return "\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), was, now, lineterm=""))


def digest_of(text: str) -> str:
    """SHA-256 of the text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def ground(session: Session, compound: str) -> Ground:
    """The zones, devices and lanes of a compound that a file may name."""
    zones = session.execute(select(Zone.id, Zone.ring).where(Zone.compound == compound))
    devices = session.execute(
        select(Device.id, Device.lane).where(Device.compound == compound, Device.retired_at.is_(None))
    ).all()
    return Ground(
        {row.id: str(row.ring) for row in zones},
        frozenset(row.id for row in devices),
        frozenset(row.lane for row in devices if row.lane),
    )
