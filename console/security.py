"""Who is asking, whether they may, and whether the form they send is ours.

A browser carries a session cookie, a program an API token. Requests that change
something and are authenticated by the cookie must also show the CSRF token, since a
browser sends the cookie along whoever wrote the form.
"""

import hmac
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request, Response

from alerts.incidents.actor import Actor
from console.accounts import service
from console.accounts.limits import SignInLimiter
from console.accounts.models import User
from console.accounts.tokens import Scope, find_api_token, hash_token, new_token
from console.context import rooms

SESSION_COOKIE = "ringward_session"
# Stands in for the session's token on forms that are sent before signing in.
CSRF_COOKIE = "ringward_csrf"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
SIGN_IN_PATH = "/sign-in"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class NotSignedInError(Exception):
    """Nobody, an ended session or an unknown token: 401 in the API, the sign-in page elsewhere."""


class ForbiddenError(Exception):
    """Signed in, but not with a role (or a token scope) that may do this."""


class CsrfError(Exception):
    """The request changes something and does not show the token of its session."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking, and by what. `scopes` is None for a session, which has no bounds but its role."""

    user: User
    token_hash: str
    csrf_token: str | None
    scopes: frozenset[str] | None


def identify(request: Request) -> Identity | None:
    """The dependency below the others: looks the cookie or the token up, once a request."""
    if not hasattr(request.state, "identity"):
        request.state.identity = look_up(request)
    return cast("Identity | None", request.state.identity)


def look_up(request: Request) -> Identity | None:
    """Asks the database who this is; a long-lived stream asks again from time to time."""
    bearer = _bearer(request)
    cookie = request.cookies.get(SESSION_COOKIE)
    here = rooms(request)
    now = here.clock.now()
    if bearer is not None:
        # A token that does not hold is refused; falling back to a cookie would skip the CSRF check.
        with here.database.read() as session:
            found = find_api_token(session, bearer, now)
            if found is None:
                return None
            user, scopes = found
            session.expunge(user)
        return Identity(user, hash_token(bearer), None, scopes)
    if not cookie:
        return None
    with here.database.read() as session:
        signed_in = service.find_session(session, cookie, now)
        if signed_in is None:
            return None
        user, opened = signed_in
        identity = Identity(user, opened.token_hash, opened.csrf_token, None)
        stale = now - opened.last_seen >= service.SEEN_EVERY
        session.expunge(user)
    if stale:
        with here.database.write() as session:
            service.mark_seen(session, identity.token_hash, now)
    return identity


Asking = Annotated[Identity | None, Depends(identify)]


def current_user(request: Request, identity: Asking) -> User:
    """The user. Raises `NotSignedInError`, and `ForbiddenError` beyond a token's scopes."""
    if identity is None:
        raise NotSignedInError
    needed = Scope.READ if request.method in SAFE_METHODS else Scope.WRITE
    if identity.scopes is not None and needed not in identity.scopes:
        raise ForbiddenError
    if not at_home(identity.user, rooms(request).compound):
        raise ForbiddenError
    return identity.user


def at_home(user: User, compound: str) -> bool:
    """Whether a user may see a compound at all, whatever their role."""
    return user.compounds is None or compound in user.compounds


def as_actor(user: User) -> Actor:
    """The user as the other rooms know them."""
    return Actor(user.id, str(user.role))


# ── CSRF ──────────────────────────────────────────────────────────────────────


def csrf_token(request: Request) -> str:
    """The token that this browser's forms must carry; before signing in it comes with a cookie."""
    identity: Identity | None = getattr(request.state, "identity", None)
    if identity is not None and identity.csrf_token is not None:
        return identity.csrf_token
    token = request.cookies.get(CSRF_COOKIE) or getattr(request.state, "new_csrf_token", None)
    if not token:
        token = new_token()
        # `console.headers` sets the cookie on whatever response this request gets.
        request.state.new_csrf_token = token
    return token


async def check_csrf(request: Request, identity: Asking) -> None:
    """A dependency of every route of the API and the pages. Raises `CsrfError`."""
    if request.method in SAFE_METHODS or _bearer(request) is not None:
        return
    if identity is None and request.url.path.startswith("/api/"):
        return  # Nobody's authority is used; the endpoint answers 401.
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise CsrfError
    expected = identity.csrf_token if identity else request.cookies.get(CSRF_COOKIE)
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("Content-Type", "").startswith(_FORM_TYPES):
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    if not expected or not given or not hmac.compare_digest(expected.encode(), given.encode()):
        raise CsrfError


# ── Signing in and out, for the pages ─────────────────────────────────────────


def client_of(request: Request) -> service.Client:
    """Where the request comes from, as uvicorn knows it (it reads proxy headers of trusted proxies)."""
    address = request.client.host if request.client else "unknown"
    return service.Client(address, request.headers.get("User-Agent", ""))


def sign_in(request: Request, name: str, password: str) -> service.OpenedSession:
    """Opens a session under this app's limits; raises what `service.sign_in` raises."""
    here = rooms(request)
    limiter = cast("SignInLimiter", request.app.state.limiter)
    opened = service.sign_in(
        here.database, limiter, name, password, client=client_of(request), at=here.clock.now()
    )
    replaced = request.cookies.get(SESSION_COOKIE)
    if replaced:
        # The cookie is about to be overwritten: a session nobody can sign out of must not stay.
        with here.database.write() as session:
            service.sign_out(session, replaced)
    return opened


def set_session_cookie(request: Request, response: Response, opened: service.OpenedSession) -> None:
    """Puts the session into the browser; Secure wherever the page came over https."""
    lasts = opened.expires_at - rooms(request).clock.now()
    response.set_cookie(
        SESSION_COOKIE,
        opened.token,
        # A span, not a moment: the browser's clock may be wrong.
        max_age=int(lasts.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def sign_out(request: Request, response: Response) -> None:
    """Ends this browser's session and takes the cookie away."""
    here = rooms(request)
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        with here.database.write() as session:
            service.sign_out(session, token)
    response.delete_cookie(
        SESSION_COOKIE, path="/", httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )


def _bearer(request: Request) -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None
