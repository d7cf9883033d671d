"""Whether a holder of a lease is dead: seen at once on the same machine, never guessed of another."""

import os
import subprocess
import sys

from ringward import holders


def test_it_lives_as_long_as_its_process() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = holders.own_name(child.pid)
    assert not holders.is_gone(name)
    child.kill()
    child.wait(20)
    assert holders.is_gone(name)


def test_a_dead_one_that_nobody_has_asked_for_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = holders.own_name(child.pid)
    assert child.stdin
    child.stdin.close()
    # Reads its exit and leaves it in the list of processes.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert holders.is_gone(name)
    child.wait(20)


def test_a_number_that_another_process_has_by_now_says_nothing_of_the_dead() -> None:
    name = holders.own_name()
    host, machine, pid, started, end = name.rsplit(":", 4)
    assert not holders.is_gone(name)
    assert holders.is_gone(":".join([host, machine, pid, str(int(started) - 1), end]))


def test_of_another_machine_nothing_is_known() -> None:
    host, machine, _pid, started, end = holders.own_name().rsplit(":", 4)
    assert not holders.is_gone(":".join([host, f"x{machine}", "99999999", started, end]))
    for other in ("", "somebody", "a:b:c:d:e", f"{host}::99999999:{started}:{end}"):
        assert not holders.is_gone(other)


def test_each_run_has_a_name_of_its_own() -> None:
    assert holders.own_name() != holders.own_name()
    assert len(holders.own_name()) <= 96
