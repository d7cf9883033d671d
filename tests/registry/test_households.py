"""A household has one head, who is a member of it."""

import pytest
from residents_world import COMPOUND, TODAY, build, code_of, person

from registry.errors import MissingError, RefusedError, StaleEditError
from registry.models import Household, Person
from registry.people import households
from tests.support.threads import at_once


@pytest.fixture(autouse=True)
def _world(request):
    name = "either_database" if "either_database" in request.fixturenames else "database"
    build(request.getfixturevalue(name))


def family(session, **more):
    """A head, a partner and a child in b1-101."""
    head, partner, child = person(session), person(session), person(session, under_14=True)
    household = households.create(
        session,
        COMPOUND,
        head=head.id,
        members=[partner.id, child.id],
        dwelling="b1-101",
        today=TODAY,
        **more,
    )
    return household, head, partner, child


def test_household_is_made_with_its_head_as_a_member(database):
    with database.write() as session:
        household, head, partner, child = family(session)
        assert household.head_person_id == head.id
        members = {row.id for row in households.members(session, household)}
        assert members == {head.id, partner.id, child.id}


def test_nobody_is_in_two_households(database):
    with database.write() as session:
        _, head, partner, _ = family(session)
        other = person(session)
        for members in ([head.id], [other.id, partner.id]):
            refused = lambda members=members: households.create(  # noqa: E731
                session, COMPOUND, head=members[0], members=members, today=TODAY
            )
            assert code_of(refused) == "in_another_household"


def test_head_is_registered_grown_and_the_dwelling_exists(database):
    with database.write() as session:
        child = person(session, under_14=True)
        refused = lambda: households.create(session, COMPOUND, head=child.id, today=TODAY)  # noqa: E731
        assert code_of(refused) == "head_under_14"
    with database.write() as session:
        adult = person(session)
        for wrong in ({"head": "nobody"}, {"head": adult.id, "dwelling": "b9-101"}):
            with pytest.raises(MissingError):
                households.create(session, COMPOUND, **wrong, today=TODAY)


def test_another_member_becomes_head_and_the_first_is_it_no_more(database):
    with database.write() as session:
        household, head, partner, child = family(session)
        households.change_head(session, household, household.version, partner.id, today=TODAY)
        assert household.head_person_id == partner.id
        households.leave(session, head, head.version)
        assert head.household is None
        stranger = person(session)
        for other, code in (
            (stranger, "head_not_member"),
            (head, "head_not_member"),
            (child, "head_under_14"),
        ):
            version = household.version
            refused = lambda other=other, version=version: households.change_head(  # noqa: E731
                session, household, version, other.id, today=TODAY
            )
            assert code_of(refused) == code


def test_head_leaves_last_and_the_next_who_joins_becomes_head(database):
    with database.write() as session:
        household, head, partner, child = family(session)
        assert code_of(lambda: households.leave(session, head, head.version)) == "head_leaves"
        households.leave(session, partner, partner.version)
        households.leave(session, child, child.version)
        households.leave(session, head, head.version)
        assert household.head_person_id is None
        refused = lambda: households.join(session, household, child, child.version, today=TODAY)  # noqa: E731
        assert code_of(refused) == "head_under_14"
    with database.write() as session:
        household = session.get_one(Household, household.id)
        partner = session.get_one(Person, partner.id)
        households.join(session, household, partner, partner.version, today=TODAY)
        assert household.head_person_id == partner.id
        loner = person(session)
        assert code_of(lambda: households.leave(session, loner, 1)) == "in_no_household"


def test_household_moves_to_another_dwelling(database):
    with database.write() as session:
        household, *_ = family(session)
        households.settle(session, household, household.version, "b2-101")
        assert household.dwelling == "b2-101"
        with pytest.raises(MissingError):
            households.settle(session, household, household.version, "b9-101")


def test_of_two_who_change_the_head_the_second_is_told(either_database):
    with either_database.write() as session:
        household, _, partner, _ = family(session)
        ids, version = (household.id, partner.id), household.version

    def work(_: int) -> None:
        with either_database.write() as session:
            row = session.get_one(Household, ids[0])
            households.change_head(session, row, version, ids[1], today=TODAY)

    (error,) = at_once(2, work)
    assert isinstance(error, StaleEditError)


def test_member_who_leaves_while_becoming_head_does_not_leave_a_household_without(either_database):
    with either_database.write() as session:
        household, _, partner, _ = family(session)
        household_id, partner_id = household.id, partner.id
        versions = household.version, partner.version

    def work(number: int) -> None:
        with either_database.write() as session:
            if number:
                row = session.get_one(Household, household_id)
                households.change_head(session, row, versions[0], partner_id, today=TODAY)
            else:
                households.leave(session, session.get_one(Person, partner_id), versions[1])

    (error,) = at_once(2, work)
    assert isinstance(error, RefusedError)
    assert error.code in {"head_leaves", "head_not_member"}
    with either_database.read() as session:
        row = session.get_one(Household, household_id)
        assert row.head_person_id in {member.id for member in households.members(session, row)}


def test_external_id_is_one_households(database):
    with database.write() as session:
        family(session, external_id="H1")
        assert code_of(lambda: family(session, external_id="H1")) == "external_id_taken"
