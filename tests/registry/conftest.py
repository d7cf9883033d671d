"""The small world of `residents_world`, in the database that a test asks for."""

import pytest
from residents_world import build

from storage import Database


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Database:
    name = "either_database" if "either_database" in request.fixturenames else "database"
    database: Database = request.getfixturevalue(name)
    build(database)
    return database
