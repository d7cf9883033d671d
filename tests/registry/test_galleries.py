import datetime as dt

from registry.faces import galleries
from tests.support.compound import COMPOUND, ELSEWHERE, settle_in

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)


def held(database, at=NOON, compound=COMPOUND):
    with database.read() as session:
        return [(h.worker, h.revision) for h in galleries.holders(session, compound, at)]


def test_holder_says_again_what_it_holds(either_database):
    settle_in(either_database)
    for revision in (-1, 3, 4):
        with either_database.write() as session:
            galleries.report(session, "w1", COMPOUND, revision, NOON)
            galleries.report(session, "w2", ELSEWHERE, revision, NOON)
    assert held(either_database) == [("w1", 4)]
    assert held(either_database, compound=ELSEWHERE) == [("w2", 4)]


def test_holder_that_is_silent_for_a_minute_or_has_left_no_longer_counts(either_database):
    settle_in(either_database)
    with either_database.write() as session:
        galleries.report(session, "w1", COMPOUND, 1, NOON)
        galleries.report(session, "w2", COMPOUND, 1, NOON + dt.timedelta(seconds=30))
    assert held(either_database, NOON + dt.timedelta(seconds=59)) == [("w1", 1), ("w2", 1)]
    assert held(either_database, NOON + dt.timedelta(seconds=60)) == [("w2", 1)]
    with either_database.write() as session:
        galleries.leave(session, "w2")
    assert held(either_database) == [("w1", 1)]
    with either_database.write() as session:
        galleries.clear_away(session, NOON + dt.timedelta(days=2))
    assert held(either_database) == []
