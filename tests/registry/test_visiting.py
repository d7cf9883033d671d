"""Visitor passes: asking, deciding, and what is kept of a visitor."""

import datetime as dt
import re

import pytest
from sqlalchemy import inspect, select, text
from visitors_world import COMPOUND, DAY, ELSEWHERE, HOUR, NOON, PHONE, PLATE, settle_in

from registry.errors import MissingError, RefusedError, StaleEditError
from registry.models import PassKind, PassState, Residence, VisitorPass
from registry.passes import decisions as pass_decisions
from registry.passes import visiting
from registry.passes.hosts import Host, HostKind
from registry.passes.terms import AHEAD, TERMS, period
from registry.passes.visiting import PassWanted, issue, issue_many, needs_decision, request, token_hash
from storage import Database

HOME = Host(HostKind.HOUSEHOLD, "h-3")
OFFICE = Host(HostKind.ORGANISATION, "office")


@pytest.fixture
def world(database: Database) -> Database:
    settle_in(database)
    return database


def wanted(kind: PassKind = PassKind.VISITOR, host: Host | None = HOME, **more: object) -> PassWanted:
    return PassWanted(kind, host, **more)


def refused(world: Database, **more: object) -> str:
    with world.write() as session, pytest.raises(RefusedError) as error:
        request(session, COMPOUND, wanted(**more), by="zhang", at=NOON)
    return error.value.code


# ── periods ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", PassKind)
def test_pass_without_an_end_has_the_usual_period_of_its_kind(kind):
    begins, ends = period(kind, None, None, NOON)
    assert (begins, ends - begins) == (NOON, TERMS[kind].usual)


@pytest.mark.parametrize("kind", PassKind)
def test_pass_is_never_longer_than_its_kind_allows(kind):
    longest = TERMS[kind].longest
    assert period(kind, NOON, NOON + longest, NOON) == (NOON, NOON + longest)
    with pytest.raises(RefusedError, match="pass_too_long"):
        period(kind, NOON, NOON + longest + dt.timedelta(seconds=1), NOON)


def test_every_kind_has_terms_whose_usual_is_within_the_longest():
    assert set(TERMS) == set(PassKind)
    assert all(terms.usual <= terms.longest for terms in TERMS.values())
    assert TERMS[PassKind.COURIER].usual == 2 * HOUR
    assert TERMS[PassKind.FOOD_DELIVERY].usual == HOUR
    assert TERMS[PassKind.VISITOR].longest == DAY
    assert TERMS[PassKind.CONTRACTOR].longest == TERMS[PassKind.DOMESTIC_HELP].longest == 90 * DAY


@pytest.mark.parametrize(
    ("starts", "ends", "code"),
    [
        (NOON, NOON, "pass_order"),
        (NOON + HOUR, NOON, "pass_order"),
        (NOON - 2 * HOUR, NOON - HOUR, "pass_over"),
        (NOON + AHEAD + HOUR, None, "pass_too_early"),
    ],
)
def test_impossible_period_is_refused(starts, ends, code):
    with pytest.raises(RefusedError, match=code):
        period(PassKind.VISITOR, starts, ends, NOON)


# ── asking ────────────────────────────────────────────────────────────────────


def test_request_lets_nobody_in_until_it_is_approved(world: Database):
    with world.write() as session:
        made = request(session, COMPOUND, wanted(), by="zhang", at=NOON)
        row = made.visitor_pass
        assert (row.state, row.requested_by, row.decided_by) == (PassState.REQUESTED, "zhang", None)
        pass_decisions.approve(session, row, 1, by="manager", at=NOON)
        assert (row.state, row.decided_by, row.decided_at, row.version) == (
            PassState.APPROVED, "manager", NOON, 2,
        )  # fmt: skip


def test_issued_pass_holds_at_once_and_needs_no_host(world: Database):
    with world.write() as session:
        row = issue(session, COMPOUND, wanted(PassKind.CONTRACTOR, None), by="manager", at=NOON).visitor_pass
        assert (row.state, row.decided_by) == (PassState.APPROVED, "manager")
    assert refused(world, host=None) == "host_needed"


@pytest.mark.parametrize(
    "host",
    [
        pytest.param(Host(HostKind.HOUSEHOLD, "h-away"), id="household_moved_out_or_only_registered"),
        pytest.param(Host(HostKind.HOUSEHOLD, "h-nowhere"), id="household_without_dwelling"),
        pytest.param(Host(HostKind.PERSON, "gone"), id="tenancy_ended_yesterday"),
        pytest.param(Host(HostKind.PERSON, "registered"), id="registered_and_absent"),
        pytest.param(Host(HostKind.PERSON, "erased"), id="erased"),
        pytest.param(Host(HostKind.ORGANISATION, "left"), id="organisation_gave_its_premises_up"),
    ],
)
def test_host_who_is_not_here_gets_no_visitors(world: Database, host: Host):
    assert refused(world, host=host) == "host_not_here"


