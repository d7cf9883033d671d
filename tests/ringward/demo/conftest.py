import datetime as dt
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import pytest
from sqlalchemy import select

import storage.keys
import storage.vault
from bus.embedded import DeviceLogin, EmbeddedConfig, find_server
from ringward.demo import DemoCredentials, build_demo
from storage import Base, Database, KeyRing, MediaStore, Vault
from storage.keys import install_ring
from storage.vault import install_vault

NOW = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def portraits_dir() -> Path:
    return Path(sys.prefix) / "share" / "ringward" / "portraits"


@dataclass
class FixedClock:
    at: dt.datetime = NOW

    def now(self) -> dt.datetime:
        return self.at


@dataclass
class Home:
    """A built demo compound on disk."""

    folder: Path
    database: Database
    media: MediaStore
    clock: FixedClock
    credentials: DemoCredentials

    def rows(self, table: type[Base]) -> list:
        """All rows of a table, usable after the session."""
        with self.database.read() as session:
            found = list(session.scalars(select(table)))
            session.expunge_all()
        return found


def use_keys_of(folder: Path) -> KeyRing:
    ring = KeyRing.load(folder / "keys")
    install_ring(ring)
    install_vault(Vault.at(folder / "vault.db", ring))
    return ring


def make_home(folder: Path) -> Home:
    ring = use_keys_of(folder)
    database = Database.at(folder / "ringward.db")
    Base.metadata.create_all(database.engine)
    media, clock = MediaStore(folder / "media", ring), FixedClock()
    return Home(folder, database, media, clock, build_demo(database, media, clock, folder))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = make_home(tmp_path_factory.mktemp("demo"))
    yield home
    home.database.close()


@pytest.fixture(scope="module")
def home(built: Home) -> Iterator[Home]:
    """One compound for all tests that only read."""
    before = storage.keys._ring, storage.vault._vault
    # Between two files others may have used keys of their own.
    use_keys_of(built.folder)
    yield built
    storage.keys._ring, storage.vault._vault = before


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[Home]:
    """A compound that a test may change."""
    own = make_home(tmp_path)
    yield own
    own.database.close()


def eventually(condition: Callable[[], bool], deadline_s: float = 30.0) -> bool:
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def hashed(secret: str) -> str:
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(4)).decode()


@pytest.fixture
def mqtt_port(home: Home, tmp_path: Path) -> Iterator[int]:
    """A real nats-server that knows the compound's devices; user `core` hears everything."""
    port = free_port()
    logins = [
        DeviceLogin(d, home.credentials.compound, hashed(s)) for d, s in home.credentials.secrets.items()
    ]
    config = EmbeddedConfig(
        "127.0.0.1", free_port(), "127.0.0.1", port, tmp_path / "js", "core", hashed("core"), logins
    )
    (tmp_path / "nats.conf").write_text(config.render())
    process = subprocess.Popen(
        [find_server(), "-c", tmp_path / "nats.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert eventually(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        yield port
    finally:
        process.terminate()
        process.wait(10)
