"""What every change of duty has in common: it is held while it is made, and audited."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.actor import Actor
from registry.models import Compound
from storage import audit
from storage.audit import AuditEntry

PURPOSE = "monitoring"


def hold(session: Session, compound: str) -> None:
    """Nobody else changes the compound's duty until this transaction ends; SQLite has one writer anyway."""
    session.execute(select(Compound.id).where(Compound.id == compound).with_for_update())


def mark(
    session: Session, compound: str, by: Actor, at: dt.datetime, action: str, subject: str, detail: str = ""
) -> None:
    """A line of the audit log, in the transaction of what it tells."""
    audit.append(session, at, AuditEntry(by.id, by.role, action, PURPOSE, subject, detail, compound))
