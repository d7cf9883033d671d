"""Finding passes at the gate, and who is expected, waited for, or still here."""

import datetime as dt

import pytest
from visitors_world import COMPOUND, DAY, ELSEWHERE, HOUR, NOON, PHONE, PLATE, settle_in

from registry.errors import RefusedError
from registry.models import PassDirection, PassKind, PassState, VisitorPass
from registry.passes.admission import use
from registry.passes.decisions import extend, revoke
from registry.passes.expected import (
    FORGOTTEN_AFTER,
    GRACE,
    SOON,
    When,
    by_plate,
    by_tail,
    by_token,
    destinations,
    listed,
)
from registry.passes.hosts import Host, HostKind
from registry.passes.visiting import PassWanted, issue, request
from storage import Database

HOME = Host(HostKind.HOUSEHOLD, "h-3")
OFFICE = Host(HostKind.ORGANISATION, "office")
TICK = dt.timedelta(seconds=1)


@pytest.fixture
def world(either_database: Database) -> Database:
    settle_in(either_database)
    return either_database


def given_pass(world: Database, kind: PassKind = PassKind.VISITOR, host: Host | None = HOME, **more) -> str:
    with world.write() as session:
        return issue(session, COMPOUND, PassWanted(kind, host, **more), by="m", at=NOON).visitor_pass.id


def on_list(world: Database, when: When, at: dt.datetime = NOON, compound: str = COMPOUND) -> set[str]:
    with world.read() as session:
        return {row.id for row in session.scalars(listed(compound, when, at))}


# ── by what a visitor shows ───────────────────────────────────────────────────


def test_qr_finds_its_pass_in_whatever_state(world: Database):
    with world.write() as session:
        made = request(session, COMPOUND, PassWanted(PassKind.VISITOR, HOME), by="zhang", at=NOON)
    with world.read() as session:
        found = by_token(session, COMPOUND, f" {made.token}\n")
        assert found is not None
        assert found.id == made.visitor_pass.id
        assert by_token(session, ELSEWHERE, made.token) is None


@pytest.mark.parametrize("text", ["", "RW1:", "RW1:not-ours", "https://example.org", "云M12345"])
def test_qr_of_something_else_finds_nothing(world: Database, text: str):
    given_pass(world)
    with world.read() as session:
        assert by_token(session, COMPOUND, text) is None


def test_plate_in_any_spelling_finds_the_passes_that_hold_now(world: Database):
    pass_id = given_pass(world, plate=PLATE)
    given_pass(world, plate=PLATE, starts_at=NOON + HOUR)
    given_pass(world, plate="云M99999")
    with world.read() as session:
        assert [row.id for row in by_plate(session, COMPOUND, "云m·12345", NOON)] == [pass_id]
        assert by_plate(session, ELSEWHERE, PLATE, NOON) == []
        with pytest.raises(RefusedError, match="plate_malformed"):
            by_plate(session, COMPOUND, "M12345", NOON)


def test_last_four_digits_may_fit_several_passes(world: Database):
    first = given_pass(world, phone=PHONE, ends_at=NOON + HOUR)
    second = given_pass(world, PassKind.BUSINESS, OFFICE, phone=f"1009999{PHONE[-4:]}")
    given_pass(world, phone="10012340000")
    with world.read() as session:
        found = by_tail(session, COMPOUND, PHONE[-4:], NOON)
        assert [row.id for row in found] == [first, second], "who has to leave first stands in front"
        assert destinations(session, COMPOUND, found, NOON) == {first: "3幢", second: "5幢"}
        assert by_tail(session, ELSEWHERE, PHONE[-4:], NOON) == []


@pytest.mark.parametrize("tail", ["", "567", "56789", "５６７８", "abcd", PHONE])
def test_tail_is_four_digits(world: Database, tail: str):
    with world.read() as session, pytest.raises(RefusedError, match="phone_tail_malformed"):
        by_tail(session, COMPOUND, tail, NOON)


def test_pass_of_the_property_has_no_destination(world: Database):
    given_pass(world, PassKind.CONTRACTOR, None)
    with world.read() as session:
        assert destinations(session, COMPOUND, session.scalars(listed(COMPOUND, When.ALL, NOON)), NOON) == {}