@pytest.mark.parametrize("kind", HostKind)
def test_host_must_exist_in_this_compound(world: Database, kind: HostKind):
    with world.write() as session:
        for stranger in ("nobody", "stranger"):
            with pytest.raises(MissingError) as error:
                request(session, COMPOUND, wanted(host=Host(kind, stranger)), by="x", at=NOON)
            assert error.value.kind == str(kind)


@pytest.mark.parametrize("plate", ["云M1234", "云MI2345O", "hello", "_无_", "YB888H9"])
def test_ill_formed_plate_is_refused_and_not_repeated(world: Database, plate: str):
    with world.write() as session, pytest.raises(RefusedError) as error:
        request(session, COMPOUND, wanted(plate=plate), by="zhang", at=NOON)
    assert (error.value.code, error.value.facts) == ("plate_malformed", {})


def test_plate_is_kept_in_its_one_spelling(world: Database):
    with world.write() as session:
        row = issue(session, COMPOUND, wanted(plate=" 云m·12345 "), by="guard", at=NOON).visitor_pass
        assert row.plate == PLATE


@pytest.mark.parametrize("phone", ["12345", "not a phone", "+1 555 0100"])
def test_what_is_no_phone_is_refused(world: Database, phone: str):
    assert refused(world, phone=phone) == "phone_malformed"


@pytest.mark.parametrize("uses", [0, -1, 1001])
def test_uses_are_between_one_and_a_thousand(world: Database, uses: int):
    assert refused(world, max_uses=uses) == "pass_uses_range"


@pytest.mark.parametrize("zone", ["nowhere", "far-gate"])
def test_zone_of_nowhere_or_elsewhere_is_missing(world: Database, zone: str):
    with world.write() as session, pytest.raises(MissingError, match="zone"):
        request(session, COMPOUND, wanted(zones=("gate", zone)), by="zhang", at=NOON)


def test_courier_comes_once_where_nobody_says_otherwise(world: Database):
    with world.write() as session:
        usual = issue(session, COMPOUND, wanted(PassKind.COURIER), by="zhang", at=NOON).visitor_pass
        often = issue(session, COMPOUND, wanted(PassKind.COURIER, max_uses=3), by="zhang", at=NOON)
        assert (usual.max_uses, often.visitor_pass.max_uses) == (1, 3)


def test_building_work_and_crowds_need_more_than_the_hosts_word():
    assert {kind for kind in PassKind if needs_decision(kind)} == {PassKind.CONTRACTOR, PassKind.EVENT}


# ── what is kept ──────────────────────────────────────────────────────────────


def test_token_leaves_once_and_only_its_hash_stays(world: Database):
    with world.write() as session:
        made = issue(session, COMPOUND, wanted(phone=PHONE), by="zhang", at=NOON)
    assert re.fullmatch(r"RW1:[\w-]{32}", made.token), "192 bits"
    with world.read() as session:
        row = session.get_one(VisitorPass, made.visitor_pass.id)
        assert row.token_hash == token_hash(made.token)
        stored = session.execute(text("SELECT * FROM visitor_passes")).mappings().one()
    secret = made.token.removeprefix("RW1:").encode()
    assert all(secret not in str(value).encode() for value in stored.values())


def test_two_tokens_are_never_alike():
    assert len({visiting.new_token() for _ in range(1000)}) == 1000


def test_phone_is_sealed_with_the_passs_own_key_and_goes_with_it(world: Database, vault):
    with world.write() as session:
        pass_id = issue(session, COMPOUND, wanted(phone=f"+86 {PHONE}"), by="z", at=NOON).visitor_pass.id
    with world.read() as session:
        row = session.get_one(VisitorPass, pass_id)
        assert row.phone == PHONE
        raw = session.execute(text("SELECT phone, tail_key FROM visitor_passes")).one()
        assert PHONE.encode() not in raw.phone
        assert PHONE[-4:] not in (raw.tail_key or "")
        vault.shred([pass_id], NOON)
        assert row.phone is None


def test_no_column_of_a_pass_could_hold_a_visitors_name():
    columns = {column.key for column in inspect(VisitorPass).columns}
    assert not {name for name in columns if "name" in name}


# ── many at once ──────────────────────────────────────────────────────────────


def test_organisation_gets_passes_for_all_or_for_none(world: Database):
    orders = [wanted(PassKind.BUSINESS, None, plate=f"云M1000{n}", phone=f"1001234000{n}") for n in range(5)]
    with world.write() as session:
        made = issue_many(session, COMPOUND, "office", orders, by="manager", at=NOON)
        assert [one.visitor_pass.plate for one in made] == [order.plate for order in orders]
        assert [one.visitor_pass.phone for one in made] == [order.phone for order in orders]
        assert {one.visitor_pass.host_organisation for one in made} == {"office"}
        assert len({one.token for one in made}) == 5
    bad = [*orders[:2], wanted(PassKind.BUSINESS, None, plate="rubbish")]
    with world.write() as session, pytest.raises(RefusedError) as error:
        issue_many(session, COMPOUND, "office", bad, by="manager", at=NOON)
    assert (error.value.code, error.value.facts) == (
        "pass_of_order",
        {"index": 3, "cause": "plate_malformed"},
    )
    with world.read() as session:
        assert len(session.scalars(select(VisitorPass)).all()) == 5


