"""What is mine: everybody's account; a resident's data, consents, requests, and who looked.

L-02, L-08, L-16. Everything goes through the functions of the API, so that it is audited and
refused alike.
"""

import enum
import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, BackgroundTasks, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from console.accounts.models import User
from console.api import own
from console.api.erasures import ReceiptView, receipt_of
from console.api.requests import RequestReceived, RequestView, view
from console.context import Rooms, rooms
from console.pages.holdings import Names, Section, sections
from console.pages.view import Frame, frame, render
from console.permissions import Action, allowed, may
from console.problems import ProblemError
from privacy.models import Erasure, RequestKind, SubjectRequest
from privacy.requests import Correctable
from registry.errors import RefusedError
from registry.models import ConsentPurpose, Zone
from registry.places.housing import addresses_of

router = APIRouter(prefix="/my")
Anybody = Annotated[User, may(Action.OWN_ACCOUNT)]
Resident = Annotated[User, may(Action.OWN_DATA)]
Typed = Annotated[str, Form(max_length=500)]

_LOOKS_SHOWN = 200

_T = TypeVar("_T")
_E = TypeVar("_E", bound=enum.StrEnum)


@router.get("")
def my(request: Request, user: Anybody) -> Response:
    """A resident's consents and requests; who has none is led to the account."""
    if not allowed(user, Action.OWN_DATA):
        return RedirectResponse("/account", 303)
    return _page(request, user)


@router.post("/consents/{purpose}/withdraw")
def withdraw(request: Request, user: Resident, tasks: BackgroundTasks, purpose: ConsentPurpose) -> Response:
    """Takes a consent back; the page then shows which places have still to forget."""
    own.take_back(rooms(request), user, tasks, purpose)
    return RedirectResponse(f"/my?withdrawn={purpose}", 303)


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
        return _page(request, user, refused=error.code, status=409)
    return RedirectResponse(f"/my?asked={kind}", 303)


@router.get("/data")
def held(request: Request, user: Resident) -> Response:
    """Everything that is held, to read."""
    view, here = frame(request), rooms(request)
    shown: list[Section] | None = None
    withheld: list[str] = []
    if (document := _unless_nobody(lambda: own.data(here, user))) is not None:
        shown = sections(document, view, _names(here, document))
        withheld = document["withheld"]
    return render(view, "my_data.html", sections=shown, withheld=withheld)


@router.get("/data.json")
def download(request: Request, user: Resident) -> Response:
    """The same as a file."""
    document = own.data(rooms(request), user)
    name = f"my-data-{document['made_at'][:10]}.json"
    return Response(
        json.dumps(document, ensure_ascii=False, indent=2),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/looks")
def looks(request: Request, user: Resident) -> Response:
    """Who looked at my data, newest first."""
    found = _unless_nobody(lambda: own.own_looks(rooms(request), user))
    items = found.items if found else []
    return render(
        frame(request), "my_looks.html", known=found is not None, looks=items[:_LOOKS_SHOWN], total=len(items)
    )


def _page(request: Request, user: User, *, refused: str | None = None, status: int = 200) -> Response:
    view, here = frame(request), rooms(request)
    given = None
    if allowed(user, Action.OWN_DATA):
        given = _unless_nobody(lambda: own.own_consents(here, user).items)
    known = given is not None
    return render(
        view,
        "my.html",
        status=status,
        user=user,
        resident=allowed(user, Action.OWN_DATA),
        known=known,
        consents=given or [],
        requests=_requests(here, user, view) if known else [],
        receipts=_receipts(here, user, view) if known else [],
        correctable=list(Correctable),
        withdrawn=_member(ConsentPurpose, request.query_params.get("withdrawn")),
        asked=_member(RequestKind, request.query_params.get("asked")),
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


def _names(here: Rooms, document: dict[str, Any]) -> Names:
    """The words for ids of dwellings and zones in a document."""
    homes = [*document["residences"], document["household"] or {}]
    dwellings = {home["dwelling"] for home in homes if home.get("dwelling")}
    with here.database.read() as session:
        zones = session.execute(select(Zone.id, Zone.name).where(Zone.compound == here.compound))
        return Names(addresses_of(session, here.compound, dwellings), {zone.id: zone.name for zone in zones})


def _unless_nobody(read: Callable[[], _T]) -> _T | None:
    """What is read, None where the account is tied to nobody, or to somebody who is erased."""
    try:
        return read()
    except ProblemError as error:
        if error.problem.status != 404:
            raise
        return None


def _member(kind: type[_E], code: str | None) -> _E | None:
    return kind(code) if code in list(kind) else None
