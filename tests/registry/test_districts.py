"""Subdistricts, communities and compounds."""

import datetime as dt
from dataclasses import replace

import pytest

from registry.errors import MissingError, RefusedError
from registry.models import CompoundKind
from registry.places import districts
from registry.places.districts import CompoundFacts
from storage import Database


@pytest.fixture
def session(either_database: Database):
    with either_database.write() as session:
        yield session


def test_a_compound_lies_in_a_community_in_a_subdistrict(session):
    street = districts.put_subdistrict(session, name="青华街道", code="530502001")
    area = districts.put_community(session, subdistrict=street.id, name="红花社区", code="530502001001")
    facts = CompoundFacts(
        "红花苑",
        community=area.id,
        kind=CompoundKind.RESETTLEMENT,
        opened_on=dt.date(2017, 7, 1),
        longitude=99.2,
        latitude=25.1,
        bearing=15,
    )
    compound = districts.add_compound(session, "honghua", facts)
    assert districts.facts_of(compound) == facts
    districts.edit_compound(session, compound, replace(facts, name="红花小区"))
    assert compound.name == "红花小区"
    districts.put_subdistrict(session, id=street.id, name="青华街道办", code=None)
    assert (street.name, street.code) == ("青华街道办", None)


@pytest.mark.parametrize("code", ["53050200", "5305020010", "53050200a", ""])
def test_a_code_has_its_digits(session, code):
    with pytest.raises(RefusedError, match="district_code"):
        districts.put_subdistrict(session, name="x", code=code)


def test_a_communitys_code_begins_with_its_subdistricts_and_is_its_own(session):
    street = districts.put_subdistrict(session, name="青华街道", code="530502001")
    with pytest.raises(RefusedError, match="district_code"):
        districts.put_community(session, subdistrict=street.id, name="x", code="530502002001")
    districts.put_community(session, subdistrict=street.id, name="x", code="530502001001")
    with pytest.raises(RefusedError, match="district_code_taken"):
        districts.put_community(session, subdistrict=street.id, name="y", code="530502001001")
    with pytest.raises(MissingError):
        districts.put_community(session, subdistrict="none", name="y", code=None)


@pytest.mark.parametrize("compound_id", ["", "Honghua", "a/b", "a.b", "a+", "#", "x" * 65, "-a", "红花"])
def test_a_compounds_id_may_stand_in_a_topic(session, compound_id):
    with pytest.raises(RefusedError, match="compound_id"):
        districts.add_compound(session, compound_id, CompoundFacts("x"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "name_missing"),
        ({"time_zone": "Asia/Nowhere"}, "time_zone_unknown"),
        ({"time_zone": "../etc/passwd"}, "time_zone_unknown"),
        ({"longitude": 99.0}, "position"),
        ({"longitude": 99.0, "latitude": 95.0, "bearing": 0.0}, "position"),
        ({"longitude": 99.0, "latitude": 25.0, "bearing": 360.0}, "position"),
        ({"longitude": float("nan"), "latitude": 25.0, "bearing": 0.0}, "position"),
    ],
)
def test_a_compound_that_cannot_be_is_refused(session, changes, code):
    with pytest.raises(RefusedError, match=code):
        districts.add_compound(session, "honghua", replace(CompoundFacts("红花苑"), **changes))


def test_a_compound_is_added_once(session):
    districts.add_compound(session, "honghua", CompoundFacts("红花苑"))
    with pytest.raises(RefusedError, match="compound_taken"):
        districts.add_compound(session, "honghua", CompoundFacts("另一个"))
