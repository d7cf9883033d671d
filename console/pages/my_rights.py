"""A resident's rights (PIPL art. 44-47): consents to take back, corrections and erasure to ask for.

L-02, L-08, L-16. Everything goes through the functions of the API, so that it is audited and
refused alike.
"""

import enum
from typing import Annotated, TypeVar

from fastapi import APIRouter, BackgroundTasks, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from console.accounts.models import User
from console.api import own
from console.api.erasures import ReceiptView, receipt_of
from console.api.requests import RequestReceived, RequestView, view
from console.context import Rooms, rooms
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from console.problems import ProblemError
from privacy.models import Erasure, RequestKind, SubjectRequest
from privacy.requests import WORKING_DAYS, Correctable
from registry.errors import RefusedError
from registry.models import ConsentPurpose

router = APIRouter(prefix="/my")
Resident = Annotated[User, may(Action.OWN_DATA)]
Typed = Annotated[str, Form(max_length=500)]

_E = TypeVar("_E", bound=enum.StrEnum)


@router.get("/rights")
def rights(request: Request, user: Resident) -> Response:
    """Consents with their receipts, and requests with their deadlines."""
    return _page(request, user)


@router.post("/consents/{purpose}/withdraw")
def withdraw(request: Request, user: Resident, tasks: BackgroundTasks, purpose: ConsentPurpose) -> Response:
    """Takes a consent back; the page then shows which places have still to forget."""
    own.take_back(rooms(request), user, tasks, purpose)
    return RedirectResponse(f"/my/rights?withdrawn={purpose}", 303)


@router.post("/requests")
def ask(
    request: Request,
    user: Resident,
    kind: Annotated[RequestKind, Form()],
    what: Annotated[Correctable | None, Form()] = None,
    old: Typed = "",
    new: Typed = "",
) -> Response:
    """Asks for a correction or an erasure; refused with words where it is unclear or open already."""
    asked = RequestReceived(kind=kind, what=what, old=old.strip() or None, new=new.strip() or None)
    try:
        own.ask(rooms(request), request, user, asked)
    except RefusedError as error:
        return _page(request, user, given=asked, refused=error.code, status=409)
    return RedirectResponse(f"/my/rights?asked={kind}", 303)


def _page(
    request: Request,
    user: User,
    *,
    given: RequestReceived | None = None,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    view, here = frame(request), rooms(request)
    known = True
    try:
        consents = own.own_consents(here, user).items
    except ProblemError as error:
        if error.problem.status != 404:
            raise
        known, consents = False, []
    return render(
        view,
        "my_rights.html",
        status=status,
        known=known,
        consents=consents,
        requests=_requests(here, user, view) if known else [],
        receipts=_receipts(here, user, view) if known else [],
        correctable=list(Correctable),
        days=WORKING_DAYS,
        withdrawn=_member(ConsentPurpose, request.query_params.get("withdrawn")),
        asked=_member(RequestKind, request.query_params.get("asked")),
        given=given,
        refused=refused,
    )


def _requests(here: Rooms, user: User, frame: Frame) -> list[RequestView]:
    with here.database.read() as session:
        rows = session.scalars(
            select(SubjectRequest)
            .where(SubjectRequest.compound == here.compound, SubjectRequest.person == user.person_id)
            .order_by(SubjectRequest.received_at.desc())
        )
        return [view(row, frame.now) for row in rows]


def _receipts(here: Rooms, user: User, frame: Frame) -> list[ReceiptView]:
    with here.database.read() as session:
        ids = session.scalars(
            select(Erasure.id)
            .where(Erasure.compound == here.compound, Erasure.person == user.person_id)
            .order_by(Erasure.ordered_at.desc())
        )
        return [receipt_of(session, user, erasure, frame.now) for erasure in ids]


def _member(kind: type[_E], code: str | None) -> _E | None:
    return kind(code) if code in list(kind) else None
