import datetime as dt

import pytest
from fastapi import APIRouter, Depends, Request, Response

from console.accounts import service
from console.accounts.models import Role, User, UserSession
from console.accounts.tokens import Scope, issue_api_token
from console.headers import CONTENT_SECURITY_POLICY, MAX_BODY_BYTES
from console.security import (
    CSRF_COOKIE,
    CSRF_FIELD,
    CSRF_HEADER,
    SESSION_COOKIE,
    check_csrf,
    csrf_token,
    set_session_cookie,
    sign_in,
    sign_out,
)


@pytest.fixture
def with_form(app):
    """A page with a form, as `console.pages` has them."""
    router = APIRouter(dependencies=[Depends(check_csrf)])

    @router.get("/form")
    def form(request: Request) -> Response:
        return Response(csrf_token(request))

    @router.post("/form")
    async def sent(request: Request) -> Response:
        fields = await request.form()
        return Response(str(fields.get("name")))

    @router.post("/out")
    def out(request: Request) -> Response:
        response = Response()
        sign_out(request, response)
        return response

    app.include_router(router)
    return app


def withdraw(world) -> str:
    return "/api/v1/people/adult/consents/face_access"


async def test_cookie_without_token_changes_nothing(operator, world):
    operator.headers.pop(CSRF_HEADER)
    answer = await operator.delete(withdraw(world))
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


async def test_token_of_another_session_is_refused(operator, signed_in, world):
    other = signed_in(Role.ADMINISTRATOR)
    answer = await operator.delete(withdraw(world), headers={CSRF_HEADER: other.headers[CSRF_HEADER]})
    assert answer.json()["code"] == "csrf"


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403)]
)
async def test_browser_that_says_the_form_is_foreign_is_believed(operator, world, site, status):
    answer = await operator.delete(withdraw(world), headers={"Sec-Fetch-Site": site})
    assert answer.status_code == status


async def test_form_field_carries_the_token(with_form, operator):
    token = operator.headers.pop(CSRF_HEADER)
    assert (await operator.post("/form", data={"name": "li"})).status_code == 403
    answer = await operator.post("/form", data={"name": "li", CSRF_FIELD: token})
    assert (answer.status_code, answer.text) == (200, "li")


async def test_multipart_form_carries_the_token(with_form, operator):
    token = operator.headers.pop(CSRF_HEADER)
    answer = await operator.post("/form", data={"name": "li", CSRF_FIELD: token}, files={"f": b"x"})
    assert (answer.status_code, answer.text) == (200, "li")


async def test_form_before_signing_in_is_bound_to_a_cookie(with_form, anonymous, browsers):
    page = await anonymous.get("/form")
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith(f"{CSRF_COOKIE}={page.text};")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie
    assert (await anonymous.get("/form")).text == page.text, "a second tab keeps the first one's form valid"
    assert (await anonymous.post("/form", data={"name": "a", CSRF_FIELD: page.text})).status_code == 200
    assert (await anonymous.post("/form", data={"name": "a"})).status_code == 403
    assert (await browsers().post("/form", data={"name": "a", CSRF_FIELD: page.text})).status_code == 403


async def test_cookies_are_secure_over_https(with_form, browsers, app, make_user, clock):
    page = await browsers(origin="https://console.test").get("/form")
    assert "Secure" in page.headers["Set-Cookie"]
    assert page.headers["Strict-Transport-Security"]
    user = make_user("li", Role.OPERATOR)
    opened = service.OpenedSession("t", "c", user, clock.now() + dt.timedelta(hours=1))
    for scheme, secure in (("https", True), ("http", False)):
        response = Response()
        scope = {"type": "http", "app": app, "scheme": scheme, "server": ("x", 1), "path": "/", "headers": []}
        request = Request(scope)
        set_session_cookie(request, response, opened)
        cookie = response.headers["Set-Cookie"]
        prefix = "__Host-" if secure else ""
        assert cookie.startswith(f"{prefix}{SESSION_COOKIE}=t; HttpOnly; Max-Age=3600; Path=/; SameSite=lax")
        assert "SameSite=lax" in cookie
        assert ("Secure" in cookie) is secure


async def test_signing_out_ends_the_session_on_the_server(with_form, operator, browsers):
    token = operator.cookies[SESSION_COOKIE]
    answer = await operator.post("/out")
    assert answer.status_code == 200
    thief = browsers()
    thief.cookies.set(SESSION_COOKIE, token)
    assert (await thief.get("/api/v1/me")).status_code == 401


