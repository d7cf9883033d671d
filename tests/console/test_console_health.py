from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter

from console.accounts.models import Role, User
from console.accounts.tokens import Scope, issue_api_token
from console.app import create_app
from storage import KeyRing, ringmark


class ConnectedFeed:
    connected = True
    position = None


def client(app: FastAPI, address: str = "10.0.0.9") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://console.test")


def refuses() -> bool:
    raise OSError("no route")


@pytest.mark.parametrize(
    ("broken", "missing"),
    [
        ({}, None),
        ({"broker_ready": lambda: False}, "broker"),
        ({"broker_ready": refuses}, "broker"),
        ({"ingest_ready": lambda: False}, "ingest"),
    ],
)
async def test_ready_says_what_is_missing(rooms, broken, missing):
    app = create_app(replace(rooms, **broken))
    app.state.feed = ConnectedFeed()
    async with client(app) as browser:
        answer = await browser.get("/readyz")
        assert answer.status_code == (503 if missing else 200)
        checks = answer.json()["checks"]
        assert set(checks) == {"database", "broker", "ingest", "keys", "live"}
        assert {name for name, holds in checks.items() if not holds} == ({missing} if missing else set())
        assert (await browser.get("/healthz")).json() == {"status": "alive"}


async def test_not_ready_without_database(rooms, monkeypatch):
    def gone(_self):
        raise OSError("disk")

    monkeypatch.setattr(type(rooms.database), "ping", gone)
    app = create_app(rooms)
    app.state.feed = ConnectedFeed()
    async with client(app) as browser:
        assert (await browser.get("/readyz")).json()["checks"]["database"] is False
        assert (await browser.get("/healthz")).status_code == 200


async def test_not_ready_with_the_keys_of_another_deployment(rooms):
    ringmark.ensure(rooms.database, KeyRing({1: b"o" * 32}), rooms.clock.now())
    app = create_app(rooms)
    app.state.feed = ConnectedFeed()
    async with client(app) as browser:
        answer = await browser.get("/readyz")
        assert answer.status_code == 503
        assert [name for name, holds in answer.json()["checks"].items() if not holds] == ["keys"]


@pytest.fixture
def counted(rooms) -> FastAPI:
    registry = CollectorRegistry()
    Counter("ringward_test", "A test's counter", registry=registry).inc()
    return create_app(replace(rooms, metrics_registry=registry))


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.9", {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.9"}, 401),
        ("10.0.0.9", {"Authorization": "Bearer rw_guess"}, 401),
    ],
)
async def test_metrics_are_for_this_machine(counted, address, headers, status):
    async with client(counted, address) as browser:
        answer = await browser.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("ringward_test_total 1.0" in answer.text) is (status == 200)


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [
        (Role.OPERATOR, Scope.METRICS, 200),
        (Role.OPERATOR, Scope.READ, 403),
        (Role.VOLUNTEER, Scope.METRICS, 200),
    ],
)
async def test_metrics_from_elsewhere_need_a_token_for_them(
    counted, database, clock, make_user, role, scope, status
):
    user = make_user("prometheus", role)
    with database.write() as session:
        token = issue_api_token(
            session,
            session.get_one(User, user.id),
            "prometheus",
            [scope],
            at=clock.now(),
            expires_at=clock.now().replace(year=2027),
        )
    async with client(counted) as browser:
        answer = await browser.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status


async def test_metrics_are_shown_to_staff_who_signed_in(operator, volunteer):
    assert (await operator.get("/metrics")).status_code == 200
    assert (await volunteer.get("/metrics")).status_code == 403


async def test_requests_are_counted_by_surface_and_class_of_status_and_live_streams_are_not(rooms):
    registry = CollectorRegistry()
    app = create_app(replace(rooms, metrics_registry=registry))
    async with client(app) as browser:
        for path in ("/healthz", "/api/v1/incidents", "/static/nothing.js", "/api/v1/stream"):
            await browser.get(path)

    def counted(surface: str, status: str) -> float | None:
        labels = {"surface": surface, "status": status}
        return registry.get_sample_value("ringward_console_request_seconds_count", labels)

    assert (counted("pages", "2xx"), counted("api", "4xx"), counted("static", "4xx")) == (1, 1, 1)
