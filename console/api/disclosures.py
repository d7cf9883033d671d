"""Disclosures (L-18): requested by a document, approved by another person, delivered once as a ZIP."""

import datetime as dt
import enum
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import Text
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, may
from privacy import disclosures, export
from privacy.disclosures import DisclosureScope
from privacy.models import Disclosure, DisclosureState

router = APIRouter(tags=["disclosures"])
Requester = Annotated[User, may(Action.DISCLOSURES_REQUEST)]
Approver = Annotated[User, may(Action.DISCLOSURES_APPROVE)]
Deliverer = Annotated[User, may(Action.DISCLOSURES_DELIVER, proven=True)]


class Verdict(enum.StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"


class Scope(BaseModel):
    """One plate, person, zone or incident."""

    kind: DisclosureScope
    id: Annotated[str, Field(min_length=1, max_length=64)]


class DisclosureView(BaseModel):
    """`export_hash` is the SHA-256 of the ZIP that was handed out."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    requester_org: str
    document_no: str
    reason: str
    scope: Scope
    from_at: dt.datetime
    to_at: dt.datetime
    applicant: str
    applied_at: dt.datetime
    state: DisclosureState
    approver: str | None
    decided_at: dt.datetime | None
    export_hash: str | None
    delivered_at: dt.datetime | None


class DisclosureAsked(BaseModel):
    """The window lies in the past: for what is still to come there is the watch-list."""

    requester_org: Text
    document_no: Annotated[str, Field(min_length=1, max_length=64)]
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    scope: Scope
    from_at: AwareDatetime
    to_at: AwareDatetime


class DisclosureDecided(BaseModel):
    verdict: Verdict


class DeliveryAsked(BaseModel):
    """Less than the approved window, where less is enough."""

    from_at: AwareDatetime | None = None
    to_at: AwareDatetime | None = None


@router.get("/disclosures")
def list_disclosures(here: Here, user: Approver, paging: Asked) -> Page[DisclosureView]:
    """All requests, newest first; the look is audited."""
    return _list(here, user, paging, own=False)


@router.get("/disclosures/own")
def list_own(here: Here, user: Requester, paging: Asked) -> Page[DisclosureView]:
    """Those that the asker has requested."""
    return _list(here, user, paging, own=True)


@router.post("/disclosures", response_model=DisclosureView, status_code=201)
def ask(here: Here, request: Request, user: Requester, asked: DisclosureAsked) -> Response:
    """Nothing is read yet; another person decides first."""

    def work(session: Session, at: dt.datetime) -> Answer:
        made = disclosures.request(
            session,
            here.compound,
            asked.scope.kind,
            asked.scope.id,
            requester_org=asked.requester_org,
            document_no=asked.document_no,
            reason=asked.reason,
            from_at=asked.from_at,
            to_at=asked.to_at,
            applicant=user.id,
            at=at,
        )
        _note(session, at, user, "disclosure.requested", made)
        return 201, DisclosureView.model_validate(made).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/disclosures/{disclosure_id}/decision")
def decide(here: Here, user: Approver, disclosure_id: str, decided: DisclosureDecided) -> DisclosureView:
    """Refused with `two_people` to whoever requested it."""
    at = here.clock.now()
    with here.database.write() as session:
        approve = decided.verdict is Verdict.APPROVE
        made = disclosures.decide(
            session, here.compound, disclosure_id, approve=approve, approver=user.id, at=at
        )
        _note(session, at, user, f"disclosure.{made.state}", made)
        return DisclosureView.model_validate(made)


@router.post("/disclosures/{disclosure_id}/delivery", response_class=Response)
def deliver(here: Here, user: Deliverer, disclosure_id: str, asked: DeliveryAsked) -> Response:
    """The ZIP, once: data, pictures and a manifest that says for whom. Its hash stays here."""
    at = here.clock.now()
    with here.database.read() as session:
        made = disclosures.find(session, here.compound, disclosure_id)
        begin, end = disclosures.window(made, at, asked.from_at, asked.to_at)
        found = export.gather(session, made, begin, end)
    # Pictures are read outside the transaction: hundreds of them take seconds.
    packed = export.pack(found, here.media, by=user.id, at=at)
    with here.database.write() as session:
        made = disclosures.delivered(session, here.compound, disclosure_id, export_hash=packed.sha256, at=at)
        detail = f"{made.id} events={packed.events} pictures={packed.pictures} sha256={packed.sha256}"
        _note(session, at, user, "disclosure.delivered", made, detail)
    headers = {
        "Content-Disposition": f'attachment; filename="disclosure-{made.id}.zip"',
        "Cache-Control": "private, no-store",
        "X-Content-SHA256": packed.sha256,
    }
    return Response(packed.content, media_type="application/zip", headers=headers)


def _list(here: Any, user: User, paging: Any, *, own: bool) -> Page[DisclosureView]:
    query = select(Disclosure).where(Disclosure.compound == here.compound)
    if own:
        query = query.where(Disclosure.applicant == user.id)
    at = here.clock.now()
    with here.database.write() as session:
        order = (Disclosure.applied_at, Disclosure.id)
        items, cursor = newest_first(session, query, order, paging, DisclosureView.model_validate)
        detail = f"{len(items)} disclosures"
        look = Look("disclosure.listed", Purpose.OFFICIAL_REQUEST, "disclosures:list", detail)
        note_look(session, at, user, look)
        return Page(items=items, next_cursor=cursor)


def _note(
    session: Session, at: dt.datetime, user: User, action: str, made: Disclosure, detail: str = ""
) -> None:
    # A plate is no subject of the audit log: whoever reads the log would learn it.
    kind = made.scope["kind"]
    subject = f"disclosure:{made.id}" if kind == DisclosureScope.PLATE else f"{kind}:{made.scope['id']}"
    note_look(session, at, user, Look(action, Purpose.OFFICIAL_REQUEST, subject, detail or made.id))
