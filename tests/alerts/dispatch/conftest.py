"""The compound's people, on one database or on both."""

import pytest
from post import Post

from storage import Database


@pytest.fixture
def post(database: Database) -> Post:
    return Post(database)


@pytest.fixture
def each_post(each_database: Database) -> Post:
    return Post(each_database)
