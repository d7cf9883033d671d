"""One running Ringward for all acceptance tests of a session, stopped as a person would."""

from collections.abc import Iterator

import pytest

import storage.keys
from ringward.demo import DemoPictures
from tests.acceptance.deployment import PORTRAITS, Deployment


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    before = storage.keys._ring
    running = Deployment(tmp_path_factory.mktemp("ringward"))
    running.prepare()
    storage.keys._ring = before
    running.start()
    try:
        yield running
        code = running.stop()
        assert code == 0, running.output.read_text()[-3000:]
    finally:
        if running.process and running.process.poll() is None:
            running.process.kill()


@pytest.fixture(scope="session")
def pictures() -> DemoPictures:
    return DemoPictures(PORTRAITS)


@pytest.fixture(autouse=True)
def _keep_ring() -> Iterator[None]:
    before = storage.keys._ring
    yield
    storage.keys._ring = before
