"""Where a person's cards and codes were shown: found through the keyed hash, event by event."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.credentials.issuing import ref_key
from registry.errors import RefusedError
from registry.models import Credential, CredentialKind
from storage.events import EventRow

LONGEST: Final = dt.timedelta(days=2)
"""No index knows what was shown at a reader, so the readers' events of so long are read at the most."""
_SHOWN: Final = ("access.granted", "access.denied", "access.duress")
_KINDS: Final = frozenset(CredentialKind)


def shown(session: Session, compound: str, person: str, start: dt.datetime, end: dt.datetime) -> list[str]:
    """Events at which a credential of the person was shown; nothing of a span longer than `LONGEST`."""
    if end - start > LONGEST:
        return []
    keys = set(
        session.scalars(
            select(Credential.ref_key).where(Credential.compound == compound, Credential.person == person)
        )
    )
    if not keys:
        return []
    rows = session.execute(
        select(EventRow.id, EventRow.body).where(
            EventRow.compound == compound,
            EventRow.corrected_time >= start,
            EventRow.corrected_time < end,
            EventRow.type.in_(_SHOWN),
        )
    )
    return [row.id for row in rows if _key(compound, row.body) in keys]


def _key(compound: str, body: Mapping[str, Any]) -> str | None:
    used = body.get("credential") or {}
    kind, ref = used.get("kind"), used.get("ref")
    if kind not in _KINDS or not isinstance(ref, str):
        return None
    try:
        return ref_key(compound, CredentialKind(kind), ref)
    except RefusedError:
        return None
