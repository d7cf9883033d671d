"""The one picture that those who go may need to see: why, for how long, and for nobody after (L-20)."""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.models import UNDER_WAY, Dispatch, TaskPicture
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import UNDECIDED, State
from alerts.incidents.models import Evidence, Incident
from alerts.incidents.record import announce, load
from registry.errors import RefusedError
from storage import audit
from storage.events import EventRow

LONGEST: Final = dt.timedelta(hours=2)


class PictureGoneError(LookupError):
    """There is no picture (any more): it ran out, it is over, or nobody said that it is needed."""


def flag(
    session: Session,
    incident_id: str,
    media_id: str,
    reason: str,
    lasts: dt.timedelta,
    actor: Actor,
    at: dt.datetime,
) -> TaskPicture:
    """Says that a picture of an incident is needed by those who go there, and why; audited.

    Raises `RefusedError`: `reason_required`, `picture_not_of_incident`, `picture_too_long`,
    `picture_not_now` where it is not confirmed, or over.
    """
    incident = load(session, incident_id)
    state = State(incident.state)
    if not state.grows or state in UNDECIDED:
        raise RefusedError("picture_not_now")
    if not reason.strip():
        raise RefusedError("reason_required")
    if not dt.timedelta(0) < lasts <= LONGEST:
        raise RefusedError("picture_too_long")
    if media_id not in pictures_of(session, incident):
        raise RefusedError("picture_not_of_incident")
    row = session.get(TaskPicture, incident.id)
    if row is None:
        row = TaskPicture(incident=incident.id, compound=incident.compound)
        session.add(row)
    row.media_id, row.flagged_by, row.flagged_at = media_id, actor.id, at
    row.reason, row.expires_at = reason.strip(), at + lasts
    session.flush()
    _note(session, incident, actor, "incident.picture_shown", media_id, at)
    return row


def take_back(session: Session, incident_id: str, actor: Actor, at: dt.datetime) -> bool:
    """Nobody sees it from now on. Whether there was one."""
    incident = load(session, incident_id)
    row = session.get(TaskPicture, incident.id)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    _note(session, incident, actor, "incident.picture_taken_back", row.media_id, at)
    return True


def of_dispatch(session: Session, dispatch: Dispatch, at: dt.datetime) -> TaskPicture:
    """The picture that the responder of a dispatch may see now. Raises `PictureGoneError`."""
    row = session.get(TaskPicture, dispatch.incident)
    incident = session.get(Incident, dispatch.incident)
    if row is None or incident is None or row.expires_at <= at:
        raise PictureGoneError
    if dispatch.state not in UNDER_WAY or not State(incident.state).grows:
        raise PictureGoneError
    return row


def pictures_of(session: Session, incident: Incident) -> list[str]:
    """The pictures that an incident stands on, by media id, each once."""
    rows = session.scalars(select(Evidence.event_ids).where(Evidence.incident == incident.id))
    events = list(dict.fromkeys(event for row in rows for event in row))
    bodies = session.scalars(
        select(EventRow.body).where(EventRow.id.in_(events)).order_by(EventRow.corrected_time)
    )
    found = [
        str(picture["media_id"])
        for body in bodies
        for picture in body.get("pictures") or ()
        if isinstance(picture, dict) and picture.get("media_id")
    ]
    return list(dict.fromkeys(found))


def _note(
    session: Session, incident: Incident, actor: Actor, action: str, media_id: str, at: dt.datetime
) -> None:
    # The phones that show it look again.
    incident.version += 1
    announce(session, incident, at)
    entry = audit.AuditEntry(
        actor.id, actor.role, action, "incident_handling", incident.id, f"media:{media_id}"
    )
    audit.append(session, at, entry)
