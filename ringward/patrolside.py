"""Patrols with time: rounds are planned, told and closed, and what readers report becomes visits."""

import datetime as dt
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.patrols import keeping, readers
from alerts.rounds import Round
from console.accounts.models import User
from registry.credentials.issuing import ref_key
from registry.credentials.models import Credential, CredentialKind, CredentialStatus
from registry.errors import RefusedError


def _keep(session: Session, now: dt.datetime) -> int:
    # What was said in time counts before the round is closed.
    return readers.take(session, now, walker) + keeping.keep(session, now)


ROUND: Final = Round("patrols", dt.timedelta(seconds=5), _keep)


def walker(session: Session, compound: str, body: dict[str, Any]) -> str | None:
    """The responder whose credential was held before a reader: by way of the person and their account."""
    shown = body.get("credential") or {}
    kind, ref = shown.get("kind"), shown.get("ref")
    if not isinstance(kind, str) or not isinstance(ref, str):
        return None
    try:
        key = ref_key(compound, CredentialKind(kind), ref)
    except (RefusedError, ValueError):
        return None
    return session.scalar(
        select(User.responder_id)
        .join(Credential, Credential.person == User.person_id)
        .where(
            Credential.compound == compound,
            Credential.ref_key == key,
            Credential.status == CredentialStatus.ACTIVE,
            User.responder_id.is_not(None),
        )
        .limit(1)
    )
