"""A process's health for whoever looks after it: systemd, Kubernetes, Prometheus, a person with curl.

`/healthz` says that the process lives: its loop answers. `/readyz` says whether it can do its work
now, or could take it over, and if not, why. `/activez` says whether it is the one that does, for a
role of which there is one (`?role=` asks for one of several). `/metrics` is Prometheus' text. It tells
nothing of persons, asks for no password, and therefore listens on loopback unless it is told otherwise.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import parse_qs, urlsplit

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from ringward.ports import reachable
from ringward.roles import Role
from ringward.schemalook import SchemaLook
from storage import Database

log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 5.0
_RETRY_S: Final = 1.0
_MOST_BYTES: Final = 8192
_DATABASE_S: Final = 2.0
"""A database that takes longer to say a word is none to work with."""
_REASONS: Final = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}
_JSON: Final = "application/json"

Answer = tuple[int, str, bytes]


class Health:
    """What a process says of itself. `roles` may grow while it starts."""

    def __init__(self, roles: Sequence[Role], database: Database, metrics: CollectorRegistry) -> None:
        self._roles = roles
        self._database = database
        self._metrics = metrics
        self._schema = SchemaLook(database)
        self._looking: asyncio.Task[str | None] | None = None
        self.started = False
        self.draining = False

    async def answer(self, target: str) -> Answer:
        """To one request's target, path and query."""
        url = urlsplit(target)
        match url.path:
            case "/healthz":
                return 200, _JSON, b'{"status":"ok"}'
            case "/readyz":
                return await self._ready()
            case "/activez":
                return self._active(parse_qs(url.query).get("role", []))
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, await asyncio.to_thread(generate_latest, self._metrics)
        return 404, _JSON, b'{"status":"no such page"}'

    async def _ready(self) -> Answer:
        reasons = [f"role_not_ready:{role.name}" for role in self._roles if not role.ready()]
        if not self.started:
            reasons.append("starting")
        if self.draining:
            reasons.append("draining")
        else:
            amiss = await self._database_amiss()
            if amiss is not None:
                reasons.append(amiss)
        body = {
            "status": "unavailable" if reasons else "ok",
            "reasons": reasons,
            "roles": {role.name: {"ready": role.ready(), "active": role.active()} for role in self._roles},
        }
        return 503 if reasons else 200, _JSON, json.dumps(body).encode()

    def _active(self, asked: Sequence[str]) -> Answer:
        # Of which any number may work, each works.
        found = {
            role.name: role.active() is not False for role in self._roles if not asked or role.name in asked
        }
        is_active = bool(found) and all(found.values()) and not self.draining and set(asked) <= set(found)
        body = {"status": "active" if is_active else "standby", "roles": found}
        return 200 if is_active else 503, _JSON, json.dumps(body).encode()

    async def _database_amiss(self) -> str | None:
        """What is wrong with it; one look at a time, however many ask."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(asyncio.to_thread(self._schema.amiss), name="health-database")
        done, _ = await asyncio.wait([self._looking], timeout=_DATABASE_S)
        if not done:
            return "database_silent"
        return self._looking.result()


class HealthServer:
    """Answers GET, one request a connection, in the process's own loop."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        self._health = health
        self._host = host
        self._wished = port
        self.port = 0
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listens, at once or as soon as the port is free: no role waits for it."""
        with contextlib.suppress(OSError):
            await self._listen()
            return
        log.warning("health.port_taken", host=self._host, port=self._wished)
        self._opening = asyncio.create_task(self._until_open(), name="health-open")

    async def stop(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._server is not None:
            self._server.close()

    async def _until_open(self) -> None:
        while self._server is None:
            await asyncio.sleep(_RETRY_S)
            with contextlib.suppress(OSError):
                await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, self._host, self._wished, limit=_MOST_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]
        log.info("health.listening", url=f"http://{reachable(self._host)}:{self.port}")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                status, kind, body = await self._answer(head)
                writer.write(_head(status, kind, len(body)) + (b"" if head.startswith(b"HEAD ") else body))
                await writer.drain()
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError):
            # Whoever asks like this hears nothing.
            pass
        finally:
            writer.close()

    async def _answer(self, head: bytes) -> Answer:
        method, target, _version = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
        if method not in {"GET", "HEAD"}:
            return 405, _JSON, b'{"status":"only GET"}'
        return await self._health.answer(target)


def _head(status: int, kind: str, length: int) -> bytes:
    return (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    ).encode()


def server_for(
    health: Health, host: str, port: int, *, make: Callable[[Health, str, int], HealthServer] = HealthServer
) -> HealthServer | None:
    """None where the settings want none."""
    return make(health, host, port) if host else None
