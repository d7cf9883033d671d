"""The file that a process routes by: read again when it changes, refused as a whole with errors."""

import os
from pathlib import Path

from alerts.routing.current import Current
from alerts.routing.reading import default_tree

GOOD = (
    'version = 1\n[receivers.desk]\nteam_kinds = ["operator"]\nwhen = "raised"\n[route]\nreceiver = "desk"\n'
)
HOLE = GOOD.replace('receiver = "desk"', 'name = "all"')


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def write(path: Path, text: str, stamp: int) -> None:
    path.write_text(text)
    os.utime(path, ns=(stamp, stamp))


def test_without_a_file_it_is_the_tree_that_ringward_comes_with() -> None:
    assert Current().tree() is default_tree()


def test_file_that_changed_is_read_again_within_a_second(tmp_path: Path) -> None:
    path, watch = tmp_path / "routes.toml", Stopwatch()
    write(path, GOOD, 1)
    current = Current(path, watch)
    first = current.tree()
    assert set(first.receivers) == {"desk"}
    write(path, GOOD.replace("desk", "room"), 2)
    assert current.tree() is first
    watch.seconds = 1
    assert set(current.tree().receivers) == {"room"}


def test_file_with_a_hole_is_refused_and_what_was_in_force_stays(tmp_path: Path) -> None:
    path, watch = tmp_path / "routes.toml", Stopwatch()
    write(path, GOOD, 1)
    current = Current(path, watch)
    first = current.tree()
    for second, text in ((1, HOLE), (2, "no toml [")):
        watch.seconds = second
        write(path, text, second + 1)
        assert current.tree() is first
        assert current.refused
    watch.seconds = 3
    write(path, GOOD, 9)
    assert set(current.tree().receivers) == {"desk"}
    assert not current.refused


def test_missing_file_leaves_the_tree_that_ringward_comes_with(tmp_path: Path) -> None:
    current = Current(tmp_path / "none.toml")
    assert current.tree() is default_tree()
    assert current.refused
