import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringward import children
from ringward.children import Child
from tests.support.waiting import wait_until


class Ticks:
    """The process's own clock, moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    ticks = Ticks()
    monkeypatch.setattr(children, "time", ticks)
    return ticks


@pytest.fixture
def started() -> Iterator[list[Child]]:
    """Children of a test, ended with it."""
    running: list[Child] = []
    yield running
    for child in running:
        child.stop(5)


def child(started: list[Child], code: str, **options: object) -> Child:
    made = Child("worker", [sys.executable, "-c", code], dict(os.environ), **options)
    started.append(made)
    made.start()
    return made


def die(made: Child) -> None:
    wait_until(lambda: made.pid is None, "the child has ended")


SLEEPER = "import time; time.sleep(600)"


def test_living_child_is_left_alone(started: list[Child], ticks: Ticks) -> None:
    made = child(started, SLEEPER)
    pid = made.pid
    for _ in range(5):
        ticks.at += 100
        made.poll()
    assert (made.pid, made.restarts) == (pid, 0)


def test_crash_in_a_row_waits_longer_each_time(started: list[Child], ticks: Ticks) -> None:
    made = child(started, "raise SystemExit(1)")
    pauses = (*children.BACKOFF_S, children.BACKOFF_S[-1])
    assert list(pauses) == sorted(pauses)
    for number, pause in enumerate(pauses, start=1):
        die(made)
        made.poll()
        ticks.at += pause - 0.001
        made.poll()
        assert made.restarts == number - 1
        ticks.at += 0.002
        made.poll()
        assert made.restarts == number


def test_crash_after_a_healthy_hour_is_a_first_one_again(started: list[Child], ticks: Ticks) -> None:
    made = child(started, "raise SystemExit(1)")
    for _ in range(3):
        die(made)
        made.poll()
        ticks.at += children.BACKOFF_S[-1]
        made.poll()
    assert made.restarts == 3
    die(made)
    ticks.at += children.HEALTHY_S + 1
    made.poll()
    ticks.at += children.BACKOFF_S[0] + 0.001
    made.poll()
    assert made.restarts == 4


def test_killed_child_comes_back(started: list[Child], ticks: Ticks) -> None:
    made = child(started, SLEEPER)
    first = made.pid
    os.kill(first, signal.SIGKILL)
    die(made)
    made.poll()
    ticks.at += children.BACKOFF_S[0] + 0.001
    made.poll()
    assert made.pid not in {None, first}


def test_stop_asks_first(started: list[Child], tmp_path: Path) -> None:
    note = tmp_path / "note"
    made = child(
        started,
        f"import signal, pathlib, time\n"
        f"def leave(*_):\n    pathlib.Path({str(note)!r}).write_text('said goodbye'); raise SystemExit\n"
        f"signal.signal(signal.SIGTERM, leave)\n"
        f"pathlib.Path({str(note)!r}).write_text('ready')\n"
        f"time.sleep(600)",
    )
    wait_until(note.exists, "the child is ready")
    made.stop(20)
    assert made.pid is None
    assert note.read_text() == "said goodbye"
    made.stop(20)


def test_stop_ends_who_does_not_listen(started: list[Child], tmp_path: Path) -> None:
    note = tmp_path / "note"
    made = child(
        started,
        f"import signal, pathlib, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(note)!r}).touch(); time.sleep(600)",
    )
    wait_until(note.exists, "the child is ready")
    made.stop(0.1)
    assert made.pid is None


def test_lines_are_heard(started: list[Child]) -> None:
    lines: list[str] = []
    child(started, "import sys; sys.stderr.buffer.write(b'one\\n\\xff two\\n')", on_line=lines.append)
    wait_until(lambda: len(lines) == 2, "both lines")
    assert lines == ["one", "\ufffd two"]


def test_listener_that_stumbles_goes_on_listening(started: list[Child]) -> None:
    # A pipe that nobody reads fills up, and then the broker stands still.
    heard: list[str] = []

    def stumble(line: str) -> None:
        heard.append(line)
        if line == "0":
            raise RuntimeError

    made = child(started, "import sys\nfor n in range(30000): print(n, file=sys.stderr)", on_line=stumble)
    die(made)
    wait_until(lambda: len(heard) == 30000, "every line")


def test_child_dies_with_its_parent(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import os, sys, time\n"
        "from ringward.children import Child\n"
        f"child = Child('worker', [sys.executable, '-c', {SLEEPER!r}], dict(os.environ))\n"
        "child.start()\n"
        f"open({str(note)!r} + '.part', 'w').write(str(child.pid))\n"
        f"os.rename({str(note)!r} + '.part', {str(note)!r})\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        wait_until(note.exists, "the parent has a child")
        pid = int(note.read_text())
        assert alive(pid)
        parent.kill()
        parent.wait(10)
        wait_until(lambda: not alive(pid), "the child is gone too")
    finally:
        parent.kill()
        parent.wait(10)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_signal_reaches_the_child(started: list[Child], tmp_path: Path) -> None:
    note = tmp_path / "note"
    made = child(
        started,
        f"import signal, pathlib, time\n"
        f"signal.signal(signal.SIGHUP, lambda *_: pathlib.Path({str(note)!r}).write_text('read again'))\n"
        f"pathlib.Path({str(note)!r}).write_text('ready')\n"
        f"end = time.time() + 60\n"
        f"while time.time() < end: time.sleep(0.05)",
    )
    wait_until(lambda: note.exists() and note.read_text() == "ready", "the child is ready")
    made.signal(signal.SIGHUP)
    wait_until(lambda: note.read_text() == "read again", "the signal arrives")
    assert made.pid is not None
