"""What a process says of its health in each state; nobody is kept waiting and nothing is told of anybody."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from ringward.health import Health, HealthServer, server_for
from ringward.roles import Role
from storage import Database
from tests.support.waiting import until


class Made(Role):
    def __init__(self, name: str, *, ready: bool = True, active: bool | None = None) -> None:
        self.name = name
        self.is_ready, self.is_active = ready, active

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def ready(self) -> bool:
        return self.is_ready

    def active(self) -> bool | None:
        return self.is_active


@pytest.fixture
def health(database: Database) -> Health:
    metrics = CollectorRegistry()
    Counter("ringward_tests_things", "Things.", registry=metrics).inc()
    made = Health([Made("relay", active=True), Made("console")], database, metrics)
    made.started = True
    return made


@pytest.fixture
async def server(health: Health) -> AsyncIterator[HealthServer]:
    made = HealthServer(health, "127.0.0.1", 0)
    await made.start()
    yield made
    await made.stop()


async def ask(server: HealthServer, page: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{server.port}{page}", timeout=30)


async def test_a_process_that_works(server: HealthServer) -> None:
    assert (await ask(server, "/healthz")).json() == {"status": "ok"}
    ready = await ask(server, "/readyz")
    assert (ready.status_code, ready.json()["reasons"]) == (200, [])
    assert ready.json()["roles"]["relay"] == {"ready": True, "active": True}
    assert (await ask(server, "/activez")).status_code == 200
    metrics = await ask(server, "/metrics")
    assert "ringward_tests_things_total 1.0" in metrics.text
    assert (await ask(server, "/elsewhere")).status_code == 404


async def test_one_that_stands_by_is_ready_and_not_active(server: HealthServer, health: Health) -> None:
    health._roles[0].is_active = False
    assert (await ask(server, "/readyz")).status_code == 200
    assert (await ask(server, "/activez")).status_code == 503
    # Of a console any number works, and of what does not run here nothing does.
    assert (await ask(server, "/activez?role=console")).status_code == 200
    assert (await ask(server, "/activez?role=ingest")).status_code == 503


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda health: setattr(health._roles[0], "is_ready", False), "role_not_ready:relay"),
        (lambda health: setattr(health, "started", False), "starting"),
        (lambda health: setattr(health, "draining", True), "draining"),
    ],
)
async def test_what_is_missing_is_said(server: HealthServer, health: Health, change, reason: str) -> None:
    change(health)
    answer = await ask(server, "/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, [reason])
    assert (await ask(server, "/healthz")).status_code == 200


async def test_one_that_drains_is_no_more_the_active_one(server: HealthServer, health: Health) -> None:
    health.draining = True
    assert (await ask(server, "/activez")).status_code == 503


@pytest.mark.parametrize(("revision", "reason"), [("0001", "schema_old"), ("9999", "schema_new")])
async def test_a_schema_of_another_version_is_said(
    server: HealthServer, database: Database, revision: str, reason: str
) -> None:
    with database.write() as session:
        from sqlalchemy import text

        session.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": revision})
        session.execute(text("UPDATE schema_floor SET floor = '9998'"))
    assert (await ask(server, "/readyz")).json()["reasons"] == [reason]


async def test_a_database_without_a_schema_is_said(tmp_path) -> None:
    empty = Database.at(tmp_path / "empty.db")
    health = Health([], empty, CollectorRegistry())
    health.started = True
    status, _, body = await health.answer("/readyz")
    assert (status, json.loads(body)["reasons"]) == (503, ["schema_missing"])
    empty.close()


async def test_a_port_that_is_taken_is_listened_on_when_it_is_free(health: Health) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = HealthServer(health, "127.0.0.1", port)
        await server.start()
        assert server.port == 0
    await until(lambda: server.port == port, "it listens")
    assert (await ask(server, "/healthz")).status_code == 200
    await server.stop()


async def test_whoever_does_not_speak_http_hears_nothing(server: HealthServer) -> None:
    for said in (b"\r\n\r\n", b"\xff\xfe / x\r\n\r\n", b"GET /healthz\r\n\r\n", b"x" * 20_000 + b"\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(said)
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()
    assert (await ask(server, "/healthz")).status_code == 200


def test_no_address_is_no_server(health: Health) -> None:
    assert server_for(health, "", 0) is None