async def test_signing_in_again_ends_the_session_it_replaces(app, operator, database, clock, browsers):
    with database.write() as session:
        user = session.get_one(User, operator.user.id)
        token = service.issue_setup_link(session, user, clock.now())
    with database.write() as session:
        service.redeem_setup_link(session, token, "correct horse battery", clock.now())
        old = service.open_session(session, operator.user, service.Client("x"), clock.now()).token

    @app.post("/enter")
    def enter(request: Request) -> Response:
        response = Response()
        set_session_cookie(request, response, sign_in(request, "operator", "correct horse battery"))
        return response

    browser = browsers()
    browser.cookies.set(SESSION_COOKIE, old)
    fresh = (await browser.post("/enter")).cookies[SESSION_COOKIE]
    for value, status in ((old, 401), (fresh, 200)):
        other = browsers()
        other.cookies.set(SESSION_COOKIE, value)
        assert (await other.get("/api/v1/me")).status_code == status


async def test_every_answer_carries_the_security_headers(operator, anonymous, world):
    for browser, path in (
        (operator, "/api/v1/me"),
        (anonymous, "/api/v1/me"),
        (anonymous, "/healthz"),
        (anonymous, "/no/such/page"),
        (anonymous, "/static/vendor/htmx.min.js"),
    ):
        headers = (await browser.get(path)).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert ("Cache-Control" in headers) is not path.startswith("/static/")


async def test_what_was_seen_is_not_kept_by_the_browser(operator):
    assert (await operator.get("/api/v1/me")).headers["Cache-Control"] == "no-store"


async def test_session_that_ended_is_nobody(operator, clock):
    clock.advance(hours=12)
    assert (await operator.get("/api/v1/me")).status_code == 401


async def test_use_of_a_session_is_noted_now_and_then(operator, database, clock):
    def last_seen():
        with database.read() as session:
            return session.query(UserSession.last_seen).scalar()

    first = last_seen()
    clock.advance(minutes=4)
    await operator.get("/api/v1/me")
    assert last_seen() == first
    clock.advance(minutes=2)
    await operator.get("/api/v1/me")
    assert last_seen() == clock.now()


# ── API tokens ────────────────────────────────────────────────────────────────


@pytest.fixture
def token_for(database, clock, make_user):
    def issue(*scopes: Scope, role: Role = Role.OPERATOR, days: int = 30) -> str:
        user = make_user(f"program {len(scopes)} {role}", role)
        with database.write() as session:
            return issue_api_token(
                session,
                session.get_one(User, user.id),
                "integration",
                scopes,
                at=clock.now(),
                expires_at=clock.now() + dt.timedelta(days=days),
            )

    return issue


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_token_needs_no_csrf_but_the_scope(anonymous, world, token_for):
    reading, writing = token_for(Scope.READ), token_for(Scope.READ, Scope.WRITE)
    assert (await anonymous.get("/api/v1/devices", headers=bearer(reading))).status_code == 200
    assert (await anonymous.delete(withdraw(world), headers=bearer(reading))).json()["code"] == "forbidden"
    assert (await anonymous.delete(withdraw(world), headers=bearer(writing))).status_code == 200


async def test_token_is_bounded_by_the_role_of_its_user(anonymous, world, token_for):
    token = token_for(Scope.READ, role=Role.VOLUNTEER)
    assert (await anonymous.get("/api/v1/devices", headers=bearer(token))).status_code == 403


async def test_token_ends(anonymous, token_for, clock):
    token = token_for(Scope.READ, days=1)
    clock.advance(days=1)
    assert (await anonymous.get("/api/v1/me", headers=bearer(token))).status_code == 401


async def test_bad_token_does_not_fall_back_to_the_cookie(operator, world):
    operator.headers.pop(CSRF_HEADER)
    answer = await operator.delete(withdraw(world), headers=bearer("rw_guess"))
    assert answer.status_code == 401


# ── size ──────────────────────────────────────────────────────────────────────


async def test_body_that_says_it_is_too_large_is_not_read(operator):
    headers = {"Content-Length": str(MAX_BODY_BYTES + 1), "Content-Type": "application/json"}
    answer = await operator.post("/api/v1/incidents/x/steps", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.headers["Content-Security-Policy"]


async def test_body_that_does_not_say_is_counted(operator):
    async def endless():
        for _ in range(MAX_BODY_BYTES // 65_536 + 2):
            yield b" " * 65_536

    answer = await operator.post(
        "/api/v1/incidents/x/steps", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
