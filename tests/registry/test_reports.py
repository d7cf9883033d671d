"""Tenancies that end, residences nobody verified, dwellings where nobody lives."""

import datetime as dt

import pytest

from registry.models import Dwelling, DwellingState, Person, ResidenceKind
from registry.reports.lists import Age, TenancyStage, ageing, tenancies, unverified, vacancies
from storage import Database
from tests.support import houses
from tests.support.clock import NOON
from tests.support.houses import HERE, THERE, TODAY, live

DAY = dt.timedelta(days=1)


@pytest.fixture
def session(either_database: Database):
    with either_database.write() as session:
        yield session


@pytest.fixture
def place(session):
    return houses.found(session)


def let(session, dwelling: str, left: int, kind: ResidenceKind = ResidenceKind.TENANT):
    who = houses.person(session, "租客")
    return live(session, who, dwelling, kind, until=TODAY + left * DAY)


@pytest.mark.parametrize(
    ("left", "stage"),
    [
        (8, None),
        (7, TenancyStage.T_7),
        (2, TenancyStage.T_7),
        (1, TenancyStage.T_1),
        (0, TenancyStage.T_1),
        (-1, TenancyStage.ENDED),
        (-30, TenancyStage.ENDED),
        (-31, None),
    ],
)
def test_a_tenancy_is_seen_from_seven_days_before_its_end_to_a_month_after(session, place, left, stage):
    home = let(session, place.d6_701, left)
    listed = tenancies(session, HERE, TODAY)
    if stage is None:
        assert listed == []
        return
    (tenancy,) = listed
    assert (tenancy.residence_id, tenancy.stage, tenancy.days_left) == (home.id, stage, left)
    assert (tenancy.until, tenancy.address) == (TODAY + left * DAY, "甲6幢7层701室")


def test_only_who_lives_there_on_time_has_a_tenancy(session, place):
    for kind in ResidenceKind:
        let(session, place.d6_701, 3, kind)
    assert {tenancy.kind for tenancy in tenancies(session, HERE, TODAY)} == {
        ResidenceKind.TENANT,
        ResidenceKind.LODGER,
        ResidenceKind.DORMITORY,
    }


def test_a_tenancy_that_was_renewed_is_not_about_to_end(session, place):
    home = let(session, place.d6_701, -1)
    who = session.get_one(Person, home.person)
    live(session, who, place.d6_701, ResidenceKind.TENANT, since=TODAY)
    assert tenancies(session, HERE, TODAY) == []


def test_tenancies_of_one_grid_come_by_their_end(session, place):
    west = [let(session, place.d6_701, 5), let(session, place.d51_101, 2)]
    let(session, place.d31_101, 3)
    there = houses.found(session, THERE)
    live(
        session,
        houses.person(session, "x", compound=THERE),
        there.d6_701,
        ResidenceKind.TENANT,
        until=TODAY,
    )
    listed = tenancies(session, HERE, TODAY, grids=[place.west])
    assert [tenancy.residence_id for tenancy in listed] == [west[1].id, west[0].id]
    assert len(tenancies(session, HERE, TODAY)) == 3


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (0, Age.DAYS_30),
        (30, Age.DAYS_30),
        (31, Age.DAYS_90),
        (90, Age.DAYS_90),
        (91, Age.DAYS_180),
        (181, Age.DAYS_365),
        (365, Age.DAYS_365),
        (366, Age.OLDER),
        (None, Age.NEVER),
    ],
)
def test_a_residence_is_as_old_as_its_last_verification(session, place, days, age):
    verified = None if days is None else TODAY - days * DAY
    live(session, houses.person(session, "张三"), place.d6_701, verified_on=verified)
    counts = ageing(session, HERE, TODAY)
    assert list(counts) == list(Age)
    assert {found: count for found, count in counts.items() if count} == {age: 1}


def test_what_was_not_verified_for_long_is_listed_and_never_verified_first(session, place):
    who = houses.person(session, "张三")
    old = live(session, who, place.d31_101, verified_on=TODAY - 400 * DAY)
    older = live(session, who, place.d51_101, verified_on=TODAY - 500 * DAY)
    never = live(session, who, place.d6_701)
    live(session, who, place.d31_1701, verified_on=TODAY - 365 * DAY)
    live(session, who, place.d31_1802, until=TODAY - DAY)
    listed = unverified(session, HERE, TODAY, older_than=365)
    assert [(row.residence_id, row.days) for row in listed] == [
        (never.id, None),
        (older.id, 500),
        (old.id, 400),
    ]
    assert [
        row.residence_id for row in unverified(session, HERE, TODAY, older_than=365, grids=[place.east])
    ] == [old.id]
    assert len(unverified(session, HERE, TODAY, older_than=365, limit=1)) == 1


def test_the_erased_are_neither_old_nor_listed(session, place):
    who = houses.person(session, "张三")
    live(session, who, place.d6_701)
    who.erased_at = NOON
    session.flush()
    assert sum(ageing(session, HERE, TODAY).values()) == 0
    assert unverified(session, HERE, TODAY, older_than=0) == []


def test_vacant_is_what_is_said_to_be_or_where_nobody_lives(session, place):
    for dwelling in session.query(Dwelling):
        live(session, houses.person(session, "x"), dwelling.id, until=TODAY - 9 * DAY)
        live(session, houses.person(session, "y"), dwelling.id)
    empty, said, shop = (houses.dwelling(session, d) for d in (place.d6_701, place.d31_101, place.d51_101))
    said.state = DwellingState.VACANT
    shop.state = DwellingState.SHOP
    for dwelling in (empty, shop):
        for home in houses.residences(session, dwelling.id):
            home.until = TODAY - (3 if home.until is None else 9) * DAY
    session.flush()
    listed = {row.dwelling_id: row for row in vacancies(session, HERE, TODAY)}
    assert set(listed) == {empty.id, said.id}
    assert (listed[empty.id].inhabited, listed[empty.id].left_on) == (False, TODAY - 3 * DAY)
    assert (listed[said.id].inhabited, listed[said.id].state) == (True, DwellingState.VACANT)
    assert [row.dwelling_id for row in vacancies(session, HERE, TODAY, grids=[place.east])] == [said.id]
    assert listed[empty.id].address == "甲6幢7层701室"
