"""Leases of roles: one holder at a time, by epochs; what a holder of an old one writes is not written."""

import datetime as dt

import pytest
from sqlalchemy import text

from storage import Database
from storage.leases import (
    TTL,
    Claim,
    Lease,
    RoleLease,
    RoleLostError,
    acquire,
    check,
    database_time,
    hold,
    is_awaited,
    release,
    renew,
    standing,
    wait,
)
from tests.support.clock import VirtualClock

NOW = dt.datetime(2026, 11, 29, 8, 0, tzinfo=dt.UTC)
LATER = NOW + TTL + dt.timedelta(milliseconds=1)
RELAY = Claim("relay")


def take(database: Database, holder: str, now: dt.datetime, claim: Claim = RELAY) -> Lease | None:
    with database.write() as session:
        return acquire(session, claim, holder, now)


def taken(database: Database, holder: str, now: dt.datetime, claim: Claim = RELAY) -> Lease:
    lease = take(database, holder, now, claim)
    assert lease is not None
    return lease


def test_one_has_it_until_it_runs_out(either_database: Database) -> None:
    first = taken(either_database, "one", NOW)
    assert take(either_database, "other", NOW + TTL / 2) is None
    second = taken(either_database, "other", LATER)
    assert second.epoch == first.epoch + 1
    with either_database.write() as session:
        assert renew(session, [first, second], LATER) == {second}


def test_who_prolongs_keeps_it(either_database: Database) -> None:
    lease = taken(either_database, "one", NOW)
    with either_database.write() as session:
        assert renew(session, [lease], NOW + TTL / 2) == {lease}
    assert take(either_database, "other", LATER) is None


def test_what_is_given_back_is_there_at_once(either_database: Database) -> None:
    lease = taken(either_database, "one", NOW)
    with either_database.write() as session:
        release(session, lease, NOW)
    assert take(either_database, "other", NOW) is not None


def test_instances_of_a_role_are_held_apart(either_database: Database) -> None:
    taken(either_database, "one", NOW, Claim("ingest", "gate-1"))
    taken(either_database, "other", NOW, Claim("ingest", "gate-2"))
    assert take(either_database, "third", NOW, Claim("ingest", "gate-1")) is None


@pytest.mark.parametrize("fence", [hold, check])
def test_nothing_is_written_under_an_old_epoch(either_database: Database, fence: object) -> None:
    assert fence in {hold, check}
    old = taken(either_database, "one", NOW)
    new = taken(either_database, "other", LATER)

    def write() -> None:
        with either_database.write() as session:
            session.execute(text("UPDATE role_leases SET waiting = 'written by the one that slept'"))
            fence(session, old)  # type: ignore[operator]

    with pytest.raises(RoleLostError) as lost:
        write()
    assert (lost.value.role, lost.value.epoch) == ("relay", old.epoch)
    with either_database.write() as session:
        fence(session, new)  # type: ignore[operator]
        row = session.get_one(RoleLease, ("relay", ""))
        assert row.waiting is None


def test_a_holder_that_is_known_to_be_dead_is_not_waited_for(either_database: Database) -> None:
    taken(either_database, "dead", NOW)
    with either_database.write() as session:
        assert acquire(session, RELAY, "other", NOW, lambda holder: holder == "dead") is not None


def test_a_clock_that_was_set_back_does_not_keep_it_held(either_database: Database) -> None:
    taken(either_database, "one", NOW)
    assert take(either_database, "other", NOW - dt.timedelta(hours=1)) is not None


def test_who_would_take_it_over_is_known(either_database: Database) -> None:
    taken(either_database, "one", NOW)

    def awaited(now: dt.datetime) -> bool:
        with either_database.read() as session:
            return is_awaited(standing(session, [RELAY])[RELAY], now)

    assert not awaited(NOW)
    with either_database.write() as session:
        wait(session, RELAY, "other", NOW)
        wait(session, RELAY, "third", NOW)
        assert session.get_one(RoleLease, ("relay", "")).waiting == "other"
    assert awaited(NOW)
    assert not awaited(LATER)
    # Whoever has it waits no more.
    taken(either_database, "other", LATER)
    assert not awaited(LATER)


def test_who_looks_does_not_wait_for_whoever_has_the_row(postgres: object) -> None:
    with postgres.database() as database:  # type: ignore[attr-defined]
        lease = taken(database, "one", NOW)
        with database.write() as session:
            hold(session, lease)
            # Run out, and yet held for as long as this transaction lasts.
            assert take(database, "other", LATER) is None
            with database.write() as waiting:
                wait(waiting, RELAY, "other", LATER)
        assert take(database, "other", LATER) is not None


def test_all_holders_measure_by_the_database(either_database: Database) -> None:
    clock = VirtualClock(NOW)
    with either_database.read() as session:
        told = database_time(clock)(session)
    if either_database.is_sqlite:
        assert told == NOW
    else:
        assert abs(told - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
