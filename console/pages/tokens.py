"""Tokens of programs and terminals: made and shown once, listed with when they were used, revoked."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts import tokens
from console.accounts.models import User
from console.accounts.tokens import Scope
from console.accounts.tokenwork import TokenRefusedError, TokenWanted, issue, revoke
from console.context import rooms
from console.pages.view import frame, render
from console.permissions import Action, may

router = APIRouter(prefix="/console/tokens")
Editor = Annotated[User, may(Action.TOKENS_EDIT)]
Proven = Annotated[User, may(Action.TOKENS_EDIT, proven=True)]

DAYS = (7, 30, 90, 365, 730)


@router.get("")
def show(request: Request, user: Editor, done: str = "") -> Response:
    """The tokens, the newest first."""
    return _page(request, user, done=done == "revoked")


@router.post("")
def make(
    request: Request,
    user: Proven,
    name: Annotated[str, Form(max_length=64)] = "",
    owner: Annotated[str, Form(max_length=64)] = "",
    scopes: Annotated[list[Scope] | None, Form()] = None,
    days: Annotated[int, Form(ge=1, le=730)] = 90,
) -> Response:
    """Makes a token and shows it, this once."""
    here = rooms(request)
    at = here.clock.now()
    wanted = TokenWanted(name.strip(), owner, tuple(scopes or ()), at + dt.timedelta(days=days))
    try:
        with here.database.write() as session:
            made = issue(session, user, wanted, at)
    except TokenRefusedError as error:
        return _page(request, user, refused=error.code, wanted=wanted, status=422)
    return render(frame(request), "token_made.html", token=made.token, wanted=wanted)


@router.post("/revoke")
def end(request: Request, user: Proven, token_id: Annotated[str, Form(max_length=64)]) -> Response:
    """Ends a token at once."""
    here = rooms(request)
    with here.database.write() as session:
        revoke(session, user, token_id, here.clock.now())
    return RedirectResponse("/console/tokens?done=revoked", 303)


def _page(
    request: Request,
    user: User,
    *,
    done: bool = False,
    refused: str | None = None,
    wanted: TokenWanted | None = None,
    status: int = 200,
) -> Response:
    here = rooms(request)
    with here.database.read() as session:
        found = tokens.api_tokens(session)[:200]
        session.expunge_all()
    return render(
        frame(request),
        "tokens.html",
        status=status,
        tokens=found,
        scopes=list(Scope),
        days=DAYS,
        done=done,
        refused=refused,
        wanted=wanted,
        me=user.name,
    )
