import pytest
from reembedding_world import Estate


@pytest.fixture
def estate(database, media, vault):
    return Estate(database, media, vault)


@pytest.fixture
def either_estate(either_database, media, vault):
    return Estate(either_database, media, vault)
