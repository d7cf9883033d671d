"""Organisations, where they are and who works there."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from residents_world import COMPOUND, DAY, ELSEWHERE, TODAY, code_of, person

from registry.errors import MissingError, RefusedError, StaleEditError
from registry.models import Organisation, OrganisationKind, Premises, StaffLink
from registry.organisations import workplaces
from registry.organisations.workplaces import OrganisationDetails, check_registration_no
from tests.support.threads import at_once

SINCE = dt.date(2026, 1, 1)


def shop(session, **known):
    details = OrganisationDetails("红花便利店", OrganisationKind.SHOP, known.pop("registration_no", None))
    return workplaces.found(session, COMPOUND, details, **known)


def with_check(head: str) -> str:
    total = sum(workplaces._ALPHABET.index(sign) * 3**place for place, sign in enumerate(head))
    return head + workplaces._ALPHABET[(31 - total % 31) % 31]


_heads = st.from_regex(
    rf"[{workplaces._ALPHABET}]{{2}}[0-9]{{6}}[{workplaces._ALPHABET}]{{9}}", fullmatch=True
)


@given(_heads, st.integers(0, 17), st.sampled_from(workplaces._ALPHABET))
def test_one_wrong_sign_in_a_social_credit_code_is_seen(head, place, sign):
    number = with_check(head)
    assert check_registration_no(f" {number.lower()} ") == number
    wrong = number[:place] + sign + number[place + 1 :]
    if wrong != number:
        with pytest.raises(RefusedError):
            check_registration_no(wrong)


# 31 is prime and 3 is no divisor of it: published ones hold too.
@pytest.mark.parametrize("number", ["91350100M000100Y43", "91110108551385082Q"])
def test_published_codes_hold(number):
    assert check_registration_no(number) == number


@pytest.mark.parametrize("number", ["", "91350100M000100Y44", "9135010OM000100Y43", "110105199001010011"])
def test_what_is_no_social_credit_code_is_refused(world, number):
    with world.write() as session:
        assert code_of(lambda: shop(session, registration_no=number)) == "registration_no_malformed"


def test_organisation_is_edited_on_the_version_that_was_read(world):
    with world.write() as session:
        made = shop(session, external_id="O1")
        details = OrganisationDetails("新店", OrganisationKind.COMPANY)
        workplaces.edit(session, made, made.version, details)
        assert (made.name, made.kind, made.version) == ("新店", "company", 2)
        with pytest.raises(StaleEditError):
            workplaces.edit(session, made, 1, details)
        assert code_of(lambda: shop(session, external_id="O1")) == "external_id_taken"
        nameless = OrganisationDetails(" ", OrganisationKind.SHOP)
        assert code_of(lambda: workplaces.found(session, COMPOUND, nameless)) == "name_missing"


def test_premises_follow_each_other_without_overlapping(world):
    with world.write() as session:
        made = shop(session)
        first = workplaces.move_in(session, made, "b1-101", SINCE, today=TODAY)
        again = lambda: workplaces.move_in(session, made, "b1-101", TODAY, today=TODAY)  # noqa: E731
        assert code_of(again) == "premises_overlap"
        workplaces.move_out(session, first, TODAY - DAY, today=TODAY)
        second = again()
        late = lambda: workplaces.move_out(session, first, TODAY, today=TODAY)  # noqa: E731
        assert code_of(late) == "premises_overlap"
        assert workplaces.premises_of(session, made) == [first, second]
        # A flat-share of two firms is possible.
        workplaces.move_in(session, shop(session), "b1-101", SINCE, today=TODAY)
        with pytest.raises(MissingError):
            workplaces.move_in(session, made, "b9-101", SINCE, today=TODAY)


def test_staff_come_and_go(world):
    with world.write() as session:
        made, who = shop(session), person(session)
        link = workplaces.employ(session, made, who.id, SINCE, TODAY, today=TODAY)
        twice = lambda: workplaces.employ(session, made, who.id, TODAY, today=TODAY)  # noqa: E731
        assert code_of(twice) == "staff_overlap"
        workplaces.dismiss(session, link, TODAY - DAY, today=TODAY)
        assert workplaces.staff_of(session, made, TODAY) == []
        assert workplaces.staff_of(session, made, TODAY - DAY) == [link]
        again = twice()
        assert code_of(lambda: workplaces.dismiss(session, link, TODAY, today=TODAY)) == "staff_overlap"
        assert workplaces.staff_of(session, made) == [link, again]
        backwards = lambda: workplaces.dismiss(session, again, SINCE, today=TODAY)  # noqa: E731
        assert code_of(backwards) == "ends_before_it_begins"


def test_nobody_of_another_compound_and_nobody_erased_works_here(world):
    with world.write() as session:
        made, stranger, gone = shop(session), person(session, compound=ELSEWHERE), person(session)
        gone.erased_at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        for who in (stranger.id, gone.id, "nobody"):
            with pytest.raises(MissingError):
                workplaces.employ(session, made, who, SINCE, today=TODAY)


def test_two_who_employ_somebody_at_once_employ_once(either_database, world):
    with world.write() as session:
        made, who = shop(session).id, person(session).id

    def work(number: int) -> None:
        with world.write() as session:
            row = session.get_one(Organisation, made)
            if number % 2:
                workplaces.employ(session, row, who, SINCE, today=TODAY)
            else:
                workplaces.move_in(session, row, "b1-101", SINCE, today=TODAY)

    errors = at_once(4, work)
    assert sorted(error.code for error in errors) == ["premises_overlap", "staff_overlap"]
    with world.read() as session:
        assert [len(session.query(model).all()) for model in (Premises, StaffLink)] == [1, 1]
