"""The pictures of an incident: what cameras saw, and the reference that it is compared with."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from console.pages.asking import Question
from console.pages.places import Names
from console.pages.readings import Reading
from registry.models import FaceTemplate
from storage.events import EventRow

_MAX_PICTURES: Final = 4


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture and where it comes from."""

    media_id: str
    role: str
    at: dt.datetime
    device: str


def pictures(events: Sequence[EventRow], names: Names) -> tuple[Shot, ...]:
    """Faces first, then plates and the rest: what has to be compared stands in front."""
    order = {"face": 0, "plate": 1, "vehicle": 2, "body": 3, "scene": 4}
    shots = [
        Shot(
            str(picture["media_id"]),
            str(picture.get("role", "")),
            event.corrected_time,
            names.device(event.device_id),
        )
        for event in events
        for picture in event.body.get("pictures") or ()
        if isinstance(picture, dict) and picture.get("media_id")
    ]
    return tuple(sorted(shots, key=lambda shot: order.get(shot.role, 5))[:_MAX_PICTURES])


def compared_with(incident: Incident, asked: Question | None, deciding: Reading | None) -> str | None:
    """Whose reference stands beside the picture: whom the incident is about, or the question."""
    if incident.subject_kind == "person" and incident.subject:
        return incident.subject
    return deciding.person_id if asked and deciding and asked.whom == "person" else None


def enrolled(session: Session, person: str | None) -> Shot | None:
    if person is None:
        return None
    row = session.execute(
        select(FaceTemplate.media_id, FaceTemplate.created_at)
        .where(FaceTemplate.person == person, FaceTemplate.media_id.is_not(None))
        .order_by(FaceTemplate.created_at.desc())
        .limit(1)
    ).first()
    return Shot(row.media_id or "", "face", row.created_at, "") if row else None
