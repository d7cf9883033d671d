"""People come in with what is needed and no more, and stand under guardians without circles."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from residents_world import COMPOUND, ELSEWHERE, TODAY, build, code_of, person
from sqlalchemy import func, select

from registry.errors import MissingError, RefusedError, StaleEditError
from registry.faces import consents, revisions, templates
from registry.faces.templates import Embedding
from registry.lookups import name_key, phone_key
from registry.models import ConsentPurpose, Credential, CredentialKind, CredentialStatus, GivenBy, Person
from registry.people import population
from registry.people.population import PersonChange, turns_14_on
from storage import Database
from tests.support.clock import NOON
from tests.support.threads import at_once

ID_NUMBER = "11010519491231002X"


@pytest.fixture(autouse=True)
def _world(request):
    name = "either_database" if "either_database" in request.fixturenames else "database"
    build(request.getfixturevalue(name))


def change(session, row, **what):
    return population.edit(session, row, row.version, PersonChange(**what), today=TODAY)


def test_registered_person_is_found_by_name_and_phone_and_let_in_by_the_guard(either_database):
    with either_database.write() as session:
        made = person(session, " 张 三 ", phone="+86 100 1234 5678", hukou_registered_here=False)
    with either_database.read() as session:
        found = session.scalars(
            select(Person).where(
                Person.name_key == name_key(COMPOUND, "张三"),
                Person.phone_key == phone_key(COMPOUND, "10012345678"),
            )
        ).one()
        assert (found.id, found.name, found.phone) == (made.id, "张 三", "10012345678")
        (credential,) = session.scalars(select(Credential).where(Credential.person == found.id))
        assert (credential.kind, credential.status) == (CredentialKind.GUARD_CALL, CredentialStatus.ACTIVE)


@pytest.mark.parametrize(
    ("known", "code"),
    [
        ({"name": "  "}, "name_missing"),
        ({"name": "长" * 65}, "name_too_long"),
        ({"phone": "123"}, "phone_length"),
        ({"phone": "abc"}, "phone_characters"),
        ({"id_number": "110105194912310021"}, "id_number_check_digit"),
        ({"id_number": "110105491231002"}, "id_number_old"),
        ({"born_on": dt.date(2027, 1, 1)}, "birth_date_impossible"),
        ({"born_on": dt.date(1700, 1, 1)}, "birth_date_impossible"),
        ({"id_number": ID_NUMBER, "born_on": dt.date(1950, 1, 1)}, "birth_date_differs"),
    ],
)
def test_what_cannot_be_is_refused_with_its_code_and_leaves_nobody(database, known, code):
    with database.write() as session:
        assert code_of(lambda: person(session, **{"name": "张三"} | known)) == code
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 0


def test_birth_date_of_an_adult_is_nowhere(database):
    with database.write() as session:
        for known in ({"born_on": dt.date(1990, 5, 1)}, {"id_number": ID_NUMBER}):
            made = person(session, **known)
            assert (made.under_14, made.turns_14_on) == (False, None)


@pytest.mark.parametrize(
    ("born_on", "under_14", "until"),
    [
        (dt.date(2012, 11, 24), True, dt.date(2026, 11, 24)),
        (dt.date(2012, 11, 23), False, dt.date(2026, 11, 23)),
        (dt.date(2008, 11, 24), False, dt.date(2022, 11, 24)),
        (dt.date(2008, 11, 23), False, None),
        (dt.date(2020, 2, 29), True, dt.date(2034, 3, 1)),
    ],
)
def test_birth_date_says_only_until_when_somebody_is_a_child(database, born_on, under_14, until):
    with database.write() as session:
        made = person(session, born_on=born_on)
        assert (made.under_14, made.turns_14_on) == (under_14, until)


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)))
def test_everybody_turns_14_on_a_birthday_and_never_before(born_on):
    day = turns_14_on(born_on)
    leap_day = (born_on.month, born_on.day) == (2, 29)
    birthday = (3, 1) if leap_day else (born_on.month, born_on.day)
    assert (day.year, day.month, day.day) == (born_on.year + 14, *birthday)


def enrolled_by_guardian(session, person_id):
    row = session.get_one(Person, person_id)
    consents.give(
        session,
        row,
        ConsentPurpose.FACE_ACCESS,
        wording="x",
        channel="counter",
        given_by=GivenBy.GUARDIAN,
        at=NOON,
    )
    return templates.enrol(session, row, Embedding("e", "1", 1, bytes(4), None), media_id=None, at=NOON).id


def test_children_grow_up_and_the_galleries_hear_of_it(either_database):
    with either_database.write() as session:
        soon = person(session, born_on=dt.date(2012, 11, 24)).id
        later = person(session, born_on=dt.date(2012, 11, 25)).id
        adult = person(session, born_on=dt.date(2008, 11, 24)).id
        person(session, under_14=True)
        face = enrolled_by_guardian(session, soon)
        before = templates.revision(session, COMPOUND)
    with either_database.write() as session:
        assert population.come_of_age(session, COMPOUND, TODAY + dt.timedelta(days=1)) == 1
        assert population.come_of_age(session, ELSEWHERE, TODAY + dt.timedelta(days=99)) == 0
    with either_database.read() as session:
        people = {row.id: (row.under_14, row.turns_14_on) for row in session.scalars(select(Person))}
        assert people[soon] == (False, dt.date(2026, 11, 24))
        assert people[later] == (True, dt.date(2026, 11, 25))
        assert people[adult] == (False, None)
        assert sum(under_14 for under_14, _ in people.values()) == 2
        assert templates.revision(session, COMPOUND) == before + 1
        assert revisions.since(session, COMPOUND, before, before + 1).changed == {face}


def test_edit_changes_what_it_names_and_nothing_else(database):
    with database.write() as session:
        made = person(session, phone="10012345678", hukou_registered_here=True)
        change(session, made, name="张三丰")
        assert (made.name, made.phone, made.hukou_registered_here) == ("张三丰", "10012345678", True)
        change(session, made, phone=None, hukou_registered_here=None)
        assert (made.name, made.phone, made.phone_key, made.hukou_registered_here) == (
            "张三丰", None, None, None,
        )  # fmt: skip
        change(session, made, id_number=ID_NUMBER)
        assert made.id_number == ID_NUMBER
        assert (made.under_14, made.turns_14_on) == (False, None)


def test_change_names_its_fields_without_their_contents():
    assert PersonChange(phone=None, name="张三").named() == ("name", "phone")


def test_of_two_who_edit_the_second_is_told(either_database):
    with either_database.write() as session:
        person_id = person(session).id
    with either_database.write() as session:
        change(session, session.get_one(Person, person_id), name="李四")
    with either_database.write() as session:
        row = session.get_one(Person, person_id)
        with pytest.raises(StaleEditError) as stale:
            population.edit(session, row, 1, PersonChange(name="王五"), today=TODAY)
        assert stale.value.version == 2


def test_erased_person_is_not_edited(database):
    with database.write() as session:
        made = person(session)
        made.erased_at = NOON
        assert code_of(lambda: change(session, made, name="李四")) == "person_erased"


def test_external_id_is_one_persons(either_database):
    with either_database.write() as session:
        person(session, external_id="P1")
        person(session, compound=ELSEWHERE, external_id="P1")
        assert code_of(lambda: person(session, external_id="P1")) == "external_id_taken"
        # The transaction goes on: an import may skip the row and keep the others.
        person(session, external_id="P2")
    with either_database.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 3


# ── guardians ─────────────────────────────────────────────────────────────────


def test_child_stands_under_an_adult(database):
    with database.write() as session:
        parent = person(session)
        child = person(session, under_14=True, guardian=parent.id)
        assert child.guardian == parent.id
        change(session, child, guardian=None)
        assert child.guardian is None


def test_guardian_is_another_adult_of_this_compound(database):
    with database.write() as session:
        adult, stranger = person(session), person(session, compound=ELSEWHERE)
        child = person(session, under_14=True)
        youth = person(session, born_on=dt.date(2010, 1, 1))
        ward = person(session, guardian=adult.id)
        for guardian, code in (
            (child.id, "guardian_is_self"),
            (youth.id, "guardian_not_adult"),
            (ward.id, "guardian_has_guardian"),
        ):
            assert code_of(lambda guardian=guardian: change(session, child, guardian=guardian)) == code
        assert code_of(lambda: change(session, adult, guardian=child.id)) == "guardian_not_adult"
        for unknown in (stranger.id, "nobody"):
            with pytest.raises(MissingError):
                change(session, child, guardian=unknown)


def test_no_circle_of_guardians(database):
    with database.write() as session:
        one, other, third = person(session), person(session), person(session)
        change(session, one, guardian=other.id)
        assert code_of(lambda: change(session, other, guardian=one.id)) == "guardian_circle"
        assert code_of(lambda: change(session, other, guardian=third.id)) == "person_is_guardian"
        assert code_of(lambda: change(session, other, under_14=True)) == "person_is_guardian"


def test_two_who_make_each_other_guardian_at_once_make_no_circle(either_database: Database):
    with either_database.write() as session:
        ids = [person(session).id, person(session).id]

    def work(number: int) -> None:
        with either_database.write() as session:
            row = session.get_one(Person, ids[number])
            population.edit(session, row, row.version, PersonChange(guardian=ids[1 - number]), today=TODAY)

    (error,) = at_once(2, work)
    assert isinstance(error, RefusedError)
    assert error.code == "guardian_circle"
    with either_database.read() as session:
        assert [row.guardian for row in session.scalars(select(Person))].count(None) == 1
