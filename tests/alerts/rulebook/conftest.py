"""The small invented compound on a database of the test's own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import Database, KeyRing
from tests.support.compound import settle_in


@pytest.fixture
def on_sqlite(tmp_path: Path, migrated_file: Path, ring: KeyRing) -> Iterator[Database]:
    shutil.copy(migrated_file, tmp_path / "rulebook.db")
    database = Database.at(tmp_path / "rulebook.db")
    settle_in(database)
    yield database
    database.close()


@pytest.fixture
def on_postgresql(request: pytest.FixtureRequest, ring: KeyRing) -> Iterator[Database]:
    with request.getfixturevalue("postgres").database() as database:
        settle_in(database)
        yield database


@pytest.fixture(params=["sqlite", "postgresql"])
def settled(request: pytest.FixtureRequest) -> Database:
    """Both databases: what is unique and what is locked is theirs to say."""
    return request.getfixturevalue(f"on_{request.param}")
