"""Applications for watch-list entries: somebody asks, somebody else decides."""

import datetime as dt
import enum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.watchlist_views import ApplicationView, OrderAsked, RenewalAsked, application_view
from console.permissions import Action, may
from registry.errors import RefusedError
from registry.models import ApplicationState, Ring, WatchlistApplication
from registry.watchlist import decisions as order_decisions
from registry.watchlist.orders import Officer, Order

router = APIRouter(tags=["watchlist"])
Reader = Annotated[User, may(Action.WATCHLIST_READ)]
Applicant = Annotated[User, may(Action.WATCHLIST_APPLY)]
Approver = Annotated[User, may(Action.WATCHLIST_APPROVE, proven=True)]


class Verdict(enum.StrEnum):
    """What the second person says."""

    APPROVE = "approve"
    REFUSE = "refuse"


class Decided(BaseModel):
    verdict: Verdict


@router.get("/watchlist/applications")
def applications(
    here: Here,
    user: Reader,
    paging: Asked,
    purpose: Purpose,
    state: Annotated[list[ApplicationState] | None, Query()] = None,
) -> Page[ApplicationView]:
    """Applications, newest first; of some only that there is one."""
    query = select(WatchlistApplication).where(WatchlistApplication.compound == here.compound)
    if state:
        query = query.where(WatchlistApplication.state.in_(state))
    with here.database.write() as session:
        order = (WatchlistApplication.applied_at, WatchlistApplication.id)
        items, cursor = newest_first(session, query, order, paging, lambda row: application_view(row, user))
        for view in items:
            known = "full" if view.details else "existence"
            look = Look("watchlist.application_viewed", purpose, f"application:{view.id}", known)
            note_look(session, here.clock.now(), user, look)
        return Page(items=items, next_cursor=cursor)


@router.post("/watchlist/applications", response_model=ApplicationView, status_code=201)
def apply(here: Here, http: Request, user: Applicant, asked: OrderAsked) -> Response:
    """Asks for an entry. What is the police's (a person; a police or court order) only the police can ask."""

    def work(session: Session, at: dt.datetime) -> Answer:
        order = Order(
            subject_kind=asked.subject_kind,
            subject=asked.subject,
            legal_basis=asked.legal_basis,
            document_no=asked.document_no,
            applicant_org=asked.applicant_org,
            reason=asked.reason,
            rings=tuple(asked.rings),
            starts_at=asked.starts_at or at,
            ends_at=asked.ends_at,
            recipients=tuple(asked.recipients),
            priority=asked.priority,
        )
        return 201, _applied(session, here.compound, user, order, at)

    return once(here, http, user, asked.model_dump(mode="json"), work)


@router.post("/watchlist/{entry_id}/renewals", response_model=ApplicationView, status_code=201)
def renew(here: Here, http: Request, user: Applicant, entry_id: str, asked: RenewalAsked) -> Response:
    """Asks that an entry goes on; it takes a second person again, and 90 days at most again."""

    def work(session: Session, at: dt.datetime) -> Answer:
        old = order_decisions.find_entry(session, here.compound, entry_id)
        order = Order(
            subject_kind=old.subject_kind,
            subject=old.subject,
            legal_basis=old.legal_basis,
            document_no=asked.document_no,
            applicant_org=asked.applicant_org,
            reason=asked.reason,
            rings=tuple(Ring(ring) for ring in old.rings),
            starts_at=max(old.ends_at, at),
            ends_at=asked.ends_at,
            recipients=tuple(old.recipients),
            priority=old.priority,
            renews=old.id,
        )
        return 201, _applied(session, here.compound, user, order, at)

    return once(here, http, user, asked.model_dump(mode="json"), work)


@router.post("/watchlist/applications/{application_id}/decision")
def decide(here: Here, user: Approver, application_id: str, decided: Decided) -> ApplicationView:
    """Approves, which makes the entry, or refuses; never the applicant."""
    at = here.clock.now()
    with here.database.write() as session:
        row = order_decisions.find_application(session, here.compound, application_id)
        act = order_decisions.approve if decided.verdict is Verdict.APPROVE else order_decisions.refuse
        act(session, row, by=Officer(user.id, user.role), at=at)
        _note(session, at, user, f"watchlist.{row.state}", row)
        return application_view(row, user)


@router.delete("/watchlist/applications/{application_id}")
def withdraw(here: Here, user: Applicant, application_id: str) -> ApplicationView:
    """The applicant takes an application back that nobody has decided on."""
    at = here.clock.now()
    with here.database.write() as session:
        row = order_decisions.find_application(session, here.compound, application_id)
        order_decisions.withdraw(session, row, by=Officer(user.id, user.role), at=at)
        _note(session, at, user, "watchlist.withdrawn", row)
        return application_view(row, user)


def _applied(session: Session, compound: str, user: User, order: Order, at: dt.datetime) -> dict[str, object]:
    _users_exist(session, compound, order.recipients)
    row = order_decisions.apply(session, compound, order, applicant=Officer(user.id, user.role), at=at)
    _note(session, at, user, "watchlist.applied", row)
    return application_view(row, user).model_dump(mode="json")


def _users_exist(session: Session, compound: str, recipients: tuple[str, ...]) -> None:
    """Whoever is told by name has to have an account here."""
    for one in recipients:
        if one.startswith("user:"):
            known = session.get(User, one.removeprefix("user:"))
            if known is None or not (known.compounds is None or compound in known.compounds):
                raise RefusedError("watchlist_recipient")


def _note(session: Session, at: dt.datetime, user: User, action: str, row: WatchlistApplication) -> None:
    purpose = Purpose.REVIEW if row.decided_by else Purpose.OFFICIAL_REQUEST
    detail = f"{row.subject_kind} {row.legal_basis}"
    note_look(session, at, user, Look(action, purpose, f"application:{row.id}", detail))
