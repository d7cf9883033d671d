"""Who is asking, whether they may, and whether the form they send is ours.

A browser carries a session cookie, a program an API token. Requests that change
something and are authenticated by the cookie must also show the CSRF token, since a
browser sends the cookie along whoever wrote the form.
"""

import datetime as dt
import hmac
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request, Response

from alerts.incidents.actor import Actor
from console.accounts import factors, halfway, known, service
from console.accounts.limits import SignInLimiter
from console.accounts.models import User
from console.accounts.tokens import Scope, find_api_token, hash_token, mark_used, new_token
from console.context import rooms

SESSION_COOKIE = "ringward_session"
# Stands in for the session's token on forms that are sent before signing in.
CSRF_COOKIE = "ringward_csrf"
# Says that this browser signed in before (see `console.accounts.limits`); opens nothing.
DEVICE_COOKIE = "ringward_device"
# Between the two steps of a sign-in, and on the way to the organisation's sign-in and back.
HALF_COOKIE = "ringward_half"
PROVIDER_COOKIE = "ringward_provider"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
SIGN_IN_PATH = "/sign-in"
PROVE_PATH = "/prove"
FACTOR_PATH = "/account/second-factor"
# How long a proof of who sits there is good for actions of weight.
PROOF_LASTS = dt.timedelta(minutes=10)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class NotSignedInError(Exception):
    """Nobody, an ended session or an unknown token: 401 in the API, the sign-in page elsewhere."""


class ForbiddenError(Exception):
    """Signed in, but not with a role (or a token scope) that may do this."""


class ProofRequiredError(Exception):
    """The action weighs so much that whoever sits there has to show who they are once more."""


class SecondFactorNeededError(Exception):
    """The user's role must have a second factor, and this user has none yet."""


class CsrfError(Exception):
    """The request changes something and does not show the token of its session."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking, and by what. `scopes` is None for a session, which has no bounds but its role."""

    user: User
    token_hash: str
    csrf_token: str | None
    scopes: frozenset[str] | None
    # When a session last proved itself; None for tokens.
    proved_at: dt.datetime | None = None
    # The role must have a second factor, and there is none.
    lacks_factor: bool = False


def identify(request: Request) -> Identity | None:
    """The dependency below the others: looks the cookie or the token up, once a request."""
    if not hasattr(request.state, "identity"):
        request.state.identity = look_up(request)
    return cast("Identity | None", request.state.identity)


def look_up(request: Request) -> Identity | None:
    """Asks the database who this is; a long-lived stream asks again from time to time."""
    bearer = _bearer(request)
    cookie = request.cookies.get(cookie_name(request, SESSION_COOKIE))
    here = rooms(request)
    now = here.clock.now()
    if bearer is not None:
        # A token that does not hold is refused; falling back to a cookie would skip the CSRF check.
        with here.database.read() as session:
            found = find_api_token(session, bearer, now)
            if found is None:
                return None
            session.expunge(found.user)
        if found.last_used is None or now - found.last_used >= service.SEEN_EVERY:
            with here.database.write() as session:
                mark_used(session, found.id, now)
        return Identity(found.user, hash_token(bearer), None, found.scopes)
    if not cookie:
        return None
    with here.database.read() as session:
        signed_in = service.find_session(session, cookie, now)
        if signed_in is None:
            return None
        user, opened = signed_in
        lacks = (
            factors.needed(user.role, here.second_factor_roles)
            and not (opened.method == "provider" and here.provider and here.provider.settings.second_factor)
            and factors.enrolled(session, user.id) is None
        )
        identity = Identity(user, opened.token_hash, opened.csrf_token, None, opened.proved_at, lacks)
        stale = now - opened.last_seen >= service.SEEN_EVERY
        session.expunge(user)
    if stale:
        with here.database.write() as session:
            service.mark_seen(session, identity.token_hash, now)
    return identity


Asking = Annotated[Identity | None, Depends(identify)]


def current_user(request: Request, identity: Asking) -> User:
    """The user.

    Raises `NotSignedInError`, `SecondFactorNeededError`, and `ForbiddenError` beyond a token's scopes.
    """
    if identity is None:
        raise NotSignedInError
    if identity.lacks_factor:
        raise SecondFactorNeededError
    return _within_bounds(request, identity)


def enrolling_user(request: Request, identity: Asking) -> User:
    """The user, also one who has to enrol a second factor first: for the pages that do it."""
    if identity is None:
        raise NotSignedInError
    return _within_bounds(request, identity)


def _within_bounds(request: Request, identity: Identity) -> User:
    needed = Scope.READ if request.method in SAFE_METHODS else Scope.WRITE
    if identity.scopes is not None and needed not in identity.scopes:
        raise ForbiddenError
    if not at_home(identity.user, rooms(request).compound):
        raise ForbiddenError
    return identity.user


def at_home(user: User, compound: str) -> bool:
    """Whether a user may see a compound at all, whatever their role."""
    return user.compounds is None or compound in user.compounds


