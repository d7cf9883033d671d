"""The short form of `make drill`."""

from pathlib import Path

import pytest

from tests.drill.drill import run

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def test_house_that_burnt_down_is_back_with_all_that_the_copy_had(tmp_path: Path) -> None:
    report = run("SQLite", tmp_path, events=10)
    assert report.back_in_s > 0
