"""Disclosures (L-18): what is handed to the police or others, by a document and a second person's word.

A disclosure has a scope (one plate, person, zone or incident) and a window of time that is
over: who wants to be told of what is still to come needs a watch-list entry.
"""

import datetime as dt
import enum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from privacy.models import Disclosure, DisclosureState
from registry import plates
from registry.errors import MissingError, RefusedError
from registry.models import Person, Zone
from storage import new_id

LONGEST: Final = dt.timedelta(days=92)
"""Of a window. A longer one is a diary of somebody's life, not a matter."""

DELIVERABLE: Final = dt.timedelta(days=30)
"""How long after the approval something may be delivered; then the document is asked for again."""


class DisclosureScope(enum.StrEnum):
    """What a disclosure is about."""

    PLATE = "plate"
    PERSON = "person"
    ZONE = "zone"
    INCIDENT = "incident"


def request(
    session: Session,
    compound: str,
    kind: DisclosureScope,
    subject: str,
    *,
    requester_org: str,
    document_no: str,
    reason: str,
    from_at: dt.datetime,
    to_at: dt.datetime,
    applicant: str,
    at: dt.datetime,
) -> Disclosure:
    """Notes what is asked for. Raises `MissingError` and `RefusedError` (`disclosure_window`,
    `disclosure_too_long`, `disclosure_future`, `plate_malformed`).
    """
    if to_at <= from_at:
        raise RefusedError("disclosure_window")
    if to_at - from_at > LONGEST:
        raise RefusedError("disclosure_too_long", longest_days=LONGEST.days)
    if to_at > at:
        raise RefusedError("disclosure_future")
    disclosure = Disclosure(
        id=new_id(),
        compound=compound,
        requester_org=requester_org,
        document_no=document_no,
        reason=reason,
        scope={"kind": kind, "id": _known(session, compound, kind, subject)},
        from_at=from_at,
        to_at=to_at,
        applicant=applicant,
        applied_at=at,
        state=DisclosureState.PENDING,
    )
    session.add(disclosure)
    session.flush()
    return disclosure


def decide(
    session: Session, compound: str, disclosure_id: str, *, approve: bool, approver: str, at: dt.datetime
) -> Disclosure:
    """Another person's word. Raises `MissingError`; `RefusedError` (`two_people`, `disclosure_decided`)."""
    disclosure = find(session, compound, disclosure_id, lock=True)
    if disclosure.state != DisclosureState.PENDING:
        raise RefusedError("disclosure_decided", state=str(disclosure.state))
    if approver == disclosure.applicant:
        raise RefusedError("two_people")
    disclosure.state = DisclosureState.APPROVED if approve else DisclosureState.REFUSED
    disclosure.approver, disclosure.decided_at = approver, at
    session.flush()
    return disclosure


def window(
    disclosure: Disclosure, at: dt.datetime, from_at: dt.datetime | None, to_at: dt.datetime | None
) -> tuple[dt.datetime, dt.datetime]:
    """The time that may be delivered now: the approved one, or less. Raises `RefusedError`
    (`disclosure_not_approved`, `disclosure_delivered`, `disclosure_expired`, `disclosure_window`).
    """
    if disclosure.state == DisclosureState.DELIVERED:
        raise RefusedError("disclosure_delivered")
    if disclosure.state != DisclosureState.APPROVED or disclosure.decided_at is None:
        raise RefusedError("disclosure_not_approved")
    if at > disclosure.decided_at + DELIVERABLE:
        raise RefusedError("disclosure_expired")
    begin, end = from_at or disclosure.from_at, to_at or disclosure.to_at
    if begin < disclosure.from_at or end > disclosure.to_at or end <= begin:
        raise RefusedError("disclosure_window")
    return begin, end


def delivered(
    session: Session, compound: str, disclosure_id: str, *, export_hash: str, at: dt.datetime
) -> Disclosure:
    """Notes that the export with this SHA-256 is handed out, once. Raises like `window`."""
    disclosure = find(session, compound, disclosure_id, lock=True)
    window(disclosure, at, None, None)
    disclosure.state = DisclosureState.DELIVERED
    disclosure.export_hash, disclosure.delivered_at = export_hash, at
    session.flush()
    return disclosure


def find(session: Session, compound: str, disclosure_id: str, *, lock: bool = False) -> Disclosure:
    """One disclosure of a compound. Raises `MissingError`."""
    query = select(Disclosure).where(Disclosure.id == disclosure_id, Disclosure.compound == compound)
    found = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise MissingError("disclosure")
    return found


def _known(session: Session, compound: str, kind: DisclosureScope, subject: str) -> str:
    """The subject as it is stored. Raises `MissingError`, and `RefusedError` for what is no plate."""
    if kind is DisclosureScope.PLATE:
        plate = plates.normalise(subject)
        if plate is None or not plates.is_well_formed(plate):
            raise RefusedError("plate_malformed")
        return plate
    table: Any = {
        DisclosureScope.PERSON: Person,
        DisclosureScope.ZONE: Zone,
        DisclosureScope.INCIDENT: Incident,
    }[kind]
    if session.scalar(select(table.id).where(table.id == subject, table.compound == compound)) is None:
        raise MissingError(kind)
    return subject
