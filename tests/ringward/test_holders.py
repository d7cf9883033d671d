"""`ringward doctor` says who evaluates whose rules, and who does not any more."""

import datetime as dt

from alerts import leases
from alerts.leases import TTL, Come
from alerts.sharing import Member
from ringward.cli.holders import findings
from storage import Database
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import COMPOUND, ELSEWHERE


def take(database: Database, compound: str, holder: str, advanced_to: dt.datetime = NOON) -> None:
    with database.write() as session:
        leases.attend(session, Member(holder), NOON)
        lease = leases.acquire(session, compound, holder, NOON)
        assert lease is not None
        leases.hold(session, lease, Come(1, "s", advanced_to))


def test_nothing_is_said_where_nobody_ever_began(database: Database) -> None:
    assert list(findings(database, VirtualClock())) == []


def test_who_holds_what_is_named(database: Database) -> None:
    take(database, COMPOUND, "one")
    take(database, ELSEWHERE, "two")
    with database.write() as session:
        leases.attend(session, Member("three"), NOON)
    found = list(findings(database, VirtualClock()))
    assert [(one.check, one.ok, one.seen) for one in found] == [
        (f"rules of {COMPOUND}", True, "one, epoch 1"),
        (f"rules of {ELSEWHERE}", True, "two, epoch 1"),
        ("evaluators", True, "3 there, 1 of them idle"),
    ]


def test_a_compound_that_nobody_holds_is_wrong(database: Database) -> None:
    take(database, COMPOUND, "one")
    clock = VirtualClock()
    clock.at = NOON + TTL + dt.timedelta(seconds=1)
    (found,) = findings(database, clock)
    assert not found.ok
    assert found.seen.startswith("nobody, since")


def test_a_backlog_is_told(database: Database) -> None:
    take(database, COMPOUND, "one", NOON - dt.timedelta(minutes=2))
    (found, _) = findings(database, VirtualClock())
    assert not found.ok
    assert found.seen == "one, epoch 1, 120 s behind"
