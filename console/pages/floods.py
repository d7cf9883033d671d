"""What a device sent too much of: counted by ingest and told as an event, not kept."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.events import EventRow

SHOWN: Final = dt.timedelta(days=1)
"""How far back the page of a device tells of floods."""


def dropped(session: Session, device_id: str, now: dt.datetime) -> Mapping[str, int]:
    """Event type → how many were counted and not kept lately, most first."""
    faults = session.scalars(
        select(EventRow.body).where(
            EventRow.device_id == device_id,
            EventRow.corrected_time > now - SHOWN,
            EventRow.type == "device.fault",
        )
    )
    found: Counter[str] = Counter()
    for body in faults:
        said = body.get("attributes") or {}
        if said.get("cause") == "flooding":
            found.update(said.get("suppressed") or {})
    return dict(found.most_common())
