"""Signing in and out, choosing a first password, and switching language and light."""

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import update

from console.accounts import factors, halfway, service
from console.accounts.halfway import CodeNeededError, HalfOverError
from console.accounts.limits import TooManyAttemptsError
from console.accounts.models import User
from console.accounts.passwords import (
    MINIMUM_LENGTH,
    HashingBusyError,
    PasswordTooLongError,
    PasswordTooPlainError,
    PasswordTooShortError,
)
from console.accounts.service import OpenedSession, SetupLinkInvalidError, SignInRefusedError
from console.context import rooms
from console.pages.navigation import home_of
from console.pages.view import THEME_COOKIE, THEMES, frame, render
from console.security import (
    HALF_COOKIE,
    SIGN_IN_PATH,
    client_of,
    complete_sign_in,
    cookie_name,
    drop_cookie,
    end_replaced,
    identify,
    remember_device,
    set_half_cookie,
    set_session_cookie,
    sign_in,
    sign_out,
)
from console.texts import COOKIE, LOCALES, locale_of

router = APIRouter()

CODE_PATH: Final = "/sign-in/code"
_YEAR_S: Final = 365 * 24 * 3600
# What the form says to those who are sent back to it; the texts are `sign_in.<code>` and `provider.<code>`.
_TOLD: Final = frozenset(
    {
        "over",
        "unreachable",
        "bad_issuer",
        "refused",
        "no_secret",
        "bad_signature",
        "bad_audience",
        "bad_nonce",
        "expired",
        "not_anew",
        "no_claim",
        "email_unverified",
        "bad_state",
        "not_linked",
        "name_taken",
        "other_user",
    }
)


def local_path(target: str | None, otherwise: str) -> str:
    """`target` if it is a path of this site: a link must not send people elsewhere after sign-in."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable():
        return target
    return otherwise


@router.get("/")
def home(request: Request) -> Response:
    """To the page of one's role."""
    identity = identify(request)
    return RedirectResponse(home_of(identity.user.role) if identity else SIGN_IN_PATH, 303)


@router.get("/sign-in")
def sign_in_form(request: Request, next: str = "", refused: str = "") -> Response:  # noqa: A002 - the public name
    identity = identify(request)
    if identity:
        return RedirectResponse(local_path(next, home_of(identity.user.role)), 303)
    return _form(request, next, refused=refused if refused in _TOLD else None)


@router.post("/sign-in")
def sign_in_post(
    request: Request,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002
) -> Response:
    """Opens a session or goes on to the code, without saying which half was wrong."""
    try:
        opened = sign_in(request, name, password)
    except CodeNeededError as half:
        response = RedirectResponse(f"{CODE_PATH}?next={quote(local_path(next, '/'), safe='/')}", 303)
        set_half_cookie(request, response, half.token)
        return response
    except SignInRefusedError:
        return _form(request, next, status=401, name=name, refused="wrong")
    except TooManyAttemptsError as error:
        return _slowed(_form(request, next, status=429, name=name, refused="too_many", error=error), error)
    return entered(request, opened, next)


@router.get(CODE_PATH)
def code_form(request: Request, next: str = "") -> Response:  # noqa: A002
    """The second step: the code of the app, or a recovery code."""
    here = rooms(request)
    half = request.cookies.get(cookie_name(request, HALF_COOKIE), "")
    with here.database.read() as session:
        waiting = halfway.is_open(session, half, here.clock.now())
    if not waiting:
        return RedirectResponse(
            f"{SIGN_IN_PATH}?refused=over&next={quote(local_path(next, '/'), safe='/')}", 303
        )
    return render(frame(request), "sign_in_code.html", next=next, refused=None, retry_after=0)


@router.post(CODE_PATH)
def code_post(
    request: Request,
    code: Annotated[str, Form(max_length=64)] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002
) -> Response:
    """Opens the session, or asks again; after a few tries one begins anew."""
    try:
        opened = complete_sign_in(request, code)
    except HalfOverError:
        over = f"{SIGN_IN_PATH}?refused=over&next={quote(local_path(next, '/'), safe='/')}"
        return RedirectResponse(over, 303)
    except SignInRefusedError:
        return render(
            frame(request), "sign_in_code.html", status=401, next=next, refused="wrong", retry_after=0
        )
    except TooManyAttemptsError as error:
        page = render(
            frame(request),
            "sign_in_code.html",
            status=429,
            next=next,
            refused="too_many",
            retry_after=error.retry_after_s,
        )
        return _slowed(page, error)
    response = entered(request, opened, next)
    drop_cookie(request, response, HALF_COOKIE)
    return response


