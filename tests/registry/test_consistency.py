"""Each way in which person, registration and dwelling can come apart, and that nothing else is said."""

import datetime as dt

import pytest

from registry.models import Dwelling, DwellingState, Premises, ResidenceKind
from registry.organisations.models import Organisation, OrganisationKind
from registry.reports.consistency import consistency
from registry.reports.separations import Separation as Apart
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
    """Every dwelling vacant but 3幢1单元1801, where 张三's household lives as the registry has it."""
    place = houses.found(session)
    for dwelling in session.query(Dwelling):
        dwelling.state = DwellingState.VACANT
    houses.dwelling(session, place.d31_1801).state = DwellingState.OCCUPIED
    place.home = houses.household(session, place.d31_1801)
    place.head = houses.person(session, "张三", household=place.home.id, hukou_registered_here=True)
    place.home.head_person_id = place.head.id
    place.lives = live(session, place.head, place.d31_1801, verified_on=TODAY)
    return place


def found(session, **more) -> dict[Apart, list]:
    report = consistency(session, HERE, TODAY, **more)
    listed: dict[Apart, list] = {}
    for finding in report.findings:
        listed.setdefault(finding.code, []).append(finding)
    assert {code: len(of) for code, of in listed.items()} == {
        code: count for code, count in report.counts.items() if count
    }
    assert set(report.counts) == set(Apart)
    return listed


def only(session, code: Apart):
    """The one finding there is."""
    listed = found(session)
    assert list(listed) == [code]
    (finding,) = listed[code]
    return finding


def test_where_everything_coincides_nothing_is_said(session, place):
    assert found(session) == {}


@pytest.mark.parametrize(
    ("kind", "hukou", "said"),
    [
        (ResidenceKind.FAMILY_MEMBER, False, True),
        (ResidenceKind.FAMILY_MEMBER, None, False),
        (ResidenceKind.REGISTERED_ELSEWHERE, None, True),
        (ResidenceKind.REGISTERED_ELSEWHERE, True, False),
    ],
)
def test_resident_who_is_registered_elsewhere(session, place, kind, hukou, said):
    who = houses.person(session, "李四", household=place.home.id, hukou_registered_here=hukou)
    home = live(session, who, place.d31_1801, kind, verified_on=TODAY)
    if not said:
        assert found(session) == {}
        return
    finding = only(session, Apart.RESIDENT_NOT_REGISTERED_HERE)
    assert (finding.person_id, finding.residence_id, finding.fact) == (who.id, home.id, kind)


def test_registered_here_and_absent(session, place):
    place.lives.kind = ResidenceKind.REGISTERED_ABSENT
    finding = only(session, Apart.REGISTERED_BUT_ABSENT)
    assert (finding.person_id, finding.dwelling_id) == (place.head.id, place.d31_1801)


def test_registered_here_with_no_home_here(session, place):
    who = houses.person(session, "李四", hukou_registered_here=True)
    finding = only(session, Apart.REGISTERED_BUT_ABSENT)
    assert (finding.person_id, finding.dwelling_id) == (who.id, None)


def test_household_lives_elsewhere_than_its_member(session, place):
    place.home.dwelling = place.d6_701
    houses.dwelling(session, place.d6_701).state = DwellingState.OCCUPIED
    finding = only(session, Apart.HOUSEHOLD_ELSEWHERE)
    assert (finding.person_id, finding.household_id, finding.dwelling_id) == (
        place.head.id,
        place.home.id,
        place.d6_701,
    )


def test_member_of_whom_nobody_knows_where_they_live(session, place):
    who = houses.person(session, "张小", household=place.home.id)
    assert only(session, Apart.MEMBER_WITHOUT_RESIDENCE).person_id == who.id


def test_occupied_by_nobody(session, place):
    houses.dwelling(session, place.d6_701).state = DwellingState.OCCUPIED
    assert only(session, Apart.OCCUPIED_WITHOUT_PEOPLE).dwelling_id == place.d6_701


def test_an_office_occupies_what_nobody_lives_in(session, place):
    houses.dwelling(session, place.d6_701).state = DwellingState.OCCUPIED
    session.add(Organisation(id="o", compound=HERE, name="x", kind=OrganisationKind.COMPANY, version=1))
    session.flush()
    session.add(Premises(id="p", compound=HERE, organisation="o", dwelling=place.d6_701, since=TODAY))
    session.flush()
    assert found(session) == {}


def test_vacant_with_people(session, place):
    houses.dwelling(session, place.d31_1801).state = DwellingState.VACANT
    assert only(session, Apart.VACANT_WITH_PEOPLE).dwelling_id == place.d31_1801


