"""Fixtures around `gallery_world`: towns on both databases, a folder in memory."""

import os
import tempfile
from pathlib import Path

import pytest
from gallery_world import Town

from recognition.gallery import memoryfs


@pytest.fixture
def town(database, vault):
    return Town(database, vault)


@pytest.fixture
def either_town(either_database, vault):
    return Town(either_database, vault)


@pytest.fixture
def in_memory():
    """A folder of our own that lies in memory, as a descriptor."""
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="ringward-test-") as base:
        folder = memoryfs.open_folder({"XDG_RUNTIME_DIR": base})
        assert folder is not None
        yield folder
        os.close(folder)


@pytest.fixture
def files(in_memory):
    """Names of the files in it."""
    return lambda: sorted(os.listdir(in_memory))  # noqa: PTH208 - by descriptor


@pytest.fixture
def path_of(in_memory):
    return lambda name: Path(f"/proc/self/fd/{in_memory}") / name
