import intake_world
import pytest

from storage import Database


@pytest.fixture
def desk(each_database: Database) -> intake_world.Desk:
    intake_world.settle(each_database)
    return intake_world.Desk(each_database)


@pytest.fixture
def lite(database: Database) -> intake_world.Desk:
    """On SQLite alone, for what no database decides."""
    intake_world.settle(database)
    return intake_world.Desk(database)
