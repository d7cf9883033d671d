"""From a person to dwellings and back, each in one statement, on both databases."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from registry.models import ResidenceKind
from registry.people.finding import find_dwellings_of_person, list_people_of_dwelling, load_names
from storage import Database
from tests.support import houses
from tests.support.houses import HERE, THERE, TODAY

DAY = dt.timedelta(days=1)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The SELECTs that are sent meanwhile."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)


def test_a_persons_dwellings_are_dated_residences_and_where_the_household_lives(
    either_database: Database,
) -> None:
    with either_database.write() as session:
        place = houses.found(session)
        home = houses.household(session, place.d31_1801)
        who = houses.person(session, "张三", household=home.id)
        lived = houses.live(
            session, who, place.d51_101, ResidenceKind.TENANT, verified_on=TODAY, verified_by="grid-west"
        )
        houses.live(session, who, place.d6_701, until=TODAY - DAY)
        with statements(either_database) as sent:
            rented, family = find_dwellings_of_person(session, who.id, TODAY)
        assert len(sent) == 1
    assert (rented.dwelling_id, rented.address, rented.kind) == (
        place.d51_101,
        "5幢1单元1层101室",
        ResidenceKind.TENANT,
    )
    assert (rented.residence_id, rented.verified_on, rented.verified_by) == (lived.id, TODAY, "grid-west")
    assert rented.household_id is None
    assert (family.dwelling_id, family.address, family.household_id) == (
        place.d31_1801,
        "3幢1单元18层1801室",
        home.id,
    )
    assert (family.kind, family.since, family.residence_id) == (None, None, None)


def test_sqlite_goes_by_the_person_or_the_dwelling_and_reads_through_nothing(database: Database) -> None:
    with statements(database) as sent, database.read() as session:
        find_dwellings_of_person(session, "p", TODAY)
        list_people_of_dwelling(session, "d", TODAY)
    for statement in sent:
        with database.read() as session:
            asked = statement.count("?")
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", ("x",) * asked)
            steps = [row[3] for row in plan if row[3].startswith(("SCAN", "SEARCH"))]
        assert len(steps) >= 5
        assert [step for step in steps if step.startswith("SCAN") or "compound" in step] == []


def test_a_dated_residence_in_the_households_dwelling_is_one_home(either_database: Database) -> None:
    with either_database.write() as session:
        place = houses.found(session)
        home = houses.household(session, place.d31_1801)
        who = houses.person(session, "张三", household=home.id)
        houses.live(session, who, place.d31_1801)
        (only,) = find_dwellings_of_person(session, who.id, TODAY)
    assert (only.kind, only.household_id) == (ResidenceKind.OWNER_OCCUPIER, home.id)


def test_the_day_decides_and_both_its_ends_count(either_database: Database) -> None:
    since, until = dt.date(2026, 1, 1), dt.date(2026, 6, 30)
    with either_database.write() as session:
        place = houses.found(session)
        who = houses.person(session, "张三")
        houses.live(session, who, place.d6_701, ResidenceKind.LODGER, since, until)
        for on, count in ((since - DAY, 0), (since, 1), (until, 1), (until + DAY, 0)):
            assert len(find_dwellings_of_person(session, who.id, on)) == count
            assert len(list_people_of_dwelling(session, place.d6_701, on)) == count
        (ended,) = find_dwellings_of_person(session, who.id, TODAY, ended=True)
        assert (ended.since, ended.until, ended.address) == (since, until, "甲6幢7层701室")
        assert len(list_people_of_dwelling(session, place.d6_701, TODAY, ended=True)) == 1


def test_people_of_a_dwelling_are_the_residents_and_the_household_with_its_head_first(
    either_database: Database,
) -> None:
    with either_database.write() as session:
        place = houses.found(session)
        home = houses.household(session, place.d31_1801)
        child = houses.person(session, "张小", household=home.id, under_14=True)
        head = houses.person(session, "张三", household=home.id)
        home.head_person_id = head.id
        elsewhere = houses.household(session, place.d6_701)
        lodger = houses.person(session, "李四", household=elsewhere.id)
        elsewhere.head_person_id = lodger.id
        houses.live(session, head, place.d31_1801)
        houses.live(session, lodger, place.d31_1801, ResidenceKind.LODGER)
        gone = houses.person(session, "王五")
        houses.live(session, gone, place.d31_1801, until=TODAY - DAY)
        with statements(either_database) as sent:
            people = list_people_of_dwelling(session, place.d31_1801, TODAY)
        assert len(sent) == 1
        load_names(people)
        assert next(person.name for person in people) == "张三"
    by_id = {person.person_id: person for person in people}
    assert set(by_id) == {head.id, child.id, lodger.id}
    assert [person.person_id for person in people if person.head] == [head.id]
    assert (by_id[child.id].kind, by_id[child.id].under_14) == (None, True)
    assert (by_id[lodger.id].kind, by_id[lodger.id].household_id) == (ResidenceKind.LODGER, elsewhere.id)
    assert b"\xe5\xbc\xa0\xe4\xb8\x89" not in (by_id[head.id].sealed_name or b"")
    assert "sealed_name" not in repr(people)


def test_whoever_was_erased_lives_nowhere(either_database: Database, clock) -> None:
    with either_database.write() as session:
        place = houses.found(session)
        who = houses.person(session, "张三")
        houses.live(session, who, place.d6_701)
        who.erased_at = clock.now()
        session.flush()
        assert find_dwellings_of_person(session, who.id, TODAY) == []
        assert list_people_of_dwelling(session, place.d6_701, TODAY) == []


def test_a_session_of_one_compound_finds_nobody_of_another(either_database: Database) -> None:
    with either_database.write() as session:
        place = houses.found(session)
        who = houses.person(session, "张三")
        houses.live(session, who, place.d6_701)
        houses.found(session, THERE)
    with either_database.within(THERE).read() as session:
        assert find_dwellings_of_person(session, who.id, TODAY, ended=True) == []
        assert list_people_of_dwelling(session, place.d6_701, TODAY, ended=True) == []
    with either_database.within(HERE).read() as session:
        assert len(find_dwellings_of_person(session, who.id, TODAY)) == 1
