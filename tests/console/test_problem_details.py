from dataclasses import replace
from typing import Annotated

import httpx
import pytest
from prometheus_client import CollectorRegistry

from console.accounts import service
from console.accounts.models import Role, User
from console.permissions import Action, may
from console.problems import MEDIA_TYPE
from console.security import CSRF_HEADER, SESSION_COOKIE
from registry.models import Compound

PROBE = "<script>alert(1)</script>"


async def test_problem_has_the_members_of_rfc_9457(operator, world):
    answer = await operator.get("/api/v1/incidents/none")
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert answer.json() == {
        "type": "urn:ringward:incident_not_found",
        "title": "There is no such incident",
        "status": 404,
        "code": "incident_not_found",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/no-such-thing", 404, "not_found"),
        ("PUT", "/api/v1/incidents", 405, "method_not_allowed"),
        ("GET", "/api/v1/events?limit=0", 422, "invalid_request"),
        ("GET", "/api/v1/events?from=2026-11-23T07:00:00", 422, "invalid_request"),
        ("GET", "/api/v1/people/adult", 422, "invalid_request"),
        ("GET", "/api/v1/events?cursor=AAAA", 400, "bad_cursor"),
        ("GET", "/api/v1/events?cursor=%00%ff", 400, "bad_cursor"),
        ("GET", "/api/v1/devices/cam-9", 404, "device_not_found"),
        ("GET", f"/api/v1/media/{'0' * 64}", 404, "picture_not_found"),
        ("GET", "/api/v1/media/..%2f..%2fetc", 404, "not_found"),
    ],
)
async def test_what_goes_wrong_is_a_problem(operator, world, method, path, status, code):
    answer = await operator.request(method, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, MEDIA_TYPE)
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)


async def test_fault_is_placed_without_repeating_the_value(operator, world):
    answer = await operator.post(f"/api/v1/incidents/{world.raised}/steps", json={"to": PROBE, PROBE: PROBE})
    assert answer.json()["faults"] == [{"where": "body.to", "fault": "enum"}]


@pytest.mark.parametrize(
    "path",
    [
        f"/api/v1/incidents/{PROBE}",
        f"/api/v1/{PROBE}",
        f"/api/v1/events?type={PROBE}",
        f"/api/v1/events?cursor={PROBE}",
        f"/api/v1/people/{PROBE}?purpose={PROBE}",
        f"/{PROBE}",
        f"/nothing?next={PROBE}",
    ],
)
async def test_nothing_sent_comes_back(operator, path):
    assert PROBE not in (await operator.get(path)).text


async def test_page_error_is_html_and_still_has_no_store(anonymous):
    answer = await anonymous.get("/no/such/page")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_page_for_users_leads_to_the_sign_in(app, anonymous):
    @app.get("/secret-page")
    def page(user: Annotated[User, may(Action.OWN_ACCOUNT)]) -> str:
        return user.name

    answer = await anonymous.get("/secret-page?a=1&b=//x")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=/secret-page%3Fa%3D1%26b%3D//x"


async def test_unexpected_error_tells_nothing_and_keeps_the_headers(app, operator):
    @app.get("/api/v1/broken")
    def broken() -> None:
        raise RuntimeError("the secret is 42")

    answer = await operator.get("/api/v1/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "42" not in answer.text
    assert answer.headers["Content-Security-Policy"]


async def test_failing_error_page_falls_back_to_a_plain_one(rooms, browsers, monkeypatch):
    import console.app
    import console.pages

    def fails(*_):
        raise LookupError("no text")

    monkeypatch.setattr(console.pages, "error_page", fails)
    app = console.app.create_app(replace(rooms, metrics_registry=CollectorRegistry()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as browser:
        answer = await browser.get("/nothing")
    assert answer.status_code == 404
    assert "<h1>Not Found</h1>" in answer.text


async def test_openapi_is_served_and_no_page_loads_from_elsewhere(anonymous):
    schema = (await anonymous.get("/api/v1/openapi.json")).json()
    assert schema["openapi"].startswith("3.1")
    assert "/api/v1/stream" in schema["paths"]
    assert not any(path.startswith(("/console", "/sign-in")) for path in schema["paths"])
    for path in ("/docs", "/redoc"):
        assert (await anonymous.get(path)).status_code == 404


async def test_stored_markup_is_data_in_json(operator, database, world):
    with database.write() as session:
        session.get_one(Compound, "honghua").name = PROBE
    answer = await operator.get("/api/v1/compounds")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json()["items"][0]["name"] == PROBE


async def test_what_postgresql_cannot_hold_is_the_askers_fault(postgres, app, rooms, browsers, clock):
    with postgres.database() as database:
        app.state.rooms = replace(rooms, database=database)
        with database.write() as session:
            session.add(Compound(id=rooms.compound, name="红花"))
            user = service.create_user(session, "manager", Role.PROPERTY_MANAGER, clock.now())
            opened = service.open_session(session, user, service.Client("10.0.0.9"), clock.now())
        browser = browsers()
        browser.cookies.set(SESSION_COOKIE, opened.token)
        browser.headers[CSRF_HEADER] = opened.csrf_token
        answer = await browser.post("/api/v1/people/search?purpose=review", json={"external_id": "a\0b"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
