"""A compound with everybody of the ladder."""

import pytest
from climbing import Climb

from storage import Database


@pytest.fixture
def climb(database: Database) -> Climb:
    return Climb(database)


@pytest.fixture
def each_climb(each_database: Database) -> Climb:
    return Climb(each_database)