def test_tenant_where_nothing_is_let_and_let_where_no_tenant_is(session, place):
    place.lives.kind = ResidenceKind.TENANT
    assert only(session, Apart.TENANT_NOT_LET).residence_id == place.lives.id
    houses.dwelling(session, place.d31_1801).state = DwellingState.LET
    assert found(session) == {}
    place.lives.kind = ResidenceKind.OWNER_OCCUPIER
    assert only(session, Apart.LET_WITHOUT_TENANT).dwelling_id == place.d31_1801


def test_owner_who_occupies_two_dwellings(session, place):
    houses.dwelling(session, place.d6_701).state = DwellingState.OCCUPIED
    second = live(session, place.head, place.d6_701, verified_on=TODAY)
    listed = found(session)
    assert list(listed) == [Apart.OWNER_OF_TWO]
    assert {f.residence_id for f in listed[Apart.OWNER_OF_TWO]} == {place.lives.id, second.id}


def test_household_without_head_with_a_strange_head_and_without_anybody(session, place):
    place.home.head_person_id = None
    assert only(session, Apart.HOUSEHOLD_WITHOUT_HEAD).household_id == place.home.id
    stranger = houses.person(session, "李四")
    place.home.head_person_id = stranger.id
    finding = only(session, Apart.HEAD_NOT_MEMBER)
    assert (finding.household_id, finding.person_id) == (place.home.id, stranger.id)
    place.home.head_person_id = place.head.id
    empty = houses.household(session, None)
    assert only(session, Apart.HOUSEHOLD_EMPTY).household_id == empty.id


def test_residence_that_nobody_has_made_sure_of(session, place):
    place.lives.verified_on = None
    assert only(session, Apart.NEVER_VERIFIED).residence_id == place.lives.id


@pytest.mark.parametrize(("gap", "said"), [(0, True), (1, False)])
def test_two_residences_in_one_dwelling_that_share_a_day(session, place, gap, said):
    place.lives.since = dt.date(2026, 1, 1)
    before = live(session, place.head, place.d31_1801, until=place.lives.since - gap * DAY, verified_on=TODAY)
    if not said:
        assert found(session) == {}
        return
    finding = only(session, Apart.RESIDENCES_OVERLAP)
    assert {finding.residence_id, finding.fact} == {before.id, place.lives.id}


def test_dwelling_in_no_grid_and_one_that_no_address_finds(session, place):
    home = houses.dwelling(session, place.d6_701)
    home.grid = None
    assert only(session, Apart.DWELLING_WITHOUT_GRID).dwelling_id == home.id
    home.grid = place.west
    home.address_key = None
    assert only(session, Apart.ADDRESS_NOT_UNDERSTOOD).dwelling_id == home.id


def test_a_grid_sees_its_own_dwellings_only(session, place):
    place.lives.verified_on = None
    houses.dwelling(session, place.d6_701).state = DwellingState.OCCUPIED
    houses.household(session, None)
    houses.person(session, "李四", hukou_registered_here=True)
    assert set(found(session)) == {
        Apart.NEVER_VERIFIED,
        Apart.OCCUPIED_WITHOUT_PEOPLE,
        Apart.HOUSEHOLD_EMPTY,
        Apart.REGISTERED_BUT_ABSENT,
    }
    assert set(found(session, grids=[place.east])) == {Apart.NEVER_VERIFIED}
    assert set(found(session, grids=[place.west])) == {Apart.OCCUPIED_WITHOUT_PEOPLE}


def test_lists_are_cut_and_counts_are_whole(session, place):
    for room in ("d31_101", "d31_1701", "d31_1802"):
        houses.dwelling(session, getattr(place, room)).state = DwellingState.OCCUPIED
    report = consistency(session, HERE, TODAY, codes=[Apart.OCCUPIED_WITHOUT_PEOPLE], limit=2)
    assert (len(report.findings), report.counts[Apart.OCCUPIED_WITHOUT_PEOPLE]) == (2, 3)
    assert consistency(session, HERE, TODAY, codes=[]).findings == []


def test_what_is_over_whoever_was_erased_and_other_compounds_do_not_count(session, place):
    gone = houses.person(session, "王五", hukou_registered_here=False)
    live(session, gone, place.d6_701, until=TODAY - DAY)
    erased = houses.person(session, "赵六", hukou_registered_here=False)
    live(session, erased, place.d31_1801)
    erased.erased_at = NOON
    there = houses.found(session, THERE)
    stranger = houses.person(session, "李四", compound=THERE, hukou_registered_here=False)
    live(session, stranger, there.d6_701)
    session.flush()
    assert found(session) == {}