def entered(request: Request, opened: OpenedSession, target: str) -> Response:
    """The session in the browser, which is known from now on; then to where one wanted to go."""
    response = RedirectResponse(local_path(target, home_of(opened.user.role)), 303)
    set_session_cookie(request, response, opened)
    remember_device(request, response, opened.user.id)
    # What the account remembers is how this browser shows it.
    if opened.user.theme in THEMES:
        keep(request, response, THEME_COOKIE, opened.user.theme)
    if opened.user.language and locale_of(opened.user.language) in LOCALES:
        keep(request, response, COOKIE, opened.user.language)
    return response


def _form(
    request: Request,
    target: str,
    *,
    status: int = 200,
    name: str = "",
    refused: str | None = None,
    error: TooManyAttemptsError | None = None,
) -> Response:
    provider = rooms(request).provider
    return render(
        frame(request),
        "sign_in.html",
        status=status,
        next=target,
        name=name,
        refused=refused,
        retry_after=error.retry_after_s if error else 0,
        provider=provider.settings if provider else None,
    )


def _slowed(response: Response, error: TooManyAttemptsError) -> Response:
    response.headers["Retry-After"] = str(error.retry_after_s)
    return response


@router.post("/sign-out")
def sign_out_post(request: Request) -> Response:
    response = RedirectResponse(SIGN_IN_PATH, 303)
    sign_out(request, response)
    return response


@router.get("/setup/{token}")
def setup_form(request: Request, token: str) -> Response:
    """The one-time page on which somebody chooses a password."""
    here = rooms(request)
    with here.database.read() as session:
        valid = service.setup_link_is_valid(session, token, here.clock.now())
    return render(
        frame(request),
        "setup.html",
        status=200 if valid else 410,
        valid=valid,
        token=token,
        refused=None,
        minimum=MINIMUM_LENGTH,
    )


@router.post("/setup/{token}")
def setup_post(
    request: Request,
    token: str,
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Sets the password and signs in; a refused password leaves the link usable."""
    here = rooms(request)
    refused, status = None, 422
    if password != again:
        refused = "differ"
    else:
        try:
            with here.database.write() as session:
                user = service.redeem_setup_link(session, token, password, here.clock.now())
                # Whoever held the link has just proved as much as a password would.
                # A second factor is asked for all the same: the link stands in for a password alone.
                half = None
                if factors.enrolled(session, user.id) is None:
                    opened = service.open_session(
                        session, user, client_of(request), here.clock.now(), method="setup"
                    )
                else:
                    half = halfway.begin(session, user.id, "setup", here.clock.now())
        except PasswordTooShortError:
            refused = "short"
        except PasswordTooPlainError:
            refused = "plain"
        except PasswordTooLongError:
            refused = "long"
        except HashingBusyError:
            refused, status = "busy", 503
        except SetupLinkInvalidError:
            return render(
                frame(request),
                "setup.html",
                status=410,
                valid=False,
                token=token,
                refused=None,
                minimum=MINIMUM_LENGTH,
            )
    if refused:
        return render(
            frame(request),
            "setup.html",
            status=status,
            valid=True,
            token=token,
            refused=refused,
            minimum=MINIMUM_LENGTH,
        )
    if half is not None:
        response: Response = RedirectResponse(CODE_PATH, 303)
        set_half_cookie(request, response, half)
        return response
    end_replaced(request)
    return entered(request, opened, "")


@router.get("/language/{tag}")
def language(request: Request, tag: str, next: str = "/") -> Response:  # noqa: A002
    """Keeps the chosen language, in this browser and in the account, and goes back."""
    response = RedirectResponse(local_path(next, "/"), 303)
    locale = locale_of(tag)
    if locale in LOCALES:
        keep(request, response, COOKIE, tag[:16])
        _remember(request, language=tag[:16])
    return response


@router.post("/theme")
def theme(
    request: Request,
    theme: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Keeps light, dark, or what the computer says (`auto`), in this browser and in the account."""
    response = RedirectResponse(local_path(next, "/"), 303)
    if theme in THEMES:
        keep(request, response, THEME_COOKIE, theme)
    else:
        response.delete_cookie(THEME_COOKIE, path="/")
    _remember(request, theme=theme if theme in THEMES else None)
    return response


def _remember(request: Request, **choice: str | None) -> None:
    """Writes a choice into the account of whoever is signed in, so that other browsers know it."""
    identity = identify(request)
    if identity is None:
        return
    with rooms(request).database.write() as session:
        session.execute(update(User).where(User.id == identity.user.id).values(**choice))


def keep(request: Request, response: Response, cookie: str, value: str) -> None:
    """A choice of this browser's, for a year."""
    response.set_cookie(
        cookie,
        value,
        max_age=_YEAR_S,
        path="/",
        samesite="lax",
        httponly=True,
        secure=request.url.scheme == "https",
    )
