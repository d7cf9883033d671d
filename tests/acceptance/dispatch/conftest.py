"""Nights at the willow: everything real but the phones, on a clock that only the story moves."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import Database, KeyRing

sys.path.insert(0, str(Path(__file__).parent))

from night import Night, found


@pytest.fixture
def night(migrated_file: Path, tmp_path: Path, ring: KeyRing) -> Iterator[Night]:
    """A night. What anybody is told and nobody expected fails the test at its end."""
    path = tmp_path / "ringward.db"
    shutil.copy(migrated_file, path)
    database = Database.at(path)
    found(database)
    story = Night(database)
    yield story
    story.ends()
    database.close()
