"""What a sitting is for: asked once, shown on each page of a person, kept in the browser for some hours.

A look at a person needs a purpose, and nobody would choose one anew at every step from a house to
its people. So it is chosen once, stays in view where it can be changed, and holds for this sign-in
alone: whoever signs in next at the same desk is asked again. It is never guessed.
"""

import datetime as dt
import hashlib
import hmac
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api.purposes import Purpose
from console.pages.signin import local_path
from console.pages.view import frame, render
from console.permissions import Action, may
from console.security import csrf_token

router = APIRouter(prefix="/registry/purpose")
Anybody = Annotated[User, may(Action.OWN_ACCOUNT)]

COOKIE: Final = "ringward_purpose"
LASTS: Final = dt.timedelta(hours=4)
"""Half a shift: what somebody looked for in the morning is not what they look for at night."""

_START: Final = "/registry"


def purpose_of(request: Request) -> Purpose | None:
    """What this sitting is for; None where nobody has said so since signing in."""
    code, _, mark = request.cookies.get(COOKIE, "").partition(".")
    if code not in list(Purpose) or not hmac.compare_digest(mark.encode(), _mark(request).encode()):
        return None
    return Purpose(code)


def remember(request: Request, response: Response, purpose: Purpose) -> None:
    """Keeps the purpose for the rest of the sitting."""
    response.set_cookie(
        COOKIE,
        f"{purpose}.{_mark(request)}",
        max_age=int(LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def ask(request: Request) -> Response:
    """The question, in place of the page that needs the answer; answered, that page follows."""
    # A form that was sent is not sent again by itself: its page has to be asked for anew.
    target = request.url.path if request.method == "GET" else _START
    if request.method == "GET" and request.url.query:
        target = f"{target}?{request.url.query}"
    return _page(request, target)


@router.get("")
def choose(request: Request, _: Anybody, next: str = _START) -> Response:  # noqa: A002 - the query's name
    """The question asked again, to change the answer."""
    return _page(request, local_path(next, _START))


@router.post("")
def chosen(
    request: Request,
    _: Anybody,
    purpose: Annotated[Purpose, Form()],
    next: Annotated[str, Form(max_length=500)] = _START,  # noqa: A002 - the field's name
) -> Response:
    """Remembers the purpose and goes on."""
    response = RedirectResponse(local_path(next, _START), 303)
    remember(request, response, purpose)
    return response


def change_at(path: str) -> str:
    """Where the purpose is changed, to come back to a page."""
    return f"{router.prefix}?{urlencode({'next': path})}"


def _page(request: Request, target: str) -> Response:
    return render(
        frame(request), "purpose.html", purposes=list(Purpose), chosen=purpose_of(request), target=target
    )


def _mark(request: Request) -> str:
    return hashlib.sha256(csrf_token(request).encode()).hexdigest()[:16]
