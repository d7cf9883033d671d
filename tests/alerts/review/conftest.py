"""Empty tables: the compound is the world's own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import Database, KeyRing


@pytest.fixture
def database(tmp_path: Path, migrated_file: Path, ring: KeyRing) -> Iterator[Database]:
    path = tmp_path / "ringward.db"
    shutil.copy(migrated_file, path)
    database = Database.at(path)
    yield database
    database.close()
