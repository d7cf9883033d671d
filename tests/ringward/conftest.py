import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ringward.foundation import Foundation, lay
from ringward.settings import Settings
from storage import migrate
from tests.support.clock import VirtualClock
from tests.support.compound import settle_in
from tests.support.ports import free_port


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A deployment of this test's own on free ports, whatever the environment says."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RINGWARD_")]:
        monkeypatch.delenv(name)
    return Settings(
        data_dir=tmp_path / "data",
        http_port=free_port(),
        mqtt_port=free_port(),
        nats_port=free_port(),
        push_port=free_port(),
    )


@pytest.fixture
def lay_ground(settings: Settings, clock: VirtualClock) -> Iterator[Callable[[], Foundation]]:
    """Lays the foundation of a deployment with a compound in it."""
    laid = []

    def make() -> Foundation:
        ground = replace(lay(settings), clock=clock)
        migrate.upgrade(ground.database)
        settle_in(ground.database)
        laid.append(ground)
        return ground

    yield make
    for ground in laid:
        ground.database.close()


@pytest.fixture
def ground(lay_ground: Callable[[], Foundation]) -> Foundation:
    return lay_ground()
