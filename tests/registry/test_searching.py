"""People are found by what is known of them, in one compound and in reach."""

import datetime as dt
from typing import Any

import pytest

from registry.models import AuthorisedDriver, Vehicle
from registry.people.searching import search_people
from registry.spelling import PhoneError
from storage import Database
from tests.support import houses
from tests.support.houses import HERE, THERE


def test_people_are_found_by_whatever_is_known_of_them(either_database: Database) -> None:
    with either_database.write() as session:
        place = houses.found(session)
        houses.found(session, THERE)
        home = houses.household(session, place.d31_101)
        one = houses.person(session, "张三", phone="10012345678", household=home.id, external_id="P-1")
        two = houses.person(session, "张三", id_number="11010519491231002X")
        houses.person(session, "张三", compound=THERE, phone="10012345678")
        houses.live(session, two, place.d6_701)
        three = houses.person(session, "李四")
        session.add(Vehicle(id="v1", compound=HERE, plate="云M12345", household=home.id, version=1))
        session.flush()
        session.add(
            AuthorisedDriver(id="a1", compound=HERE, vehicle="v1", person=three.id, since=dt.date(2026, 1, 1))
        )
        session.flush()

        def ids(**asked: Any) -> set[str]:
            return {person.id for person in search_people(session, HERE, **asked)}

        assert ids(name=" 张 三 ") == {one.id, two.id}
        assert ids(phone="+86 100-1234-5678") == {one.id}
        assert ids(id_number="11010519491231002x") == {two.id}
        assert ids(plate="云m·12345") == {one.id, three.id}
        assert ids(external_id="P-1") == {one.id}
        assert ids(name="张三", phone="10012345678") == {one.id}
        assert ids(name="李四", phone="10012345678") == set()
        assert ids(plate="无牌") == set()
        assert ids() == set()
        assert ids(name="张三", grids=[place.east]) == {one.id}
        assert ids(name="张三", grids=[place.west]) == {two.id}
        assert ids(name="张三", grids=[]) == set()


def test_what_is_no_phone_is_said_to_be_none(database: Database) -> None:
    with database.read() as session, pytest.raises(PhoneError):
        search_people(session, HERE, phone="张三")
