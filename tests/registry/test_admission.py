"""Visitor passes at the gate: who is let in, and how often, also by two gates at once."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from visitors_world import COMPOUND, DAY, ELSEWHERE, HOUR, NOON, PLATE, settle_in

from registry.errors import MissingError, RefusedError
from registry.models import PassDirection, PassKind, PassState, PassUse, Residence, VisitorPass
from registry.passes.admission import (
    SAME_PASSAGE,
    PassDecision,
    PassFacts,
    PassReason,
    check,
    decide,
    plate_is_welcome,
    use,
)
from registry.passes.decisions import revoke
from registry.passes.hosts import Host, HostKind
from registry.passes.visiting import PassWanted, issue, request
from storage import Database
from tests.support.threads import at_once

HOME = Host(HostKind.HOUSEHOLD, "h-3")
OFFICE = Host(HostKind.ORGANISATION, "office")
MINUTE = dt.timedelta(minutes=1)
TICK = dt.timedelta(seconds=1)


@pytest.fixture
def world(either_database: Database) -> Database:
    settle_in(either_database)
    return either_database


def given_pass(world: Database, kind: PassKind = PassKind.VISITOR, host: Host | None = HOME, **more) -> str:
    with world.write() as session:
        wanted = PassWanted(kind, host, **more)
        return issue(session, COMPOUND, wanted, by="manager", at=NOON).visitor_pass.id


def used(
    world: Database, pass_id: str, zone: str = "gate", at: dt.datetime = NOON, use_id: str = "u-1", **more
) -> PassDecision:
    with world.write() as session:
        return use(session, session.get_one(VisitorPass, pass_id), zone, at, use_id=use_id, **more)


def uses(world: Database, pass_id: str) -> tuple[int, int]:
    """(what the pass counts, how many rows there are)"""
    with world.read() as session:
        rows = select(func.count()).select_from(PassUse).where(PassUse.visitor_pass == pass_id)
        return session.get_one(VisitorPass, pass_id).uses, session.scalar(rows) or 0


# ── the decision itself ───────────────────────────────────────────────────────

FACTS = PassFacts(
    PassState.APPROVED,
    NOON,
    NOON + HOUR,
    host_here=True,
    zones=frozenset({"gate"}),
    uses_left=None,
    counts=True,
)


@pytest.mark.parametrize(
    ("change", "zone", "at", "reason"),
    [
        pytest.param({}, "gate", NOON, PassReason.VALID, id="first_moment"),
        pytest.param({}, "gate", NOON + HOUR, PassReason.VALID, id="last_moment"),
        pytest.param({}, "gate", NOON - TICK, PassReason.NOT_YET, id="a_second_early"),
        pytest.param({}, "gate", NOON + HOUR + TICK, PassReason.OVER, id="a_second_late"),
        pytest.param({}, "b5", NOON, PassReason.OTHER_PLACE, id="elsewhere"),
        pytest.param({"host_here": False}, "gate", NOON, PassReason.HOST_GONE, id="host_moved_out"),
        pytest.param({"uses_left": 1}, "gate", NOON, PassReason.VALID, id="last_use"),
        pytest.param({"uses_left": 0}, "gate", NOON, PassReason.USED_UP, id="used_up"),
        pytest.param({"uses_left": 0, "counts": False}, "gate", NOON, PassReason.VALID, id="inside_already"),
        pytest.param({"state": PassState.REQUESTED}, "gate", NOON, PassReason.REQUESTED, id="requested"),
        pytest.param({"state": PassState.REFUSED}, "gate", NOON, PassReason.REFUSED, id="refused"),
        pytest.param({"state": PassState.REVOKED}, "gate", NOON, PassReason.REVOKED, id="revoked"),
    ],
)
def test_pass_is_decided_on_its_facts(change, zone, at, reason):
    facts = PassFacts(**{name: getattr(FACTS, name) for name in PassFacts.__slots__} | change)
    assert decide(facts, zone, at) == PassDecision(reason is PassReason.VALID, reason)


@given(
    st.builds(
        PassFacts,
        state=st.sampled_from(PassState),
        starts_at=st.just(NOON),
        ends_at=st.just(NOON + HOUR),
        host_here=st.booleans(),
        zones=st.sampled_from([frozenset(), frozenset({"gate"})]),
        uses_left=st.none() | st.integers(-1, 2),
        counts=st.booleans(),
    ),
    st.integers(-2, 62),
)
def test_only_an_approved_pass_in_its_time_at_its_place_lets_in(facts, minutes):
    decision = decide(facts, "gate", NOON + minutes * MINUTE)
    may = (
        facts.state is PassState.APPROVED
        and 0 <= minutes <= 60
        and facts.host_here
        and "gate" in facts.zones
        and (facts.uses_left is None or facts.uses_left > 0 or not facts.counts)
    )
    assert decision.allowed is may is (decision.reason is PassReason.VALID)


# ── at the gate ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("host", "more", "opens"),
    [
        pytest.param(HOME, {}, {"gate", "garage-gate", "yard", "b3"}, id="the_way_to_the_household"),
        pytest.param(OFFICE, {}, {"gate", "garage-gate", "yard", "pond", "b5"}, id="the_way_to_the_office"),
        pytest.param(None, {}, {"gate", "garage-gate"}, id="the_propertys_own_without_zones"),
        pytest.param(HOME, {"zones": ("gate", "pond")}, {"gate", "pond"}, id="the_zones_it_names"),
    ],
)
def test_pass_opens_the_way_to_its_host(world: Database, host, more, opens):
    pass_id = given_pass(world, host=host, **more)
    with world.read() as session:
        row = session.get_one(VisitorPass, pass_id)
        for zone in ("gate", "garage-gate", "yard", "pond", "garage", "b3", "b5"):
            reason = PassReason.VALID if zone in opens else PassReason.OTHER_PLACE
            assert check(session, row, zone, NOON).reason is reason
        for unknown in ("nowhere", "far-gate"):
            with pytest.raises(MissingError, match="zone"):
                check(session, row, unknown, NOON)


def test_checking_uses_nothing(world: Database):
    pass_id = given_pass(world, PassKind.COURIER)
    with world.write() as session:
        for _ in range(3):
            assert check(session, session.get_one(VisitorPass, pass_id), "gate", NOON).allowed
    assert uses(world, pass_id) == (0, 0)


def test_pass_whose_host_moved_out_since_lets_nobody_in(world: Database):
    pass_id = given_pass(world)
    with world.write() as session:
        for name in ("r-zhang", "r-child"):
            session.get_one(Residence, name).until = (NOON - DAY).date()
    assert used(world, pass_id) == PassDecision(False, PassReason.HOST_GONE)
    assert uses(world, pass_id) == (0, 0)


def test_pass_is_used_as_often_as_it_says(world: Database):
    pass_id = given_pass(world, max_uses=2)
    reasons = [used(world, pass_id, at=NOON + n * HOUR, use_id=f"u-{n}").reason for n in range(4)]
    assert reasons == [PassReason.VALID, PassReason.VALID, PassReason.USED_UP, PassReason.USED_UP]
    assert uses(world, pass_id) == (2, 2)


def test_gate_and_stairwell_door_are_one_entry(world: Database):
    pass_id = given_pass(world, PassKind.COURIER)
    steps = [("gate", True), ("b3", True), ("b3", True), ("garage-gate", False), ("gate", False)]
    for number, (zone, allowed) in enumerate(steps):
        assert used(world, pass_id, zone, NOON + number * MINUTE, f"u-{number}").allowed is allowed, number
    assert uses(world, pass_id) == (1, 3)


def test_where_the_gate_has_no_reader_the_door_counts(world: Database):
    pass_id = given_pass(world, PassKind.COURIER)
    assert used(world, pass_id, "b3").allowed
    assert used(world, pass_id, "b3", NOON + HOUR, "u-2").reason is PassReason.USED_UP


def test_nobody_is_kept_in(world: Database):
    pass_id = given_pass(world, PassKind.COURIER)
    used(world, pass_id)
    with world.write() as session:
        row = session.get_one(VisitorPass, pass_id)
        revoke(session, row, row.version, by="zhang", at=NOON)
    out = used(world, pass_id, at=NOON + DAY, use_id="u-2", direction=PassDirection.OUT)
    assert out == PassDecision(True, PassReason.LEAVING)
    assert uses(world, pass_id) == (1, 2)


# ── the same use twice ────────────────────────────────────────────────────────


def test_same_report_again_within_two_minutes_counts_once(world: Database):
    pass_id = given_pass(world, PassKind.COURIER)
    assert used(world, pass_id).reason is PassReason.VALID
    for later in (NOON, NOON + SAME_PASSAGE):
        assert used(world, pass_id, at=later) == PassDecision(True, PassReason.REPEATED)
    assert uses(world, pass_id) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"at": NOON + SAME_PASSAGE + TICK}, id="later"),
        pytest.param({"zone": "garage-gate"}, id="at_another_gate"),
        pytest.param({"direction": PassDirection.OUT}, id="the_other_way"),
    ],
)
def test_recorded_report_opens_no_second_time(world: Database, change):
    pass_id = given_pass(world)
    used(world, pass_id)
    with pytest.raises(RefusedError, match="pass_use_taken"):
        used(world, pass_id, **change)
    assert uses(world, pass_id) == (1, 1)


def test_two_passes_may_be_used_in_one_event(world: Database):
    one, other = given_pass(world), given_pass(world)
    assert used(world, one).reason is used(world, other).reason is PassReason.VALID


def test_refused_use_may_be_tried_again(world: Database):
    with world.write() as session:
        made = request(session, COMPOUND, PassWanted(PassKind.VISITOR, HOME), by="zhang", at=NOON)
        pass_id = made.visitor_pass.id
    assert used(world, pass_id).reason is PassReason.REQUESTED
    with world.write() as session:
        session.get_one(VisitorPass, pass_id).state = PassState.APPROVED
    assert used(world, pass_id).reason is PassReason.VALID


# ── two gates at once ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("limit", [1, 3])
def test_gates_at_once_never_let_in_more_often_than_the_pass_says(world: Database, limit: int):
    pass_id = given_pass(world, max_uses=limit)
    decisions: list[PassDecision] = []

    def enter(number: int) -> None:
        gate = ("gate", "garage-gate")[number % 2]
        decisions.append(used(world, pass_id, gate, NOON, f"u-{number}"))

    assert at_once(8, enter) == []
    assert sum(decision.allowed for decision in decisions) == limit
    assert {decision.reason for decision in decisions if not decision.allowed} == {PassReason.USED_UP}
    assert uses(world, pass_id) == (limit, limit)


def test_one_use_reported_by_two_processes_at_once_counts_once(world: Database):
    pass_id = given_pass(world, max_uses=5)
    decisions: list[PassDecision] = []
    assert at_once(6, lambda _: decisions.append(used(world, pass_id))) == []
    assert all(decision.allowed for decision in decisions)
    assert [decision.reason for decision in decisions].count(PassReason.VALID) == 1
    assert uses(world, pass_id) == (1, 1)


# ── plates ────────────────────────────────────────────────────────────────────


def welcome(world: Database, at: dt.datetime = NOON, plate: str = PLATE, compound: str = COMPOUND) -> bool:
    with world.read() as session:
        return plate_is_welcome(session, compound, plate, at)


def test_plate_with_a_pass_is_welcome_in_its_time_and_compound(world: Database):
    given_pass(world, plate=PLATE)
    assert welcome(world)
    assert welcome(world, NOON + 12 * HOUR)
    assert not welcome(world, NOON + 12 * HOUR + TICK)
    assert not welcome(world, NOON - TICK)
    assert not welcome(world, plate="云M54321")
    assert not welcome(world, compound=ELSEWHERE)
    assert welcome(world, plate="云M1234警", compound=ELSEWHERE)


def test_plate_of_a_revoked_or_undecided_pass_is_not_welcome(world: Database):
    pass_id = given_pass(world, plate=PLATE)
    for state in (PassState.REQUESTED, PassState.REFUSED, PassState.REVOKED):
        with world.write() as session:
            session.get_one(VisitorPass, pass_id).state = state
        assert not welcome(world)


def test_plate_is_not_welcome_once_its_uses_are_spent(world: Database):
    pass_id = given_pass(world, plate=PLATE, max_uses=1)
    entry = NOON + HOUR
    used(world, pass_id, "garage-gate", entry)
    assert welcome(world, entry - MINUTE), "it was read before the guard took the pass"
    assert welcome(world, entry + SAME_PASSAGE), "it is still the car that was let in"
    assert not welcome(world, entry + SAME_PASSAGE + TICK)
