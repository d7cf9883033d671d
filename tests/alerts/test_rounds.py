"""Rounds: done once when they are due, whoever keeps them, whatever the clock does; one that fails stops none."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session
from timeline import VirtualClock

from alerts import rounds
from alerts.rounds import Keeper, Round, RoundTurn
from storage import Database

HOUR = dt.timedelta(hours=1)
SECOND = dt.timedelta(seconds=1)


class Work:
    """Counts its turns, and says that it did so many things."""

    def __init__(self, did: int = 1) -> None:
        self.turns: list[dt.datetime] = []
        self.did = did

    def __call__(self, session: Session, now: dt.datetime) -> int:
        session.execute(text("SELECT 1"))
        self.turns.append(now)
        return self.did


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def later(clock: VirtualClock, seconds: float) -> None:
    clock.moment += dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("did", [0, 1])
@pytest.mark.parametrize("every", [HOUR, SECOND])
def test_a_round_comes_when_it_is_due_and_not_before(
    database: Database, clock: VirtualClock, every: dt.timedelta, did: int
) -> None:
    work = Work(did)
    keeper = Keeper(database, [Round("work", every, work)], clock.now)
    keeper.keep()
    later(clock, every.total_seconds() - 0.1)
    keeper.keep()
    assert len(work.turns) == 1
    later(clock, 0.1)
    keeper.keep()
    assert len(work.turns) == 2


def test_another_process_does_not_do_again_what_was_done(
    each_database: Database, clock: VirtualClock
) -> None:
    works = [Work() for _ in range(8)]
    keepers = [Keeper(each_database, [Round("work", HOUR, work)], clock.now) for work in works]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(Keeper.keep, keepers))
    assert sum(len(work.turns) for work in works) == 1


def test_a_newer_version_takes_a_round_over_and_an_older_one_leaves_it(
    database: Database, clock: VirtualClock
) -> None:
    old, new = Work(), Work()
    older = Keeper(database, [Round("work", SECOND, old)], clock.now)
    newer = Keeper(database, [Round("work", SECOND, new, version=2)], clock.now)
    older.keep()
    later(clock, 1)
    newer.keep()
    later(clock, 1)
    older.keep()
    assert (len(old.turns), len(new.turns)) == (1, 1)
    newer.keep()
    assert len(new.turns) == 2


def test_a_clock_that_is_set_back_stops_no_round(database: Database, clock: VirtualClock) -> None:
    work = Work()
    keeper = Keeper(database, [Round("work", HOUR, work)], clock.now)
    keeper.keep()
    later(clock, -86_400)
    keeper.keep()
    assert len(work.turns) == 2


def test_one_that_fails_is_counted_writes_nothing_and_stops_no_other(
    database: Database, clock: VirtualClock
) -> None:
    failed: list[str] = []

    def fails(session: Session, now: dt.datetime) -> int:
        session.add(RoundTurn(name="left over", version=1, at=now))
        session.flush()
        raise ValueError("broken")

    work = Work()
    keeper = Keeper(
        database, [Round("fails", HOUR, fails), Round("work", HOUR, work)], clock.now, failed.append
    )
    keeper.keep()
    assert (failed, len(work.turns)) == (["fails"], 1)
    with database.read() as session:
        assert session.scalars(select(RoundTurn.name)).all() == ["work"]
    # It is not put off until its next hour: nothing of it was done.
    keeper.keep()
    assert failed == ["fails", "fails"]


def test_what_has_nothing_to_do_writes_nothing(database: Database, clock: VirtualClock) -> None:
    keeper = Keeper(database, [Round("work", SECOND, Work(did=0))], clock.now)
    keeper.keep()
    written: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_: written.append(statement.split()[0].upper()),
    )
    for _ in range(20):
        later(clock, 1)
        keeper.keep()
    assert written
    assert not {"INSERT", "UPDATE", "DELETE"} & set(written)


def test_once_is_enough_for_whoever_keeps_no_memory(database: Database, clock: VirtualClock) -> None:
    work = Work()
    assert rounds.keep(database, [Round("work", HOUR, work)], clock.now) == 1
    assert rounds.keep(database, [Round("work", HOUR, work)], clock.now) == 0