def recently_proved(request: Request) -> bool:
    """Whether who asks showed who they are in the last `PROOF_LASTS`; a token: has the scope `privacy`."""
    identity = identify(request)
    if identity is None:
        return False
    if identity.scopes is not None:
        return Scope.PRIVACY in identity.scopes
    at = rooms(request).clock.now()
    return identity.proved_at is not None and at - identity.proved_at <= PROOF_LASTS


def proved(request: Request) -> None:
    """The dependency of routes that no gate of `console.permissions` proves. Raises `ProofRequiredError`."""
    if identify(request) is None:
        raise NotSignedInError
    if not recently_proved(request):
        raise ProofRequiredError


def as_actor(user: User) -> Actor:
    """The user as the other rooms know them."""
    return Actor(user.id, str(user.role))


# ── CSRF ──────────────────────────────────────────────────────────────────────


def csrf_token(request: Request) -> str:
    """The token that this browser's forms must carry; before signing in it comes with a cookie."""
    identity: Identity | None = getattr(request.state, "identity", None)
    if identity is not None and identity.csrf_token is not None:
        return identity.csrf_token
    token = request.cookies.get(cookie_name(request, CSRF_COOKIE)) or getattr(
        request.state, "new_csrf_token", None
    )
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
    expected = identity.csrf_token if identity else request.cookies.get(cookie_name(request, CSRF_COOKIE))
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("Content-Type", "").startswith(_FORM_TYPES):
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    if not expected or not given or not hmac.compare_digest(expected.encode(), given.encode()):
        raise CsrfError


# ── Signing in and out, for the pages ─────────────────────────────────────────


def cookie_name(request: Request, name: str) -> str:
    """The name of a cookie of ours: over https with the prefix that no other host can set it under."""
    return secured_name(name, secure=request.url.scheme == "https")


def secured_name(name: str, *, secure: bool) -> str:
    """`__Host-` binds a cookie to this host, to https and to the whole of it (RFC 6265bis)."""
    return f"__Host-{name}" if secure else name


def client_of(request: Request) -> service.Client:
    """Where the request comes from, as uvicorn knows it (it reads proxy headers of trusted proxies)."""
    address = request.client.host if request.client else "unknown"
    device = request.cookies.get(cookie_name(request, DEVICE_COOKIE), "")
    return service.Client(address, request.headers.get("User-Agent", ""), device)


def limiter_of(request: Request) -> SignInLimiter:
    """The app's limits."""
    return cast("SignInLimiter", request.app.state.limiter)


def sign_in(request: Request, name: str, password: str) -> service.OpenedSession:
    """Opens a session under this app's limits; raises what `service.sign_in` raises."""
    here = rooms(request)
    opened = service.sign_in(
        here.database,
        limiter_of(request),
        name,
        password,
        client=client_of(request),
        at=here.clock.now(),
    )
    end_replaced(request)
    return opened


def complete_sign_in(request: Request, code: str) -> service.OpenedSession:
    """The second step, by the half-way cookie; raises what `service.complete` raises."""
    here = rooms(request)
    opened = service.complete(
        here.database,
        limiter_of(request),
        request.cookies.get(cookie_name(request, HALF_COOKIE), ""),
        code,
        client=client_of(request),
        at=here.clock.now(),
    )
    end_replaced(request)
    return opened


def end_replaced(request: Request) -> None:
    """Ends the session whose cookie is about to be overwritten: nobody could sign out of it any more."""
    replaced = request.cookies.get(cookie_name(request, SESSION_COOKIE))
    if replaced:
        with rooms(request).database.write() as session:
            service.sign_out(session, replaced)


def set_session_cookie(request: Request, response: Response, opened: service.OpenedSession) -> None:
    """Puts the session into the browser; Secure wherever the page came over https."""
    lasts = opened.expires_at - rooms(request).clock.now()
    # A span, not a moment: the browser's clock may be wrong.
    set_cookie(request, response, SESSION_COOKIE, opened.token, lasts)


def remember_device(request: Request, response: Response, user_id: str) -> None:
    """Lets the browser be known as one that this user signed in from."""
    here = rooms(request)
    with here.database.write() as session:
        token = known.remember(session, user_id, client_of(request).device, here.clock.now())
    set_cookie(request, response, DEVICE_COOKIE, token, known.LIFETIME)


def set_half_cookie(request: Request, response: Response, token: str) -> None:
    """Lets this browser, and no other, show the second step's code."""
    set_cookie(request, response, HALF_COOKIE, token, halfway.LIFETIME)


def set_cookie(request: Request, response: Response, name: str, value: str, lasts: dt.timedelta) -> None:
    """A cookie of ours: no script reads it, no other site's form sends it."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=int(lasts.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Takes a cookie of ours away."""
    response.delete_cookie(
        cookie_name(request, name),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def sign_out(request: Request, response: Response) -> None:
    """Ends this browser's session and takes the cookie away."""
    here = rooms(request)
    token = request.cookies.get(cookie_name(request, SESSION_COOKIE))
    if token:
        with here.database.write() as session:
            service.sign_out(session, token)
    drop_cookie(request, response, SESSION_COOKIE)


def _bearer(request: Request) -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None
