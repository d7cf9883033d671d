"""Somebody to be reached, on one database or on both."""

import pytest
from reaching import Reach

from storage import Database


@pytest.fixture
def reach(database: Database) -> Reach:
    return Reach(database)


@pytest.fixture
def each_reach(each_database: Database) -> Reach:
    return Reach(each_database)
