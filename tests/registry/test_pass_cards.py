"""Cards that the gate hands to visitors: one holder a number, and no longer than the pass."""

import datetime as dt

import pytest

from registry.credentials import issuing
from registry.credentials.issuing import NewCredential
from registry.entry import gatehouse
from registry.errors import RefusedError
from registry.lookups import identify
from registry.models import CredentialKind, PassKind, PassState, Person, VisitorPass
from registry.passes import cards
from storage import Database
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, settle_in

CARD = CredentialKind.CARD


@pytest.fixture
def here(either_database: Database) -> Database:
    settle_in(either_database)
    with either_database.write() as session:
        for name in ("v1", "v2"):
            session.add(
                VisitorPass(
                    id=name,
                    compound=COMPOUND,
                    kind=PassKind.VISITOR,
                    starts_at=NOON,
                    ends_at=NOON + dt.timedelta(hours=2),
                )
            )
        row = Person(id="p1", compound=COMPOUND)
        identify(row, name="某某")
        session.add(row)
        session.flush()
        issuing.issue(session, row, NewCredential(CARD, "C0FFEE"), at=NOON)
    return either_database


def hand_out(database, number, to="v1", at=NOON):
    with database.write() as session:
        cards.hand_out(session, session.get_one(VisitorPass, to), number, at)


def enters(database, number, at=NOON, zone="gate"):
    with database.read() as session:
        return gatehouse.by_credential(session, COMPOUND, CARD, number, zone, at)


def test_card_opens_for_the_visitor_while_the_pass_does(here):
    assert not enters(here, "CAFE01").allowed
    hand_out(here, "cafe 01")
    entry = enters(here, "CAFE01")
    assert (entry.allowed, entry.subject) == (True, "visitor_pass:v1")
    assert not enters(here, "CAFE01", NOON + dt.timedelta(hours=3)).allowed


def test_returned_card_opens_nothing_and_can_be_handed_to_the_next(here):
    hand_out(here, "CAFE01")
    with pytest.raises(RefusedError) as refused:
        hand_out(here, "CAFE01", "v2")
    assert refused.value.code == "credential_in_use"
    with here.write() as session:
        cards.take_back(session, session.get_one(VisitorPass, "v1"))
    assert not enters(here, "CAFE01").allowed
    hand_out(here, "CAFE01", "v2")
    assert enters(here, "CAFE01").subject == "visitor_pass:v2"


def test_residents_card_is_not_handed_out(here):
    with pytest.raises(RefusedError) as refused:
        hand_out(here, "C0FFEE")
    assert refused.value.code == "credential_in_use"


@pytest.mark.parametrize("state", [PassState.REQUESTED, PassState.REFUSED, PassState.REVOKED])
def test_pass_that_lets_nobody_in_gets_no_card(here, state):
    with here.write() as session:
        session.get_one(VisitorPass, "v1").state = state
    with pytest.raises(RefusedError) as refused:
        hand_out(here, "CAFE01")
    assert refused.value.code == "pass_not_alive"


def test_number_lies_sealed(here):
    hand_out(here, "CAFE01")
    with here.read() as session:
        row = session.get_one(VisitorPass, "v1")
        assert row.card == "CAFE01"
        assert b"CAFE01" not in (row.sealed_card or b"")
