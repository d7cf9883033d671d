"""Signing in and out, choosing a first password, and switching language and light."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts import service
from console.accounts.limits import TooManyAttemptsError
from console.accounts.passwords import (
    MINIMUM_LENGTH,
    HashingBusyError,
    PasswordTooLongError,
    PasswordTooShortError,
)
from console.accounts.service import SetupLinkInvalidError, SignInRefusedError
from console.context import rooms
from console.pages.navigation import home_of
from console.pages.view import THEME_COOKIE, THEMES, frame, render
from console.security import (
    SIGN_IN_PATH,
    client_of,
    identify,
    set_session_cookie,
    sign_in,
    sign_out,
)
from console.texts import COOKIE, LOCALES, locale_of

router = APIRouter()

_YEAR_S: Final = 365 * 24 * 3600


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
def sign_in_form(request: Request, next: str = "") -> Response:  # noqa: A002 - the parameter's public name
    identity = identify(request)
    if identity:
        return RedirectResponse(local_path(next, home_of(identity.user.role)), 303)
    return render(frame(request), "sign_in.html", next=next, name="", refused=None, retry_after=0)


@router.post("/sign-in")
def sign_in_post(
    request: Request,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002
) -> Response:
    """Opens a session, or shows the form again without saying which half was wrong."""
    try:
        opened = sign_in(request, name, password)
    except SignInRefusedError:
        view = frame(request)
        return render(view, "sign_in.html", status=401, next=next, name=name, refused="wrong", retry_after=0)
    except TooManyAttemptsError as error:
        slowed = render(
            frame(request),
            "sign_in.html",
            status=429,
            next=next,
            name=name,
            refused="too_many",
            retry_after=error.retry_after_s,
        )
        slowed.headers["Retry-After"] = str(error.retry_after_s)
        return slowed
    response = RedirectResponse(local_path(next, home_of(opened.user.role)), 303)
    set_session_cookie(request, response, opened)
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
                opened = service.open_session(session, user, client_of(request), here.clock.now())
        except PasswordTooShortError:
            refused = "short"
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
    response = RedirectResponse(home_of(opened.user.role), 303)
    set_session_cookie(request, response, opened)
    return response


@router.get("/language/{tag}")
def language(request: Request, tag: str, next: str = "/") -> Response:  # noqa: A002
    """Keeps the chosen language in a cookie and goes back."""
    response = RedirectResponse(local_path(next, "/"), 303)
    locale = locale_of(tag)
    if locale in LOCALES:
        _keep(request, response, COOKIE, tag[:16])
    return response


@router.post("/theme")
def theme(
    request: Request,
    theme: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Keeps light, dark, or what the computer says (`auto`), and goes back."""
    response = RedirectResponse(local_path(next, "/"), 303)
    if theme in THEMES:
        _keep(request, response, THEME_COOKIE, theme)
    else:
        response.delete_cookie(THEME_COOKIE, path="/")
    return response


def _keep(request: Request, response: Response, cookie: str, value: str) -> None:
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
