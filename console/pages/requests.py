"""Requests of people about their own data on a page: what is open, by when, and what was answered."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api import requests
from console.api.paging import Paging
from console.api.requests import RequestClosed, RequestReceived
from console.context import rooms
from console.pages.answers import said
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import ProblemError
from privacy.models import RequestKind, RequestState
from privacy.requests import WORKING_DAYS, Correctable

router = APIRouter(prefix="/oversight/requests")
Handler = Annotated[User, may(Action.REQUESTS_HANDLE)]
Short = Annotated[str, Form(max_length=64)]
Long = Annotated[str, Form(max_length=500)]
_SHOWN = 50
REFUSALS = ("not_the_person", "manifestly_excessive", "kept_by_law", "cannot_be_proved")
"""Why a request may be refused; each has words in the catalogues."""


@router.get("")
def page(
    request: Request,
    user: Handler,
    show: Annotated[str, Query(pattern="^(open|overdue|all)$")] = "open",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Those that wait for an answer; `overdue` those that should have one, `all` the answered ones too."""
    return _list(request, user, show, cursor)


@router.post("")
def receive(
    request: Request,
    user: Handler,
    person: Short = "",
    kind: Short = "",
    what: Short = "",
    old: Long = "",
    new: Long = "",
) -> Response:
    """Takes one in for somebody who asks at the counter."""
    given = {"person": person.strip(), "kind": kind, "what": what, "old": old, "new": new}

    def act() -> Response:
        try:
            asked = RequestReceived.model_validate(
                {"kind": kind, "what": what or None, "old": old.strip() or None, "new": new.strip() or None}
            )
        except ValueError:
            raise ProblemError(422, "form_incomplete", "A field is empty or cannot hold this") from None
        return requests.take_in(rooms(request), request, user, given["person"] or "-", asked)

    made = said(act)
    if made.answer is None:
        return _list(request, user, "open", None, given=given, refused=made.refused, status=made.status)
    return RedirectResponse("/oversight/requests", 303)


@router.get("/{request_id}")
def one(request: Request, user: Handler, request_id: str) -> Response:
    """One with the correction it asks for; the look is audited."""
    return _one(request, user, request_id)


@router.post("/{request_id}/close")
def close(
    request: Request,
    user: Handler,
    request_id: str,
    state: Annotated[RequestState, Form()],
    reason: Short = "",
) -> Response:
    """Done, or refused for a reason."""

    def act() -> object:
        if reason and reason not in REFUSALS:
            raise ProblemError(422, "reason_required", "Choose why")
        closed = RequestClosed(state=state, reason=reason if state is RequestState.REFUSED else "")
        return requests.close(rooms(request), user, request_id, closed)

    made = said(act)
    if made.answer is None:
        return _one(request, user, request_id, refused=made.refused, status=made.status)
    return RedirectResponse(f"/oversight/requests/{request_id}", 303)


def _one(
    request: Request, user: User, request_id: str, *, refused: str | None = None, status: int = 200
) -> Response:
    found = requests.one(rooms(request), user, request_id)
    return render(
        frame(request),
        "data_request.html",
        status=status,
        item=found,
        reasons=REFUSALS,
        refused=refused,
    )


def _list(
    request: Request,
    user: User,
    show: str,
    cursor: str | None,
    *,
    given: dict[str, str] | None = None,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    found = requests.list_requests(
        here,
        user,
        Paging(cursor, _SHOWN),
        state=RequestState.OPEN if show == "open" else None,
        overdue=show == "overdue",
    )
    given = given or {}
    return render(
        view,
        "data_requests.html",
        status=status,
        items=found.items,
        older=found.next_cursor,
        show=show,
        days=WORKING_DAYS,
        kinds=[kind for kind in RequestKind if kind is not RequestKind.ERASURE],
        correctable=list(Correctable),
        given={name: given.get(name, "") for name in ("person", "kind", "what", "old", "new")},
        refused=refused,
    )
