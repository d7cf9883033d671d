"""Who lives where, from when until when."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from residents_world import DAY, TODAY, code_of, person
from sqlalchemy import select

from registry.errors import MissingError, RefusedError, StaleEditError
from registry.models import Person, Residence, ResidenceKind
from registry.people import residences
from registry.people.residences import overlap
from tests.support.threads import at_once

TENANT, OWNER = ResidenceKind.TENANT, ResidenceKind.OWNER_OCCUPIER
SINCE = dt.date(2026, 1, 1)


def settle(session, who, dwelling="b1-101", kind=TENANT, since=SINCE, until=None):
    return residences.add(session, who, dwelling, kind, since, until, today=TODAY)


def test_residence_lasts_until_somebody_ends_it(world):
    with world.write() as session:
        home = settle(session, person(session))
        assert home.until is None
        residences.end(session, home, home.version, TODAY, today=TODAY)
        assert home.until == TODAY


@pytest.mark.parametrize(
    ("since", "until", "code"),
    [
        (TODAY, TODAY - DAY, "ends_before_it_begins"),
        (dt.date(202, 1, 1), None, "date_impossible"),
        (TODAY + 367 * DAY, None, "date_impossible"),
        (TODAY, dt.date(2926, 1, 1), "date_impossible"),
    ],
)
def test_dates_that_cannot_be_are_refused(world, since, until, code):
    with world.write() as session:
        who = person(session)
        assert code_of(lambda: settle(session, who, since=since, until=until)) == code
        assert session.scalars(select(Residence)).all() == []


def test_residence_of_one_day_is_one(world):
    with world.write() as session:
        assert settle(session, person(session), since=TODAY, until=TODAY).until == TODAY


@pytest.mark.parametrize(
    ("since", "until"),
    [(SINCE, None), (SINCE - 9 * DAY, SINCE), (dt.date(2026, 6, 30), None), (SINCE - 9 * DAY, None)],
)
def test_nobody_has_two_residences_in_one_dwelling_on_one_day(world, since, until):
    with world.write() as session:
        who = person(session)
        settle(session, who, until=dt.date(2026, 6, 30))
        refused = lambda: settle(session, who, kind=OWNER, since=since, until=until)  # noqa: E731
        assert code_of(refused) == "residence_overlaps"


def test_residences_may_follow_each_other_and_be_elsewhere_or_anothers(world):
    with world.write() as session:
        who = person(session)
        settle(session, who, until=dt.date(2026, 6, 30))
        settle(session, who, since=dt.date(2026, 7, 1))
        settle(session, who, dwelling="b2-101")
        settle(session, person(session))
        assert len(session.scalars(select(Residence)).all()) == 4


def test_dwelling_of_another_compound_is_none_here(world):
    with world.write() as session, pytest.raises(MissingError):
        settle(session, person(session), dwelling="b9-101")


_days = st.dates(dt.date(2026, 1, 1), dt.date(2026, 2, 1))
_periods = st.tuples(_days, st.none() | _days).filter(lambda p: p[1] is None or p[0] <= p[1])


@given(_periods, _periods)
def test_two_periods_overlap_where_they_share_a_day(one, other):
    end = dt.date(2026, 3, 1)

    def days(period):
        return {
            dt.date.fromordinal(day)
            for day in range(period[0].toordinal(), (period[1] or end).toordinal() + 1)
        }

    assert overlap(one, other) == overlap(other, one) == bool(days(one) & days(other))


def test_verification_names_day_and_verifier(world):
    with world.write() as session:
        home = settle(session, person(session))
        residences.verify(session, home, home.version, on=TODAY, by="u-1", today=TODAY)
        assert (home.verified_on, home.verified_by) == (TODAY, "u-1")
        version = home.version
        for day, code in ((TODAY + DAY, "date_impossible"), (SINCE - DAY, "date_impossible")):
            refused = lambda day=day: residences.verify(  # noqa: E731
                session, home, version, on=day, by="u-1", today=TODAY
            )
            assert code_of(refused) == code
        residences.end(session, home, version, TODAY - DAY, today=TODAY)
        assert home.verified_on == TODAY
        refused = lambda: residences.verify(  # noqa: E731
            session, home, home.version, on=TODAY, by="u-1", today=TODAY
        )
        assert code_of(refused) == "residence_ended"


def test_correction_of_what_was_verified_has_to_be_verified_anew(world):
    with world.write() as session:
        home = settle(session, person(session))
        residences.verify(session, home, home.version, on=TODAY, by="u-1", today=TODAY)
        residences.correct(session, home, home.version, kind=OWNER, since=SINCE, until=None, today=TODAY)
        assert (home.kind, home.verified_on, home.verified_by) == (OWNER, None, None)


def test_correction_does_not_run_into_another_residence(world):
    with world.write() as session:
        who = person(session)
        first = settle(session, who, until=dt.date(2026, 6, 30))
        settle(session, who, since=dt.date(2026, 7, 1))
        refused = lambda: residences.end(  # noqa: E731
            session, first, first.version, dt.date(2026, 7, 1), today=TODAY
        )
        assert code_of(refused) == "residence_overlaps"


def test_moving_out_ends_everything_but_the_household_registration(world):
    with world.write() as session:
        who = person(session)
        old = settle(session, who, dwelling="b1-201", until=dt.date(2026, 3, 1))
        lasting = settle(session, who)
        ending = settle(session, who, dwelling="b2-101", until=TODAY + 30 * DAY)
        hukou = settle(session, who, dwelling="b2-201", kind=ResidenceKind.REGISTERED_ABSENT)
        assert set(residences.move_out(session, who, TODAY, today=TODAY)) == {lasting, ending}
        assert (old.until, lasting.until, ending.until, hukou.until) == (
            dt.date(2026, 3, 1), TODAY, TODAY, None,
        )  # fmt: skip


def test_move_leaves_no_day_between_and_none_twice(world):
    with world.write() as session:
        who = person(session)
        old = settle(session, who)
        new = residences.move(session, who, "b2-101", OWNER, TODAY, today=TODAY)
        assert (old.until, new.since, new.until) == (TODAY - DAY, TODAY, None)


def test_two_who_add_the_same_residence_at_once_add_one(either_database, world):
    with world.write() as session:
        who = person(session).id

    def work(_: int) -> None:
        with world.write() as session:
            settle(session, session.get_one(Person, who))

    (error,) = at_once(2, work)
    assert isinstance(error, RefusedError)
    assert error.code == "residence_overlaps"
    with world.read() as session:
        assert len(session.scalars(select(Residence)).all()) == 1


def test_of_two_who_end_a_residence_the_second_is_told(either_database, world):
    with world.write() as session:
        home = settle(session, person(session))
        home_id, version = home.id, home.version

    def work(number: int) -> None:
        with world.write() as session:
            row = session.get_one(Residence, home_id)
            residences.end(session, row, version, TODAY + number * DAY, today=TODAY)

    (error,) = at_once(2, work)
    assert isinstance(error, StaleEditError)
