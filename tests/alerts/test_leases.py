"""Leases on both databases: one holder a compound, and nothing written by one that is no holder any more."""

import datetime as dt
import threading

import pytest
from sqlalchemy import func, select
from timeline import COMPOUND, START, VirtualClock

from alerts import leases
from alerts.incidents.models import Incident
from alerts.leases import TTL, AlertEvaluator, AlertLease, Come, Lease, LeaseLostError
from alerts.sharing import Member
from storage import Database

LATER = START + TTL + dt.timedelta(seconds=0.1)


def take(database: Database, holder: str, now: dt.datetime = START) -> Lease | None:
    with database.write() as session:
        return leases.acquire(session, COMPOUND, holder, now)


def test_one_of_eight_that_reach_for_it_has_it(each_database: Database) -> None:
    got: list[Lease | None] = []
    gate = threading.Barrier(8)

    def reach(number: int) -> None:
        gate.wait()
        got.append(take(each_database, f"holder-{number}"))

    threads = [threading.Thread(target=reach, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (one,) = [lease for lease in got if lease is not None]
    assert one.epoch == 1


def test_what_is_held_is_free_when_nobody_prolongs_it(each_database: Database) -> None:
    first = take(each_database, "first")
    assert first is not None
    assert take(each_database, "second", START + TTL - dt.timedelta(seconds=0.1)) is None
    second = take(each_database, "second", LATER)
    assert second is not None
    assert second.epoch == first.epoch + 1


def test_what_is_prolonged_stays(each_database: Database) -> None:
    first = take(each_database, "first")
    assert first is not None
    with each_database.write() as session:
        assert leases.renew(session, [(first, Come())], START + TTL * 0.9) == {COMPOUND}
    assert take(each_database, "second", LATER) is None


def test_one_that_slept_while_nobody_took_over_goes_on(each_database: Database) -> None:
    first = take(each_database, "first")
    assert first is not None
    with each_database.write() as session:
        assert leases.renew(session, [(first, Come())], START + TTL * 100) == {COMPOUND}


def test_one_that_slept_while_another_took_over_writes_nothing(each_database: Database) -> None:
    first = take(each_database, "first")
    assert first is not None
    assert take(each_database, "second", LATER) is not None
    with each_database.write() as session:
        assert leases.renew(session, [(first, Come(position=9))], LATER) == set()

    def write() -> None:
        with each_database.write() as session:
            session.add(AlertEvaluator(holder="written by the one that slept", until=LATER))
            leases.hold(session, first, Come(position=9))

    with pytest.raises(LeaseLostError) as told:
        write()
    assert (told.value.compound, told.value.epoch) == (COMPOUND, 1)
    with each_database.read() as session:
        assert session.scalar(select(func.count()).select_from(AlertEvaluator)) == 0
        assert session.scalar(select(func.count()).select_from(Incident)) == 0


def test_how_far_one_had_come_is_where_the_next_begins(each_database: Database) -> None:
    first = take(each_database, "first")
    assert first is not None
    come = Come(position=41, stream="a stream", advanced_to=START)
    with each_database.write() as session:
        leases.hold(session, first, come)
        leases.release(session, first, START)
    second = take(each_database, "second")
    assert second is not None
    assert second.come == come


def test_a_word_that_says_nothing_of_the_place_leaves_it(each_database: Database) -> None:
    first = take(each_database, "first")
    assert first is not None
    with each_database.write() as session:
        leases.hold(session, first, Come(position=41, stream="a stream", advanced_to=START))
        leases.hold(session, first, Come())
        leases.renew(session, [(first, Come())], START)
        leases.release(session, first, START)
    second = take(each_database, "second")
    assert second is not None
    assert second.come.position == 41


def place(database: Database, compound: str) -> Come:
    with database.read() as session:
        row = session.get_one(AlertLease, compound)
        return Come(row.position, row.stream, row.advanced_to)


def test_many_are_prolonged_together_and_none_is_said_to_have_come_further(each_database: Database) -> None:
    ahead, behind, anew = "ahead", "behind", "anew"
    with each_database.write() as session:
        held = {}
        for name in (ahead, behind, anew):
            found = leases.acquire(session, name, "first", START)
            assert found is not None
            held[name] = found
    reached = {ahead: START + dt.timedelta(seconds=1), behind: START + dt.timedelta(seconds=0.5)}
    with each_database.write() as session:
        news = [(held[name], Come(advanced_to=at)) for name, at in reached.items()]
        kept = leases.renew(session, [*news, (held[anew], Come())], START + dt.timedelta(seconds=1))
    assert kept == {ahead, behind, anew}
    assert place(each_database, ahead).advanced_to == reached[behind]
    assert place(each_database, behind).advanced_to == reached[behind]
    # One that has not recalled has come nowhere.
    assert place(each_database, anew) == Come()
    with each_database.write() as session:
        leases.hold(session, held[ahead], Come(5, "stream", START + dt.timedelta(seconds=2)))
    with each_database.write() as session:
        news = [(held[name], Come(advanced_to=START + dt.timedelta(seconds=1.5))) for name in (ahead, behind)]
        leases.renew(session, news, START + dt.timedelta(seconds=2))
    # What was written is never taken back, and its place stays.
    assert place(each_database, ahead) == Come(5, "stream", START + dt.timedelta(seconds=2))
    assert place(each_database, behind).advanced_to == START + dt.timedelta(seconds=1.5)


def test_of_many_that_are_prolonged_together_one_may_be_lost(each_database: Database) -> None:
    with each_database.write() as session:
        mine = [leases.acquire(session, f"compound-{number}", "first", START) for number in range(3)]
    with each_database.write() as session:
        assert leases.acquire(session, "compound-1", "second", LATER) is not None
    with each_database.write() as session:
        news = [(lease, Come(advanced_to=LATER)) for lease in mine if lease is not None]
        assert leases.renew(session, news, LATER) == {"compound-0", "compound-2"}
    assert place(each_database, "compound-1").advanced_to is None


def test_who_is_there_is_known_and_forgotten(each_database: Database) -> None:
    with each_database.write() as session:
        leases.attend(session, Member("any"), START)
        leases.attend(session, Member("some", frozenset({"b", "a"})), START)
        leases.attend(session, Member("any"), START)
        assert leases.members(session, START) == [Member("any"), Member("some", frozenset({"a", "b"}))]
        assert leases.members(session, LATER) == []
        leases.leave(session, "any")
        assert leases.members(session, START) == [Member("some", frozenset({"a", "b"}))]
        leases.attend(session, Member("late"), START + 20 * TTL)
        assert session.scalars(select(AlertEvaluator.holder)).all() == ["late"]


def test_time_is_the_databases_where_several_machines_share_it(each_database: Database) -> None:
    clock = VirtualClock(START)
    tell = leases.database_time(clock)
    with each_database.read() as session:
        told = tell(session)
    if each_database.is_sqlite:
        assert told == START
    else:
        assert told.tzinfo is not None
        assert told != START


def test_what_a_dead_one_left_in_the_future_is_free_when_the_clock_is_set_back(
    each_database: Database,
) -> None:
    ahead = START + dt.timedelta(minutes=10)
    first = take(each_database, "first", ahead)
    assert first is not None
    with each_database.write() as session:
        leases.attend(session, Member("first", None), ahead)
    with each_database.read() as session:
        assert leases.held(session, START) == {}
        assert leases.members(session, START) == []
    second = take(each_database, "second")
    assert second is not None
    assert second.epoch == first.epoch + 1
    with each_database.write() as session:
        leases.attend(session, Member("second", None), START)
    with each_database.read() as session:
        assert leases.held(session, START) == {COMPOUND: "second"}
        # Nor does it come back when the clock has caught up.
        assert [one.holder for one in leases.members(session, ahead)] == []
        assert session.scalars(select(AlertEvaluator.holder)).all() == ["second"]
