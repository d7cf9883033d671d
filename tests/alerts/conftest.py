"""A small compound on a real database and a virtual clock; PostgreSQL beside SQLite where hands meet."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from shifts import Shift
from timeline import World, found

from storage import Database, KeyRing


@pytest.fixture(scope="session")
def founded_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compound in a migrated file, founded once and copied for every test."""
    path = tmp_path_factory.mktemp("founded") / "ringward.db"
    shutil.copy(migrated_file, path)
    database = Database.at(path)
    found(database)
    database.close()
    return path


@pytest.fixture
def database(founded_file: Path, tmp_path: Path, ring: KeyRing) -> Iterator[Database]:
    path = tmp_path / "ringward.db"
    shutil.copy(founded_file, path)
    database = Database.at(path)
    yield database
    database.close()


@pytest.fixture
def on_postgres(request: pytest.FixtureRequest, ring: KeyRing) -> Iterator[Database]:
    with request.getfixturevalue("postgres").database() as database:
        found(database)
        yield database


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest) -> Database:
    """Both databases, for what only the database can decide."""
    return request.getfixturevalue("database" if request.param == "sqlite" else "on_postgres")


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def shift(database: Database) -> Shift:
    return Shift(database)
