"""A console on a temporary database, a virtual clock, browsers of every role, and a real nats-server."""

import asyncio
import datetime as dt
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from console_world import COMPOUND, START, build
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from alerts.incidents.actor import Actor
from bus.address import BusAddress
from console.accounts import service
from console.accounts.models import Role, User
from console.app import create_app
from console.context import EnrolledPhoto, PhotoRefusedError, Rooms
from console.security import CSRF_HEADER, SESSION_COOKIE
from registry.faces.templates import Embedding, enrol
from registry.models import Person
from storage import Base, Database, KeyRing, MediaStore, Vault
from storage.keys import install_ring
from storage.vault import install_vault

ORIGIN = "http://console.test"


@dataclass
class VirtualClock:
    moment: dt.datetime = START

    def now(self) -> dt.datetime:
        return self.moment

    def advance(self, **delta: float) -> None:
        self.moment += dt.timedelta(**delta)


@dataclass
class FakeEngine:
    """Sees a face in any photo but `no face`; consent is checked by the real registry."""

    database: Database
    clock: VirtualClock
    seen: list[bytes] = field(default_factory=list)

    def enrol(self, person_id: str, photo: bytes, actor: Actor) -> EnrolledPhoto:
        self.seen.append(photo)
        if photo == b"no face":
            raise PhotoRefusedError("no_face")
        with self.database.write() as session:
            person = session.get_one(Person, person_id)
            made = enrol(
                session,
                person,
                Embedding("fake", "1", 1, b"\0\0\0\0", 0.9),
                media_id=None,
                at=self.clock.now(),
            )
        return EnrolledPhoto(made.id, None, 0.9)


class Browser(httpx.AsyncClient):
    """A client that is signed in as `user` and sends the CSRF token unless told otherwise."""

    user: User | None = None


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    ring = KeyRing({1: bytes(range(32))})
    install_ring(ring)
    return ring


@pytest.fixture
def vault(ring: KeyRing, tmp_path: Path) -> Iterator[Vault]:
    """A vault of the test's own: whom one test erases, the next one knows."""
    vault = Vault.at(tmp_path / "keys" / "vault.db", ring)
    install_vault(vault)
    yield vault
    vault.close()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables, made once and copied for every test."""
    import console.app  # noqa: F401

    path = tmp_path_factory.mktemp("empty") / "empty.db"
    database = Database.at(path)
    Base.metadata.create_all(database.engine)
    database.close()
    return path


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def database(vault: Vault, empty_database: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "console.db"
    shutil.copy(empty_database, path)
    database = Database.at(path)
    yield database
    database.close()


@pytest.fixture
def media(ring: KeyRing, tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media", ring)


@pytest.fixture
def world(database: Database, media: MediaStore) -> SimpleNamespace:
    return build(database, media)


@pytest.fixture
def rooms(database: Database, media: MediaStore, clock: VirtualClock) -> Rooms:
    return Rooms(
        database=database,
        media=media,
        clock=clock,
        compound=COMPOUND,
        nats_url="nats://127.0.0.1:1",
        # As a running process gives them.
        nats_options=BusAddress("nats://nowhere").options(),
        portrait_engine=FakeEngine(database, clock),
        broker_ready=lambda: True,
        ingest_ready=lambda: True,
        metrics_registry=CollectorRegistry(),
    )


@pytest.fixture
def app(rooms: Rooms) -> FastAPI:
    return create_app(rooms)


@pytest.fixture
def make_user(database: Database, clock: VirtualClock) -> Callable[..., User]:
    def make(name: str, role: Role, responder_id: str | None = None) -> User:
        with database.write() as session:
            return service.create_user(session, name, role, clock.now(), responder_id=responder_id)

    return make


@pytest.fixture
async def browsers(app: FastAPI) -> AsyncIterator[Callable[..., Browser]]:
    opened: list[Browser] = []

    def open_browser(*, address: str = "10.0.0.9", origin: str = ORIGIN, **options: object) -> Browser:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 40_000))
        browser = Browser(transport=transport, base_url=origin, **options)
        opened.append(browser)
        return browser

    yield open_browser
    for browser in opened:
        await browser.aclose()


@pytest.fixture
def signed_in(
    browsers: Callable[..., Browser],
    make_user: Callable[..., User],
    database: Database,
    clock: VirtualClock,
) -> Callable[..., Browser]:
    def sign_in(role: Role, *, responder_id: str | None = None, name: str | None = None) -> Browser:
        user = make_user(name or role, role, responder_id)
        with database.write() as session:
            opened = service.open_session(session, user, service.Client("10.0.0.9"), clock.now())
        browser = browsers()
        browser.cookies.set(SESSION_COOKIE, opened.token)
        browser.headers[CSRF_HEADER] = opened.csrf_token
        browser.user = user
        return browser

    return sign_in


@pytest.fixture
def operator(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in(Role.OPERATOR)


@pytest.fixture
def administrator(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in(Role.ADMINISTRATOR)


@pytest.fixture
def volunteer(signed_in: Callable[..., Browser], world: SimpleNamespace) -> Browser:
    return signed_in(Role.VOLUNTEER, responder_id=world.responder)


@pytest.fixture
def anonymous(browsers: Callable[..., Browser]) -> Browser:
    return browsers()


# ── nats-server ───────────────────────────────────────────────────────────────


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class NatsServer:
    """A nats-server with JetStream that can be stopped and started on the same port and folder."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._spawn()
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    def _spawn(self) -> None:
        binary = Path(sys.executable).parent / "nats-server"
        self._process = subprocess.Popen(
            [binary, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", self._folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path / "nats")
    await server.start()
    yield server
    server.kill()


@pytest.fixture
def live_rooms(rooms: Rooms, nats_server: NatsServer) -> Rooms:
    return replace(rooms, nats_url=nats_server.url, metrics_registry=CollectorRegistry())
