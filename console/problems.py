"""Errors as the outside sees them: RFC 9457 problem details in the API, a page elsewhere.

A problem's `code` is stable and has a text in the catalogues; `title` is for whoever
reads raw JSON. Nothing that the client sent is repeated in an answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from sqlalchemy.exc import DataError
from sqlalchemy.orm.exc import StaleDataError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from alerts.dispatch.actions import DispatchNotFoundError, DispatchRefusedError
from alerts.incidents.actions import IncidentNotFoundError, StaleVersionError
from alerts.incidents.lifecycle import StepRefusedError
from alerts.incidents.merging import MergeRefusedError
from alerts.plans.plan import StepError
from console.accounts.limits import TooManyAttemptsError
from console.accounts.passwords import (
    HashingBusyError,
    PasswordTooLongError,
    PasswordTooPlainError,
    PasswordTooShortError,
)
from console.accounts.service import SetupLinkInvalidError, SignInRefusedError
from console.context import ConsentMissingError, PhotoRefusedError
from console.headers import ALWAYS
from console.proofs import back_to
from console.security import (
    FACTOR_PATH,
    PROVE_PATH,
    SIGN_IN_PATH,
    CsrfError,
    ForbiddenError,
    NotSignedInError,
    ProofRequiredError,
    SecondFactorNeededError,
)
from registry.errors import MissingError, RefusedError, StaleEditError
from registry.faces.consents import GuardianRequiredError
from storage.media import MediaNotFoundError

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
_FOR_PROGRAMS: Final = ("/api/", "/healthz", "/readyz", "/metrics")


@dataclass(frozen=True)
class Problem:
    """One answer that is an error."""

    status: int
    code: str
    title: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class ProblemError(Exception):
    """Raised where the problem is known as such."""

    def __init__(self, status: int, code: str, title: str, **facts: Any) -> None:
        super().__init__(code)
        self.problem = Problem(status, code, title, facts)


def not_found(what: str) -> ProblemError:
    """404 for a resource named by its kind; also for what the asker may not know of."""
    return ProblemError(404, f"{what}_not_found", f"There is no such {what.replace('_', ' ')}")


# What each room's own error means to whoever asked.
_KNOWN: Final[dict[type[Exception], Callable[[Any], Problem]]] = {
    ProblemError: lambda e: e.problem,
    NotSignedInError: lambda _: Problem(
        401, "not_signed_in", "Sign in first", headers={"WWW-Authenticate": "Bearer"}
    ),
    ForbiddenError: lambda _: Problem(403, "forbidden", "Your role may not do this"),
    ProofRequiredError: lambda _: Problem(
        403, "proof_required", "Show once more who you are; a token needs the scope privacy"
    ),
    SecondFactorNeededError: lambda _: Problem(
        403, "second_factor_required", "Your role must have a second factor: enrol one first"
    ),
    CsrfError: lambda _: Problem(403, "csrf", "The form is not of this session; load the page again"),
    SignInRefusedError: lambda _: Problem(401, "sign_in_refused", "Name or password is wrong"),
    TooManyAttemptsError: lambda e: Problem(
        429,
        "too_many_attempts",
        "Too many attempts",
        {"retry_after_s": e.retry_after_s},
        {"Retry-After": str(e.retry_after_s)},
    ),
    HashingBusyError: lambda _: Problem(503, "busy", "Try again in a moment", headers={"Retry-After": "2"}),
    SetupLinkInvalidError: lambda _: Problem(410, "setup_link_invalid", "The link was used or has ended"),
    PasswordTooShortError: lambda e: Problem(
        422, "password_too_short", "The password is too short", {"minimum": e.minimum}
    ),
    PasswordTooLongError: lambda e: Problem(
        422, "password_too_long", "The password is too long", {"maximum": e.maximum}
    ),
    PasswordTooPlainError: lambda _: Problem(
        422, "password_too_plain", "The password repeats itself or the sign-in name"
    ),
    IncidentNotFoundError: lambda _: not_found("incident").problem,
    DispatchNotFoundError: lambda _: not_found("dispatch").problem,
    MediaNotFoundError: lambda _: not_found("picture").problem,
    StaleVersionError: lambda e: Problem(
        409, "stale_version", "Somebody else was faster", {"current_version": e.current_version}
    ),
    StepRefusedError: lambda e: Problem(
        409, e.code, "The incident cannot take this step", {"current": str(e.current), "to": str(e.to)}
    ),
    StepError: lambda e: Problem(
        404 if e.code == "no_such_step" else 409, e.code, "The plan does not allow this now", {"step": e.step}
    ),
    MergeRefusedError: lambda e: Problem(409, e.code, "The incidents cannot be put together or taken apart"),
    DispatchRefusedError: lambda e: Problem(409, e.code, "The dispatch does not allow this now"),
    ConsentMissingError: lambda _: Problem(
        409, "consent_missing", "The person has not consented to face access"
    ),
    GuardianRequiredError: lambda _: Problem(
        409, "guardian_required", "For a child under 14 a guardian must consent"
    ),
    RefusedError: lambda e: Problem(409, e.code, "The registry refuses this", e.facts),
    MissingError: lambda e: not_found(e.kind).problem,
    StaleEditError: lambda e: Problem(
        409, "stale_version", "Somebody else was faster", {"current_version": e.version}
    ),
    # Text that PostgreSQL cannot hold (a NUL, more than a column takes) came in the request.
    DataError: lambda _: Problem(422, "invalid_request", "A value in the request cannot be stored"),
    # The flush found it: another transaction came between reading and writing.
    StaleDataError: lambda _: Problem(409, "stale_version", "Somebody else was faster"),
    PhotoRefusedError: lambda e: Problem(
        422, "photo_refused", "The photo cannot be used", {"reason": e.code}
    ),
}


def install(app: FastAPI, error_page: Callable[[Request, int, str], Response] | None = None) -> None:
    """Makes the app answer errors in this way; `error_page` renders those of pages."""

    async def answer(request: Request, problem: Problem) -> Response:
        if request.url.path.startswith(_FOR_PROGRAMS):
            return as_json(problem)
        if problem.code == "not_signed_in" and request.method in {"GET", "HEAD"}:
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{SIGN_IN_PATH}?next={quote(target, safe='/')}", status_code=303)
        if problem.code == "proof_required":
            return _led_to(request, f"{PROVE_PATH}?next={quote(back_to(request), safe='/')}")
        if problem.code == "second_factor_required":
            return _led_to(request, FACTOR_PATH)
        response = _plain_page(problem)
        if error_page is not None:
            # The page of an error may need what is broken (the database, a text): the plain one does not.
            try:
                response = await run_in_threadpool(error_page, request, problem.status, problem.code)
            except Exception as error:  # noqa: BLE001 - the first error is what has to be answered
                log.error("problem.page_failed", code=problem.code, error=type(error).__name__)  # noqa: TRY400
        response.headers.update(problem.headers)
        return response

    async def known(request: Request, error: Exception) -> Response:
        kind = next(kind for kind in type(error).__mro__ if kind in _KNOWN)
        return await answer(request, _KNOWN[kind](error))

    async def refused_input(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # Places and kinds only: the value that was wrong may be anything, and is not shown again.
        faults = [{"where": _place(e["loc"]), "fault": e["type"]} for e in error.errors()[:20]]
        return await answer(
            request, Problem(422, "invalid_request", "The request is not valid", {"faults": faults})
        )

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        title = HTTPStatus(error.status_code).phrase
        code = _HTTP_CODES.get(error.status_code, f"http_{error.status_code}")
        return await answer(request, Problem(error.status_code, code, title, headers=error.headers or {}))

    async def unexpected(request: Request, _error: Exception) -> Response:
        response = await answer(request, Problem(500, "internal_error", "Something went wrong here"))
        # This answer is made outside the middleware that adds them everywhere else.
        response.headers.update(ALWAYS)
        return response

    for kind in _KNOWN:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, refused_input)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(Exception, unexpected)


_HTTP_CODES: Final = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}


def as_json(problem: Problem) -> JSONResponse:
    """The problem as `application/problem+json`."""
    body = {
        "type": f"urn:ringward:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        **problem.facts,
    }
    return JSONResponse(body, problem.status, dict(problem.headers), media_type=MEDIA_TYPE)


def _led_to(request: Request, path: str) -> Response:
    """To another page first; a part that htmx asked for takes the whole page with it."""
    if request.headers.get("HX-Request") == "true":
        return Response(status_code=403, headers={"HX-Redirect": path})
    return RedirectResponse(path, status_code=303)


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _plain_page(problem: Problem) -> Response:
    head = f'<!doctype html><html lang="en"><title>{problem.status} {problem.title}</title>'
    return HTMLResponse(f"{head}<h1>{problem.title}</h1><p>{problem.code}</p></html>", problem.status)
