"""To the organisation's sign-in and back: for a sign-in, and to show once more who one is."""

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts import factors, halfway, provider_state, service
from console.accounts.models import Role, User
from console.accounts.provider import Provider, ProviderError, Said
from console.context import rooms
from console.pages.signin import CODE_PATH, entered, local_path
from console.problems import not_found
from console.security import (
    PROVE_PATH,
    PROVIDER_COOKIE,
    SIGN_IN_PATH,
    client_of,
    cookie_name,
    drop_cookie,
    end_replaced,
    identify,
    set_cookie,
    set_half_cookie,
)
from storage.audit import AuditEntry, append

router = APIRouter()

ANSWER_PATH: Final = "/sign-in/provider/answer"
Brought = Annotated[str, Query(max_length=4096)]


# A link and not a form: `form-action` of our policy ends a form at the other site's door.
@router.get("/sign-in/provider")
def ask(request: Request, next: str = "", prove: str = "") -> Response:  # noqa: A002 - the public name
    """Sends the browser to the provider; back to the form with words where it cannot be reached."""
    here, provider = rooms(request), _provider(request)
    identity = identify(request)
    proving = identity.user.id if prove and identity else None
    at, target = here.clock.now(), local_path(next, "/" if not proving else "/account")
    with here.database.write() as session:
        asked = provider_state.ask(session, target, proving, at)
    try:
        address = provider.address(
            _redirect_uri(request), asked.state, asked.nonce, asked.verifier, at, anew=proving is not None
        )
    except ProviderError as error:
        return _back(proving is not None, error.code, target)
    response = RedirectResponse(address, 303)
    set_cookie(request, response, PROVIDER_COOKIE, asked.browser, provider_state.LIFETIME)
    return response


@router.get(ANSWER_PATH)
def answer(request: Request, state: Brought = "", code: Brought = "", error: Brought = "") -> Response:
    """What the browser brings back: a code that is turned into who it is, once."""
    here, provider = rooms(request), _provider(request)
    at = here.clock.now()
    browser = request.cookies.get(cookie_name(request, PROVIDER_COOKIE), "")
    try:
        with here.database.write() as session:
            waiting = provider_state.take(session, state, browser, at)
    except ProviderError as refused:
        return _back(False, refused.code, "/")
    proving = waiting.user is not None
    if error or not code:
        return _back(proving, "refused", waiting.next_path)
    try:
        said = provider.answer(
            code, _redirect_uri(request), waiting.nonce, waiting.verifier, at, anew=proving
        )
        response = (
            _proved(request, said, waiting)
            if proving
            else _signed_in(request, provider, said, waiting.next_path)
        )
    except ProviderError as refused:
        response = _back(proving, refused.code, waiting.next_path)
    drop_cookie(request, response, PROVIDER_COOKIE)
    return response


def _proved(request: Request, said: Said, waiting: provider_state.Waiting) -> Response:
    identity, here = identify(request), rooms(request)
    if identity is None or identity.user.id != waiting.user or identity.user.provider_key != said.key:
        raise ProviderError("other_user")
    with here.database.write() as session:
        service.note_proof(session, identity.token_hash, here.clock.now())
    return RedirectResponse(local_path(waiting.next_path, "/account"), 303)


def _signed_in(request: Request, provider: Provider, said: Said, target: str) -> Response:
    here = rooms(request)
    at, half, opened = here.clock.now(), None, None
    with here.database.write() as session:
        user = session.scalars(select(User).where(User.provider_key == said.key)).one_or_none()
        if user is None:
            user = _made(request, session, said)
        if not user.active:
            raise ProviderError("not_linked")
        if not provider.settings.second_factor and factors.enrolled(session, user.id) is not None:
            half = halfway.begin(session, user.id, "provider", at)
        else:
            opened = service.signed_in(
                session, user, client_of(request), at, method="provider", detail="provider"
            )
    if opened is None:
        response: Response = RedirectResponse(f"{CODE_PATH}?next={quote(target, safe='/')}", 303)
        set_half_cookie(request, response, half or "")
        return response
    end_replaced(request)
    return entered(request, opened, target if target != "/" else "")


def _made(request: Request, session: Session, said: Said) -> User:
    """An account for somebody whose role a setting gives by a claim. Raises `ProviderError`."""
    here = rooms(request)
    if said.role is None:
        raise ProviderError("not_linked")
    try:
        user = service.create_user(
            session, said.suggested_name, Role(said.role), here.clock.now(), compounds=[here.compound]
        )
    except ValueError:
        # Whoever has the name is somebody else until an administrator says otherwise.
        raise ProviderError("name_taken") from None
    user.provider_key = said.key
    append(
        session,
        here.clock.now(),
        AuditEntry("provider", "system", "account.created", "administration", f"user:{user.id}", said.role),
    )
    return user


def _back(proving: bool, code: str, target: str) -> Response:
    page = PROVE_PATH if proving else SIGN_IN_PATH
    return RedirectResponse(f"{page}?refused={code}&next={quote(target, safe='/')}", 303)


def _provider(request: Request) -> Provider:
    found = rooms(request).provider
    if found is None:
        raise not_found("page")
    return found


def _redirect_uri(request: Request) -> str:
    base = rooms(request).public_url or str(request.base_url)
    return f"{base.rstrip('/')}{ANSWER_PATH}"
