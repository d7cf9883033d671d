"""Sites that are taken down again, whatever became of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

import storage.keys
import storage.vault
from tests.chaos.site import Site

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.alone)


class Make(Protocol):
    def __call__(self, **how: Any) -> Site: ...


@pytest.fixture
def make(tmp_path: Path, migrated_file: Path) -> Iterator[Make]:
    before = storage.keys._ring, storage.vault._vault
    made: list[Site] = []

    def one(**how: Any) -> Site:
        made.append(Site(tmp_path / f"site-{len(made)}", migrated=migrated_file, **how))
        return made[-1]

    yield one
    for site in made:
        site.close()
    storage.keys._ring, storage.vault._vault = before