# ── lists ─────────────────────────────────────────────────────────────────────


def test_pass_wanders_from_expected_to_current_to_neither(world: Database):
    pass_id = given_pass(world, starts_at=NOON + SOON + HOUR, ends_at=NOON + SOON + 2 * HOUR)
    begins, ends = NOON + SOON + HOUR, NOON + SOON + 2 * HOUR
    for at, lists in [
        (NOON, set()),
        (NOON + HOUR, {When.EXPECTED}),
        (begins - TICK, {When.EXPECTED}),
        (begins, {When.CURRENT}),
        (ends, {When.CURRENT}),
        (ends + TICK, set()),
    ]:
        found = {when for when in When if when is not When.ALL and pass_id in on_list(world, when, at)}
        assert found == lists, at
    assert on_list(world, When.ALL) == {pass_id}
    assert on_list(world, When.ALL, compound=ELSEWHERE) == set()


def test_request_waits_until_it_is_decided_or_over(world: Database):
    with world.write() as session:
        wanted = PassWanted(PassKind.VISITOR, HOME, ends_at=NOON + HOUR)
        pass_id = request(session, COMPOUND, wanted, by="zhang", at=NOON).visitor_pass.id
    assert on_list(world, When.WAITING) == {pass_id}
    assert on_list(world, When.CURRENT) == set()
    assert on_list(world, When.WAITING, NOON + HOUR) == set()
    with world.write() as session:
        session.get_one(VisitorPass, pass_id).state = PassState.REFUSED
    assert on_list(world, When.WAITING) == set()


# ── still here (R-E02) ────────────────────────────────────────────────────────


def enter(
    world: Database, pass_id: str, at: dt.datetime, direction: PassDirection = PassDirection.IN
) -> None:
    with world.write() as session:
        row = session.get_one(VisitorPass, pass_id)
        assert use(session, row, "gate", at, use_id=f"{at}", direction=direction).allowed


def test_visitor_who_was_not_seen_to_leave_has_overstayed_after_the_grace(world: Database):
    pass_id = given_pass(world, ends_at=NOON + HOUR)
    enter(world, pass_id, NOON)
    late = NOON + HOUR + GRACE
    assert on_list(world, When.OVERSTAYED, late) == set()
    assert on_list(world, When.OVERSTAYED, late + TICK) == {pass_id}
    assert on_list(world, When.OVERSTAYED, NOON + HOUR + FORGOTTEN_AFTER + TICK) == set()


def test_visitor_who_never_came_or_has_left_does_not_overstay(world: Database):
    given_pass(world, ends_at=NOON + HOUR)
    left = given_pass(world, ends_at=NOON + HOUR)
    enter(world, left, NOON)
    enter(world, left, NOON + 2 * HOUR, PassDirection.OUT)
    assert on_list(world, When.OVERSTAYED, NOON + 3 * HOUR) == set()


def test_visitor_who_left_and_came_back_overstays_again(world: Database):
    pass_id = given_pass(world, ends_at=NOON + HOUR)
    enter(world, pass_id, NOON)
    enter(world, pass_id, NOON + HOUR / 3, PassDirection.OUT)
    enter(world, pass_id, NOON + HOUR / 2)
    assert on_list(world, When.OVERSTAYED, NOON + 3 * HOUR) == {pass_id}


def test_extended_pass_is_no_overstay(world: Database):
    pass_id = given_pass(world, ends_at=NOON + HOUR)
    enter(world, pass_id, NOON)
    with world.write() as session:
        row = session.get_one(VisitorPass, pass_id)
        extend(session, row, NOON + DAY, row.version, by="zhang", at=NOON + 2 * HOUR)
    assert on_list(world, When.OVERSTAYED, NOON + 3 * HOUR) == set()


def test_pass_that_was_revoked_while_its_visitor_was_in_ends_there(world: Database):
    pass_id = given_pass(world)
    enter(world, pass_id, NOON)
    with world.write() as session:
        row = session.get_one(VisitorPass, pass_id)
        revoke(session, row, row.version, by="zhang", at=NOON + HOUR)
    assert on_list(world, When.OVERSTAYED, NOON + HOUR + GRACE + TICK) == {pass_id}
