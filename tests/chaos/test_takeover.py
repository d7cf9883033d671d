"""Who evaluates a compound is killed, or sleeps, while doors are forced: nothing is lost, nothing told twice."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.evaluators import TAKEOVER_S, Evaluators
from tests.support.compound import COMPOUND, ELSEWHERE
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

Make = Callable[..., Evaluators]


@pytest.fixture(params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path, ring: object
) -> Iterator[Evaluators]:
    if request.param == "sqlite":
        made = Evaluators(tmp_path, migrated_file, None)
        yield made
        made.close()
        return
    with request.getfixturevalue("postgres").database() as database:
        made = Evaluators(tmp_path, migrated_file, database.url)
        yield made
        made.close()


def begin(site: Evaluators) -> None:
    """One process at work, and another that waits."""
    site.evaluator("first")
    wait_until(lambda: site.held_by("first"), "the first has the compound", 60)
    site.evaluator("second")
    # The second has its share: the other compound is its own.
    wait_until(
        lambda: site.held_by("second", ELSEWHERE) or site.held_by("second"), "the second has a share", 60
    )


def active(site: Evaluators) -> tuple[str, str]:
    """Who has the compound, and who has not."""
    return ("first", "second") if site.held_by("first") else ("second", "first")


def put_to_sleep(site: Evaluators, pid: int) -> None:
    """At any moment on PostgreSQL, which ends the session of one that sleeps in its transaction.

    SQLite has one writer, and one that sleeps while it writes keeps all others waiting until it is gone
    (ADR 0010): there it is woken, and put to sleep at another moment.
    """

    def sleeps() -> bool:
        os.kill(pid, signal.SIGSTOP)
        if not site.database.is_sqlite or site.others_can_write():
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    wait_until(sleeps, "it sleeps and holds nothing", 60)


def test_kill_9_while_doors_are_forced(site: Evaluators) -> None:
    begin(site)
    site.force_doors(20)
    wait_until(lambda: len(site.told()) >= 5, "it is under way", 30)
    one, other = active(site)
    # What is stored and not yet told when it dies, and what comes meanwhile.
    site.force_doors(20)
    site.programs[one].kill()
    meanwhile = site.force_doors(20)
    site.tells(meanwhile, TAKEOVER_S)
    assert site.held_by(other)
    site.force_doors(5)
    site.settle()


def test_one_that_slept_writes_nothing_when_it_wakes(site: Evaluators) -> None:
    begin(site)
    site.force_doors(10)
    wait_until(lambda: len(site.told()) >= 10, "it is under way", 30)
    one, other = active(site)
    pid = site.programs[one].pid
    put_to_sleep(site, pid)
    meanwhile = site.force_doors(20)
    site.tells(meanwhile, TAKEOVER_S)
    lease = site.holder()
    assert lease is not None
    assert site.held_by(other)
    os.kill(pid, signal.SIGCONT)
    site.force_doors(20)
    wait_until(lambda: "alerts.lease_gone" in site.programs[one].said(), "it has noticed", 20)
    site.settle()


def test_a_clean_end_hands_over_at_once(site: Evaluators) -> None:
    begin(site)
    one, other = active(site)
    site.force_doors(10)
    assert site.programs[one].stop() == 0
    meanwhile = site.force_doors(5)
    site.tells(meanwhile, TAKEOVER_S)
    assert site.held_by(other)
    site.settle()


def test_nobody_was_there_for_a_while(site: Evaluators) -> None:
    site.evaluator("first")
    wait_until(lambda: site.held_by("first"), "it has the compound", 60)
    site.force_doors(5)
    wait_until(lambda: len(site.told()) == 5, "it is under way", 30)
    site.programs["first"].kill()
    missed = site.force_doors(30)
    site.evaluator("second")
    site.tells(missed, 60)
    site.settle()


def test_compounds_are_shared_and_shared_again(site: Evaluators) -> None:
    site.evaluator("first")
    wait_until(
        lambda: site.held_by("first", COMPOUND) and site.held_by("first", ELSEWHERE), "it has both", 60
    )
    site.evaluator("second")
    wait_until(
        lambda: (
            site.held_by("first", COMPOUND) != site.held_by("first", ELSEWHERE)
            and site.held_by("second", COMPOUND) != site.held_by("second", ELSEWHERE)
        ),
        "each has one",
        60,
    )
    lanes = site.force_doors(5) + site.force_doors(5, ELSEWHERE)
    site.tells(lanes, 20)
    site.programs["second"].kill()
    lanes = site.force_doors(5) + site.force_doors(5, ELSEWHERE)
    site.tells(lanes, TAKEOVER_S)
    site.settle()


def test_what_an_older_version_had_not_settled_is_told_and_nothing_else(site: Evaluators) -> None:
    """Before leases all alerts processes shared one durable consumer, which has what is still to be done."""
    site.has_old_consumer()
    settled, waiting = site.force_doors(4), site.force_doors(6)
    site.settles_at_old_consumer(len(settled))
    site.evaluator("first")
    site.tells(waiting, 60)
    site.forced = waiting
    site.settle()
    wait_until(lambda: not site.has_old_consumer_still(), "the old consumer is gone", 20)
