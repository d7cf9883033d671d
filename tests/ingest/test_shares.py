"""Ingests say what they take; what nobody takes is known."""

import datetime as dt

from ingest import shares
from ingest.share import EVERYTHING, share
from storage import Database
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, ELSEWHERE, settle_in


def test_who_listens_is_known_until_it_falls_silent(either_database: Database) -> None:
    settle_in(either_database)
    with either_database.write() as session:
        shares.say(session, "north", share(COMPOUND, "all"), NOON)
    with either_database.read() as session:
        assert shares.between(session, NOON).compounds == (ELSEWHERE,)
    later = NOON + dt.timedelta(seconds=30)
    with either_database.write() as session:
        shares.say(session, "south", share(ELSEWHERE, "none"), later)
    with either_database.read() as session:
        assert shares.between(session, later).is_closed
        assert [one.client_id for one in shares.heard(session, later)] == ["north", "south"]
        silent = shares.between(session, NOON + shares.HEARD_WITHIN)
    assert silent.compounds == (COMPOUND,)
    assert silent.vendor_topics


def test_what_an_ingest_takes_may_change(either_database: Database) -> None:
    settle_in(either_database)
    with either_database.write() as session:
        shares.say(session, "one", share(COMPOUND, "none"), NOON)
        shares.say(session, "one", EVERYTHING, NOON)
    with either_database.read() as session:
        assert shares.between(session, NOON).is_closed
