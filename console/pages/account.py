"""One's own account: who one is here, language and light, the password, and where one is signed in."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts import factors, service
from console.accounts.models import User
from console.accounts.passwords import (
    MINIMUM_LENGTH,
    HashingBusyError,
    PasswordTooLongError,
    PasswordTooPlainError,
    PasswordTooShortError,
)
from console.accounts.service import SignInRefusedError
from console.context import rooms
from console.pages.view import frame, render
from console.permissions import Action, allowed, may
from console.security import Identity, NotSignedInError, client_of, identify, limiter_of
from storage.audit import AuditEntry, append

router = APIRouter(prefix="/account")
Anybody = Annotated[User, may(Action.OWN_ACCOUNT)]

_DONE: Final = frozenset({"ended", "others", "password", "factor_removed", "nothing"})


@router.get("")
def account(request: Request, user: Anybody, done: str = "") -> Response:
    """The page; what was just done is said at its top."""
    here, identity = rooms(request), _identity(request)
    at = here.clock.now()
    with here.database.read() as session:
        sessions = service.sessions_of(session, user.id, at)
        factor = factors.enrolled(session, user.id)
        left = factors.codes_left(session, user.id) if factor else 0
        session.expunge_all()
    return render(
        frame(request),
        "account.html",
        user=user,
        resident=allowed(user, Action.OWN_DATA),
        done=done if done in _DONE else None,
        factor=factor,
        codes_left=left,
        factor_needed=factors.needed(user.role, here.second_factor_roles),
        sessions=[
            (service.session_id(one.token_hash), one, one.token_hash == identity.token_hash)
            for one in sessions
        ],
        linked=here.provider.settings.name if here.provider and user.provider_key else None,
        provider=here.provider is not None and user.provider_key is not None,
    )


@router.post("/sessions/end")
def end_one(request: Request, user: Anybody, session_id: Annotated[str, Form(max_length=64)]) -> Response:
    """Signs one device out; this one too, if it is chosen."""
    here = rooms(request)
    with here.database.write() as session:
        ended = service.end_session(session, user.id, session_id)
        if ended:
            entry = AuditEntry(user.id, user.role, "account.session_ended", "sign_in", f"user:{user.id}")
            append(session, here.clock.now(), entry)
    return RedirectResponse(f"/account?done={'ended' if ended else 'nothing'}", 303)


@router.post("/sessions/end-others")
def end_others(request: Request, user: Anybody) -> Response:
    """Signs every other device out."""
    here, identity = rooms(request), _identity(request)
    with here.database.write() as session:
        ended = service.end_sessions(session, user, but=identity.token_hash)
        entry = AuditEntry(
            user.id, user.role, "account.sessions_ended", "sign_in", f"user:{user.id}", str(ended)
        )
        append(session, here.clock.now(), entry)
    return RedirectResponse("/account?done=others", 303)


@router.get("/password")
def password_form(request: Request, user: Anybody) -> Response:
    """The old password and a new one."""
    return _password(request, user)


@router.post("/password")
def password(
    request: Request,
    user: Anybody,
    old: Annotated[str, Form(max_length=1024)] = "",
    new: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Changes it and signs every other device out."""
    if new != again:
        return _password(request, user, refused="differ", status=422)
    here, identity = rooms(request), _identity(request)
    at = here.clock.now()
    attempt = service.attempt_of(here.database, user.id, client_of(request), at)
    limiter = limiter_of(request)
    limiter.check(attempt, at)
    try:
        service.change_password(here.database, user.id, old, new, keep=identity.token_hash, at=at)
    except SignInRefusedError:
        limiter.failed(attempt, at)
        return _password(request, user, refused="old", status=401)
    except PasswordTooShortError:
        return _password(request, user, refused="short", status=422)
    except PasswordTooLongError:
        return _password(request, user, refused="long", status=422)
    except PasswordTooPlainError:
        return _password(request, user, refused="plain", status=422)
    except HashingBusyError:
        return _password(request, user, refused="busy", status=503)
    return RedirectResponse("/account?done=password", 303)


def _password(request: Request, user: User, *, refused: str | None = None, status: int = 200) -> Response:
    return render(
        frame(request),
        "account_password.html",
        status=status,
        refused=refused,
        minimum=MINIMUM_LENGTH,
        has_password=user.password_hash is not None,
    )


def _identity(request: Request) -> Identity:
    identity = identify(request)
    if identity is None:
        raise NotSignedInError
    return identity
