"""Orders to terminals to forget: given again until they are answered, and once to each."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from devices import enrolments
from devices.enrolments import LONGEST_PAUSE, RESEND_AFTER, DeleteOrder, OrderState, TerminalEnrolment
from registry.errors import MissingError
from registry.models import Person
from storage import Database
from tests.support.compound import COMPOUND, settle_in

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)


@pytest.fixture
def settled(either_database: Database) -> Database:
    settle_in(either_database)
    with either_database.write() as session:
        session.add(Person(id="p1", compound=COMPOUND, name="甲"))
    return either_database


def enrol(database, device="cam-1", *, face=True, at=NOON):
    with database.write() as session:
        return enrolments.note(session, COMPOUND, device, "p1", face=face, at=at).ref


def forget(database, device="cam-1", at=NOON):
    with database.write() as session:
        row = session.scalars(select(TerminalEnrolment).where(TerminalEnrolment.device == device)).one()
        return enrolments.order_deletion(session, row, cause="e1", at=at).id


def due(database, at, device="cam-1"):
    with database.read() as session:
        return [order.id for order in enrolments.pending(session, device, at)]


def send(database, at, device="cam-1"):
    with database.write() as session:
        orders = enrolments.pending(session, device, at)
        enrolments.mark_sent(session, orders, at)
        return [order.id for order in orders]


def answer(database, order_id, result, at=NOON):
    with database.write() as session:
        return enrolments.answer(session, order_id, result, at).state


def test_reference_on_a_terminal_says_nothing_and_stays_the_same(settled):
    first = enrol(settled)
    assert "p1" not in first
    assert enrol(settled, face=False) == first
    assert enrol(settled, "door-1") != first
    with settled.read() as session:
        row = session.scalars(select(TerminalEnrolment).where(TerminalEnrolment.device == "cam-1")).one()
        assert row.face, "the face still lies there"


def test_order_is_given_again_until_it_is_answered(settled):
    enrol(settled)
    order = forget(settled)
    assert send(settled, NOON) == [order]
    assert due(settled, NOON + RESEND_AFTER - dt.timedelta(seconds=1)) == []
    assert due(settled, NOON + RESEND_AFTER) == [order]
    assert answer(settled, order, "deleted") == OrderState.CONFIRMED
    assert due(settled, NOON + dt.timedelta(days=1)) == []
    with settled.read() as session:
        assert session.scalars(select(TerminalEnrolment)).all() == []


def test_terminal_without_the_reference_has_forgotten_too(settled):
    enrol(settled)
    assert answer(settled, forget(settled), "unknown_ref") == OrderState.CONFIRMED


def test_refusing_terminal_is_told_again_after_longer_and_longer_pauses(settled):
    enrol(settled)
    order, at, pauses = forget(settled), NOON, []
    for _ in range(12):
        assert send(settled, at) == [order]
        assert answer(settled, order, "busy", at) == OrderState.FAILED
        sent = at
        while not due(settled, at):
            at += dt.timedelta(minutes=1)
        pauses.append(at - sent)
    assert pauses == sorted(pauses)
    assert pauses[0] == 2 * RESEND_AFTER
    assert pauses[-1] == LONGEST_PAUSE
    with settled.read() as session:
        row = session.get_one(DeleteOrder, order)
        assert (row.attempts, row.result, row.cause) == (12, "busy", "e1")


def test_terminals_own_word_comes_after_the_confirmation_too_late(settled):
    enrol(settled)
    order = forget(settled)
    answer(settled, order, "deleted")
    assert answer(settled, order, "busy") == OrderState.CONFIRMED


def test_person_who_is_to_be_forgotten_comes_back_under_another_reference(settled):
    old = enrol(settled)
    order = forget(settled)
    new = enrol(settled)
    assert new != old
    assert forget(settled) != order
    answer(settled, order, "deleted")
    with settled.read() as session:
        assert session.scalars(select(TerminalEnrolment.ref)).all() == [new]


def test_same_reference_is_ordered_once(settled):
    enrol(settled)
    assert forget(settled) == forget(settled)


def test_answer_to_no_order_is_refused(settled):
    with settled.write() as session, pytest.raises(MissingError):
        enrolments.answer(session, "none", "deleted", NOON)


def test_each_terminal_gets_its_own_oldest_first(settled):
    enrol(settled)
    enrol(settled, "door-1")
    later = forget(settled, "door-1", NOON + dt.timedelta(seconds=1))
    with settled.write() as session:
        row = session.scalars(select(TerminalEnrolment).where(TerminalEnrolment.device == "door-1")).one()
        row.ref = "another"
    earlier = forget(settled, "door-1", NOON)
    assert due(settled, NOON + dt.timedelta(minutes=1), "door-1") == [earlier, later]
    assert due(settled, NOON + dt.timedelta(minutes=1)) == []


@given(st.integers(0, 10_000), st.sampled_from(OrderState))
def test_pause_before_the_next_attempt_has_bounds(attempts, state):
    order = DeleteOrder(state=state, ordered_at=NOON, sent_at=NOON, attempts=attempts)
    assert RESEND_AFTER <= enrolments._due(order) - NOON <= LONGEST_PAUSE
