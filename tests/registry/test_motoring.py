"""Vehicles by one spelling of their plate, and who may drive them."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from residents_world import COMPOUND, DAY, ELSEWHERE, TODAY, code_of, person

from registry.errors import MissingError, StaleEditError
from registry.models import AuthorisedDriver, OrganisationKind, Vehicle, VehicleKind
from registry.organisations import workplaces
from registry.people import households
from registry.vehicles import drivers, motoring
from registry.vehicles.drivers import Leave, circular, standing
from registry.vehicles.motoring import VehicleDetails
from tests.support.threads import at_once

SINCE = dt.date(2026, 1, 1)


def car(session, owner, plate="云M12345", **more):
    return motoring.register(session, COMPOUND, VehicleDetails(plate, owner=owner.id), **more)


def allow(session, vehicle, who, by=None, since=SINCE, until=None):
    return drivers.authorise(
        session, vehicle, who.id, granted_by=by and by.id, since=since, until=until, today=TODAY
    )


def may_drive(session, vehicle, on=TODAY):
    return drivers.who_may_drive(session, vehicle, on)


# ── plates ────────────────────────────────────────────────────────────────────


def test_plate_in_any_spelling_is_one_vehicle(either_database, world):
    with world.write() as session:
        owner = person(session)
        made = car(session, owner, " 云m·1O345 ")
        assert made.plate == "云M10345"
        assert code_of(lambda: car(session, owner, "云M10345")) == "plate_taken"
        first = motoring.register(
            session, COMPOUND, VehicleDetails("云M00001", owner=owner.id), external_id="V1"
        )
        assert first.external_id == "V1"
        assert code_of(lambda: car(session, owner, "云M00002", external_id="V1")) == "external_id_taken"
        # Another compound has registers of its own.
        other = person(session, compound=ELSEWHERE)
        motoring.register(session, ELSEWHERE, VehicleDetails("云M10345", owner=other.id))


@pytest.mark.parametrize(
    ("plate", "code"),
    [
        ("云M1234", "plate_malformed"),
        ("M12345", "plate_malformed"),
        ("云M12?45", "plate_unread"),
        ("无牌", "plate_missing"),
        (" · ", "plate_missing"),
    ],
)
def test_plate_that_cannot_be_one_is_refused(world, plate, code):
    with world.write() as session:
        owner = person(session)
        assert code_of(lambda: car(session, owner, plate)) == code


def test_temporary_vehicle_may_have_a_plate_that_no_pattern_knows(world):
    with world.write() as session:
        made = motoring.register(session, COMPOUND, VehicleDetails("厂内 017", kind=VehicleKind.TEMPORARY))
        assert made.plate == "厂内017"
        unread = VehicleDetails("云M12?45", kind=VehicleKind.TEMPORARY)
        assert code_of(lambda: motoring.register(session, COMPOUND, unread)) == "plate_unread"


def test_somebody_answers_for_every_vehicle(world):
    with world.write() as session:
        stranger = person(session, compound=ELSEWHERE)
        firm = workplaces.found(
            session, COMPOUND, workplaces.OrganisationDetails("物业", OrganisationKind.COMPANY)
        )
        for details, code in (
            (VehicleDetails("云M12345"), "vehicle_without_owner"),
            (VehicleDetails("云M12345", kind=VehicleKind.ORGANISATION), "vehicle_without_organisation"),
        ):
            refused = lambda details=details: motoring.register(session, COMPOUND, details)  # noqa: E731
            assert code_of(refused) == code
        with pytest.raises(MissingError):
            car(session, stranger)
        van = VehicleDetails("云M12345", kind=VehicleKind.ORGANISATION, organisation=firm.id)
        assert motoring.register(session, COMPOUND, van).organisation == firm.id


def test_vehicle_is_changed_on_the_version_that_was_read(world):
    with world.write() as session:
        owner = person(session)
        made, other = car(session, owner), car(session, owner, "云M54321")
        motoring.edit(session, made, made.version, VehicleDetails("云MD12345", owner=owner.id))
        assert made.plate == "云MD12345"
        with pytest.raises(StaleEditError):
            motoring.edit(session, made, 1, VehicleDetails("云M12345", owner=owner.id))
        taken = VehicleDetails("云M54321", owner=owner.id)
        assert code_of(lambda: motoring.edit(session, made, made.version, taken)) == "plate_taken"
        assert other.plate == "云M54321"


def test_vehicle_that_is_removed_takes_all_leave_with_it(world):
    with world.write() as session:
        owner, friend = person(session), person(session)
        made = car(session, owner)
        allow(session, made, friend)
        motoring.remove(session, made, made.version)
        assert session.query(Vehicle).count() == session.query(AuthorisedDriver).count() == 0


# ── drivers ───────────────────────────────────────────────────────────────────


def test_owner_household_and_whom_they_let_may_drive(world):
    with world.write() as session:
        owner, partner, friend, guest = (person(session) for _ in range(4))
        household = households.create(session, COMPOUND, head=owner.id, members=[partner.id], today=TODAY)
        made = motoring.register(session, COMPOUND, VehicleDetails("云M12345", household=household.id))
        allow(session, made, friend, by=partner)
        allow(session, made, guest, by=friend, until=TODAY)
        assert may_drive(session, made) == {owner.id, partner.id, friend.id, guest.id}
        assert may_drive(session, made, TODAY + DAY) == {owner.id, partner.id, friend.id}
        assert may_drive(session, made, SINCE - DAY) == {owner.id, partner.id}
        assert code_of(lambda: allow(session, made, partner)) == "driver_is_owner"


def test_leave_is_given_by_who_has_it(world):
    with world.write() as session:
        owner, friend, stranger = (person(session) for _ in range(3))
        made = car(session, owner)
        assert code_of(lambda: allow(session, made, friend, by=stranger)) == "grantor_not_entitled"
        allow(session, made, friend, until=TODAY - DAY)
        assert code_of(lambda: allow(session, made, stranger, by=friend)) == "grantor_not_entitled"
        assert code_of(lambda: allow(session, made, friend, since=SINCE)) == "driver_authorised_already"
        allow(session, made, friend, since=TODAY)
        allow(session, made, stranger, by=friend)


def test_leave_that_comes_back_to_itself_is_refused(world):
    with world.write() as session:
        owner, first, second, third = (person(session) for _ in range(4))
        made = car(session, owner)
        leave = allow(session, made, first)
        allow(session, made, second, by=first)
        allow(session, made, third, by=second)
        drivers.end(session, leave, TODAY - DAY, today=TODAY)
        for by in (first, second, third):
            refused = lambda by=by: allow(session, made, first, by=by, since=TODAY)  # noqa: E731
            assert code_of(refused) == "driver_circle"


def test_end_of_leave_ends_what_stood_on_it(world):
    with world.write() as session:
        owner, first, second, third, other = (person(session) for _ in range(5))
        made = car(session, owner)
        leave = allow(session, made, first)
        allow(session, made, other)
        allow(session, made, second, by=first)
        allow(session, made, third, by=second)
        lost = drivers.end(session, leave, TODAY, today=TODAY)
        assert {row.person for row in lost} == {second.id, third.id}
        assert may_drive(session, made) == {owner.id, first.id, second.id, third.id, other.id}
        assert may_drive(session, made, TODAY + DAY) == {owner.id, other.id}


_who = st.sampled_from("abcdef")
_leaves = st.lists(st.tuples(_who, st.none() | _who, st.booleans()), max_size=12, unique_by=lambda x: x[0])


@given(_leaves, st.sets(_who, max_size=2))
def test_whoever_may_drive_has_a_chain_of_current_leave_to_an_owner(drawn, owners):
    leaves = [Leave(who, by, SINCE, None if current else SINCE) for who, by, current in drawn]
    found = standing(leaves, owners, TODAY)
    current = {leave.person: leave.granted_by for leave in leaves if leave.until is None}

    def reaches(who: str) -> bool:
        seen: set[str] = set()
        while who not in owners:
            if who in seen or who not in current:
                return False
            seen.add(who)
            if current[who] is None:
                return True
            who = current[who]
        return True

    assert found == {who for who in "abcdef" if reaches(who)}


@given(st.lists(st.tuples(_who, _who), max_size=20))
def test_chains_of_leave_that_was_not_refused_have_no_circle(asked):
    given: dict[str, str] = {}
    for who, by in asked:
        leaves = [Leave(a, b, SINCE, None) for a, b in given.items()]
        if not circular(leaves, who, by):
            given[who] = by
    for start in given:
        seen, at = set(), start
        while at in given:
            assert at not in seen
            seen.add(at)
            at = given[at]


def test_two_who_let_each_other_at_once_make_no_circle(either_database, world):
    with world.write() as session:
        owner, one, other = (person(session) for _ in range(3))
        made = car(session, owner)
        first = allow(session, made, one)
        second = allow(session, made, other)
        for leave in (first, second):
            drivers.end(session, leave, TODAY, today=TODAY)
        vehicle, ids = made.id, (one.id, other.id)

    def work(number: int) -> None:
        with world.write() as session:
            drivers.authorise(
                session,
                session.get_one(Vehicle, vehicle),
                ids[number],
                granted_by=ids[1 - number],
                since=TODAY + DAY,
                today=TODAY,
            )

    errors = at_once(2, work)
    assert {error.code for error in errors} <= {"driver_circle", "grantor_not_entitled"}
    with world.read() as session:
        assert may_drive(session, session.get_one(Vehicle, vehicle), TODAY + DAY) == {owner.id}
