"""Why somebody looks at data of a person: said with every look, kept in the audit log."""

import datetime as dt
import enum
from dataclasses import dataclass

from sqlalchemy.orm import Session

from console.accounts.models import User
from storage.audit import AuditEntry, append
from storage.tenancy import bound_to


class Purpose(enum.StrEnum):
    """What a look may be for."""

    INCIDENT_HANDLING = "incident_handling"
    MONITORING = "monitoring"
    REGISTRY_MAINTENANCE = "registry_maintenance"
    RESIDENT_REQUEST = "resident_request"  # PIPL art. 45: the person asks for their own data
    REVIEW = "review"
    OFFICIAL_REQUEST = "official_request"


@dataclass(frozen=True, slots=True)
class Look:
    """One look: `subject` is a kind and an id, `detail` holds codes and counts."""

    action: str
    purpose: Purpose
    subject: str
    detail: str = ""


def note_look(session: Session, at: dt.datetime, user: User, look: Look) -> None:
    """Writes a look into the audit chain; it commits with the answer or there is no answer."""
    append(
        session,
        at,
        AuditEntry(
            user.id,
            str(user.role),
            look.action,
            look.purpose,
            look.subject,
            look.detail,
            bound_to(session),
        ),
    )