@pytest.mark.parametrize("count", [0, 501])
def test_bulk_has_its_bounds(world: Database, count: int):
    with world.write() as session, pytest.raises(RefusedError, match="pass_bulk_range"):
        issue_many(session, COMPOUND, "office", [wanted()] * count, by="manager", at=NOON)


# ── deciding ──────────────────────────────────────────────────────────────────


@pytest.fixture
def asked(world: Database) -> str:
    with world.write() as session:
        return request(session, COMPOUND, wanted(), by="zhang", at=NOON).visitor_pass.id


@pytest.mark.parametrize("decide", [pass_decisions.approve, pass_decisions.refuse])
def test_decided_is_decided(world: Database, asked: str, decide):
    with world.write() as session:
        row = pass_decisions.find(session, COMPOUND, asked)
        decide(session, row, 1, by="manager", at=NOON)
        for again in (pass_decisions.approve, pass_decisions.refuse):
            with pytest.raises(RefusedError, match="pass_decided"):
                again(session, row, 2, by="manager", at=NOON)


def test_decision_on_an_older_version_is_refused(world: Database, asked: str):
    with world.write() as session:
        row = pass_decisions.find(session, COMPOUND, asked)
        pass_decisions.approve(session, row, 1, by="manager", at=NOON)
        for late in (
            lambda: pass_decisions.revoke(session, row, 1, by="manager", at=NOON),
            lambda: pass_decisions.extend(session, row, NOON + DAY, 1, by="manager", at=NOON),
            lambda: pass_decisions.renew_token(session, row, 1, at=NOON),
        ):
            with pytest.raises(StaleEditError) as error:
                late()
            assert error.value.version == 2


def test_host_who_moved_out_while_the_request_waited_gets_no_visitor(world: Database, asked: str):
    with world.write() as session:
        for name in ("r-zhang", "r-child"):
            session.get_one(Residence, name).until = (NOON - DAY).date()
        row = pass_decisions.find(session, COMPOUND, asked)
        with pytest.raises(RefusedError, match="host_not_here"):
            pass_decisions.approve(session, row, 1, by="manager", at=NOON)
        pass_decisions.refuse(session, row, 1, by="manager", at=NOON)


def test_request_whose_time_is_over_is_not_approved(world: Database, asked: str):
    with world.write() as session:
        row = pass_decisions.find(session, COMPOUND, asked)
        with pytest.raises(RefusedError, match="pass_over"):
            pass_decisions.approve(session, row, 1, by="manager", at=NOON + 12 * HOUR)


def test_revoked_pass_stays_revoked(world: Database, asked: str):
    with world.write() as session:
        row = pass_decisions.find(session, COMPOUND, asked)
        pass_decisions.revoke(session, row, 1, by="zhang", at=NOON)
        for late in (
            lambda: pass_decisions.revoke(session, row, 2, by="zhang", at=NOON),
            lambda: pass_decisions.extend(session, row, NOON + DAY, 2, by="zhang", at=NOON),
            lambda: pass_decisions.renew_token(session, row, 2, at=NOON),
        ):
            with pytest.raises(RefusedError, match="pass_not_alive"):
                late()


def test_guest_who_stays_is_extended_day_by_day(world: Database):
    with world.write() as session:
        row = issue(session, COMPOUND, wanted(), by="zhang", at=NOON).visitor_pass
        for day in range(1, 4):
            now = NOON + day * 23 * HOUR
            pass_decisions.extend(session, row, now + DAY, row.version, by="zhang", at=now)
            assert row.ends_at == now + DAY
        with pytest.raises(RefusedError, match="pass_too_long"):
            pass_decisions.extend(session, row, now + DAY + HOUR, row.version, by="zhang", at=now)
        with pytest.raises(RefusedError, match="pass_over"):
            pass_decisions.extend(session, row, now, row.version, by="zhang", at=now)


def test_pass_that_ended_long_ago_is_not_brought_back(world: Database):
    with world.write() as session:
        row = issue(session, COMPOUND, wanted(), by="zhang", at=NOON).visitor_pass
        later = row.ends_at + DAY + HOUR
        with pytest.raises(RefusedError, match="pass_over"):
            pass_decisions.extend(session, row, later + HOUR, 1, by="zhang", at=later)


def test_new_token_ends_the_old_one(world: Database):
    with world.write() as session:
        made = issue(session, COMPOUND, wanted(), by="zhang", at=NOON)
        token = pass_decisions.renew_token(session, made.visitor_pass, 1, at=NOON)
        assert token != made.token
        assert made.visitor_pass.token_hash == token_hash(token)


def test_pass_of_another_compound_is_not_found(world: Database, asked: str):
    with world.read() as session, pytest.raises(MissingError, match="visitor_pass"):
        pass_decisions.find(session, ELSEWHERE, asked)
