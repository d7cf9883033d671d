"""The short form of `make drill`."""

from pathlib import Path

import pytest

from tests.drill.drill import run

# Many processes start one after the other: a busy machine takes minutes for it.
pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(900)]


def test_house_that_burnt_down_is_back_with_all_that_the_copy_had(tmp_path: Path) -> None:
    report = run("SQLite", tmp_path, events=10)
    assert report.back_in_s > 0
