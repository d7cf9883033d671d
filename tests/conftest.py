"""Grounds to stand on: databases, keys, media, brokers. Every process started here is stopped here."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

import ringward.schema
import storage.keys
import storage.vault
from storage import Database, KeyRing, MediaStore, Vault, migrate
from tests.support.brokers import Broker, Mosquitto, NatsServer
from tests.support.clock import VirtualClock
from tests.support.postgres import Postgres
from tests.support.s3 import S3

_configure = structlog.configure


def _configure_uncached(**given: Any) -> None:
    """`structlog.configure` of the whole run: a logger that remembers its set-up would keep it beyond its test."""
    _configure(**given | {"cache_logger_on_first_use": False})


structlog.configure = _configure_uncached


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """Whatever a command, or a fixture of a whole module, has set up for logs is not the next test's."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _keys_as_before() -> Iterator[None]:
    """Keys that a test installs go with it, as its folder does: whoever came next would seal into nowhere."""
    before = storage.keys._ring, storage.vault._vault
    yield
    storage.keys._ring, storage.vault._vault = before


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """A ring and a vault of this test's own, installed for its sealed columns."""
    ring = KeyRing.load(tmp_path / "keys" / "ring.key")
    storage.keys.install_ring(ring)
    vault = Vault.at(tmp_path / "keys" / "vault.db", ring)
    storage.vault.install_vault(vault)
    yield vault
    vault.close()


@pytest.fixture
def ring(vault: Vault) -> KeyRing:
    """The ring that the vault's keys are wrapped with."""
    return vault.ring


@pytest.fixture
def media(tmp_path: Path, ring: KeyRing) -> MediaStore:
    return MediaStore(tmp_path / "media", ring)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that has been through the migrations; copied for each test."""
    path = tmp_path_factory.mktemp("migrated") / "ringward.db"
    assert ringward.schema.metadata.tables
    database = Database.at(path)
    migrate.upgrade(database)
    database.close()
    return path


@pytest.fixture
def database(tmp_path: Path, migrated_file: Path, ring: KeyRing) -> Iterator[Database]:
    """An empty migrated SQLite database."""
    path = tmp_path / "ringward.db"
    shutil.copy(migrated_file, path)
    database = Database.at(path)
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Outside pytest's own folder: as root the server runs as another user, whom the next
    # pytest that starts beside this one would lock out of there.
    with tempfile.TemporaryDirectory(prefix="ringward-pg-") as folder:
        server = Postgres(Path(folder))
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest, ring: KeyRing) -> Iterator[Database]:
    """The same test on both databases."""
    if request.param == "sqlite":
        yield request.getfixturevalue("database")
        return
    with request.getfixturevalue("postgres").database() as database:
        yield database


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    server = S3()
    yield server
    server.stop()


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path / "nats")
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["nats-server", pytest.param("mosquitto", marks=pytest.mark.broker)])
def mqtt_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """The same test on both brokers."""
    kind = NatsServer if request.param == "nats-server" else Mosquitto
    broker = kind(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()
