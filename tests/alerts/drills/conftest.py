import pytest
from drill_hall import Hall


@pytest.fixture
def hall(each_database):
    return Hall(each_database)


@pytest.fixture
def lite(database):
    return Hall(database)
