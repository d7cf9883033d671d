"""Showing once more who one is, before something of weight; then back to where one was."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts import factors, service
from console.accounts.limits import TooManyAttemptsError
from console.accounts.service import Proof, SignInRefusedError
from console.context import rooms
from console.pages.signin import local_path
from console.pages.view import frame, render
from console.security import PROVE_PATH, NotSignedInError, client_of, identify, limiter_of

router = APIRouter()


@router.get(PROVE_PATH)
def prove_form(request: Request, next: str = "", refused: str = "") -> Response:  # noqa: A002 - the public name
    """Asks for the password, a code, or the organisation's sign-in: whatever the account has."""
    return _form(request, local_path(next, "/account"), refused=refused[:32] or None)


@router.post(PROVE_PATH)
def prove(
    request: Request,
    said: Annotated[str, Form(max_length=1024)] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002
) -> Response:
    """Notes the proof at this session, for ten minutes."""
    identity, here = identify(request), rooms(request)
    if identity is None or identity.scopes is not None:
        raise NotSignedInError
    target = local_path(next, "/account")
    proof = Proof(identity.token_hash, client_of(request), here.clock.now())
    try:
        service.prove(here.database, limiter_of(request), identity.user.id, said, proof)
    except SignInRefusedError:
        return _form(request, target, status=401, refused="wrong")
    except TooManyAttemptsError as error:
        slowed = _form(request, target, status=429, refused="too_many", retry_after=error.retry_after_s)
        slowed.headers["Retry-After"] = str(error.retry_after_s)
        return slowed
    return RedirectResponse(target, 303)


def _form(
    request: Request, target: str, *, status: int = 200, refused: str | None = None, retry_after: int = 0
) -> Response:
    identity, here = identify(request), rooms(request)
    if identity is None or identity.scopes is not None:
        raise NotSignedInError
    with here.database.read() as session:
        coded = factors.enrolled(session, identity.user.id) is not None
    linked = here.provider is not None and identity.user.provider_key is not None
    return render(
        frame(request),
        "prove.html",
        status=status,
        next=target,
        refused=refused,
        retry_after=retry_after,
        coded=coded,
        password=identity.user.password_hash is not None,
        provider=here.provider.settings if linked and here.provider else None,
    )
