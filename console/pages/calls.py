"""Whom an operator is to phone, since no other way has reached them: the list, and what came of each call."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api.notifications import Called, call_list, called
from console.context import rooms
from console.pages.answers import said
from console.pages.view import frame, is_fragment, render
from console.permissions import Action, may

router = APIRouter()
Caller = Annotated[User, may(Action.INCIDENTS_DECIDE)]


@router.get("/console/fragments/calls")
def part(request: Request, user: Caller) -> Response:
    """The list alone; a number is shown to whoever may call, and to nobody else."""
    return _part(request, user)


@router.post("/console/calls/{notification_id}")
def note(
    request: Request,
    user: Caller,
    notification_id: str,
    reached: Annotated[Literal["yes", "no"], Form()],
) -> Response:
    """Writes down whether somebody answered; nothing here dials."""
    here = rooms(request)
    came = said(lambda: called(here, user, notification_id, Called(reached=reached == "yes")))
    if is_fragment(request):
        return _part(request, user, came.refused)
    return RedirectResponse("/console", 303)


def _part(request: Request, user: User, refused: str | None = None) -> Response:
    here, view = rooms(request), frame(request)
    return render(view, "fragments/calls.html", calls=call_list(here, user), refused=refused)
