"""What people ask about their own data, and by when it must be answered (L-16, PIPL art. 44–50).

What somebody wants corrected is personal data itself: it is sealed with the person's key.
"""

import base64
import datetime as dt
import enum
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from privacy.models import RequestKind, RequestState, SubjectRequest
from registry.days import time_zone
from registry.errors import MissingError, RefusedError
from registry.models import Person
from storage import new_id
from storage.vault import current_vault, open_bytes

WORKING_DAYS: Final = 15
"""To answer in. Monday to Friday: a public holiday would only give us longer than we take."""

_FIELD: Final = "request"
_SATURDAY: Final = 5


class Correctable(enum.StrEnum):
    """What a person may say is wrong."""

    NAME = "name"
    PHONE = "phone"
    ID_NUMBER = "id_number"
    HOUSEHOLD = "household"
    RESIDENCE = "residence"
    VEHICLE = "vehicle"
    OTHER = "other"


def due_at(received_at: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The end of the 15th working day after the day of receipt, in the compound's own days."""
    day, left = received_at.astimezone(zone).date(), WORKING_DAYS
    while left:
        day += dt.timedelta(days=1)
        left -= day.weekday() < _SATURDAY
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
    return midnight.astimezone(dt.UTC)


def receive(
    session: Session,
    person: Person,
    kind: RequestKind,
    *,
    at: dt.datetime,
    by: str,
    what: Correctable | None = None,
    old: str | None = None,
    new: str | None = None,
) -> SubjectRequest:
    """Takes a request in. A correction says `what` is wrong, as it stands (`old`) and should be (`new`).

    Raises `RefusedError` (`person_erased`, `correction_unclear`, `request_open` where the
    same kind is open already).
    """
    if person.erased_at is not None:
        raise RefusedError("person_erased")
    detail: dict[str, Any] = {}
    if kind is RequestKind.CORRECTION:
        if what is None or not new:
            raise RefusedError("correction_unclear")
        content = msgspec.json.encode({"old": old, "new": new})
        sealed = current_vault().seal(person.id, _FIELD, content)
        detail = {"what": what, "sealed": base64.b64encode(sealed).decode()}
    elif _open_one(session, person, kind) is not None:
        raise RefusedError("request_open")
    row = SubjectRequest(
        id=new_id(),
        compound=person.compound,
        person=person.id,
        kind=kind,
        state=RequestState.OPEN,
        received_at=at,
        due_at=due_at(at, time_zone(session, person.compound)),
        received_by=by,
        detail=detail,
    )
    session.add(row)
    session.flush()
    return row


def find(session: Session, compound: str, request_id: str) -> SubjectRequest:
    """One request, locked until the transaction ends. Raises `MissingError`."""
    row = session.scalars(
        select(SubjectRequest)
        .where(SubjectRequest.id == request_id, SubjectRequest.compound == compound)
        .with_for_update()
    ).first()
    if row is None:
        raise MissingError("request")
    return row


def close(
    session: Session,
    compound: str,
    request_id: str,
    state: RequestState,
    *,
    at: dt.datetime,
    reason: str = "",
) -> SubjectRequest:
    """Ends a request as done or refused; `reason` is a code, needed for a refusal.

    Raises `MissingError` and `RefusedError` (`request_closed`, `reason_required`).
    """
    row = find(session, compound, request_id)
    if row.state != RequestState.OPEN:
        raise RefusedError("request_closed")
    if state is RequestState.OPEN or (state is RequestState.REFUSED and not reason):
        raise RefusedError("reason_required")
    row.state = state
    row.closed_at = at
    if reason:
        row.detail = {**row.detail, "reason": reason}
    session.flush()
    return row


def overdue(at: dt.datetime) -> ColumnElement[bool]:
    """The condition on `SubjectRequest` that it should have been answered by now."""
    return (SubjectRequest.state == RequestState.OPEN) & (SubjectRequest.due_at <= at)


def correction(row: SubjectRequest) -> dict[str, str | None] | None:
    """What was and what should be (`old`, `new`); None without a correction, or once it is erased."""
    sealed = row.detail.get("sealed")
    plain = open_bytes(row.person, _FIELD, base64.b64decode(sealed)) if sealed else None
    if plain is None:
        return None
    asked: dict[str, str | None] = msgspec.json.decode(plain)
    return asked


def _open_one(session: Session, person: Person, kind: RequestKind) -> str | None:
    return session.scalar(
        select(SubjectRequest.id)
        .where(
            SubjectRequest.person == person.id,
            SubjectRequest.kind == kind,
            SubjectRequest.state == RequestState.OPEN,
        )
        .limit(1)
    )
