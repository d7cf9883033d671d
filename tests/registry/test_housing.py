"""Dwellings and what their addresses find: any spelling, former names, what people leave out."""

import datetime as dt
from dataclasses import replace

import pytest

from registry.errors import MissingError, RefusedError, StaleEditError
from registry.models import AliasKind, Building, Dwelling, DwellingState, Grid, PlaceKind, Unit
from registry.places import aliases, buildings, grids, housing
from registry.places.addresses import AddressError
from registry.places.buildings import BuildingFacts
from registry.places.housing import DwellingFacts, address_index, find_dwelling
from storage import Database
from tests.support import houses
from tests.support.houses import HERE, THERE, TODAY
from tests.support.threads import at_once

DAY = dt.timedelta(days=1)


@pytest.fixture
def session(either_database: Database):
    with either_database.write() as session:
        yield session


@pytest.fixture
def place(session):
    return houses.found(session)


def at(session, text: str, on: dt.date = TODAY) -> str:
    return find_dwelling(session, HERE, text, on).id


# ── spellings ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text", ["3号楼1单元1801室", "三幢一单元十八层01", "红花苑3-1-1801", "3#1单元1801户"]
)
def test_a_dwelling_is_found_in_any_spelling(session, place, text):
    assert at(session, text) == place.d31_1801


def test_a_building_without_units_needs_none(session, place):
    assert at(session, "甲6号楼701") == place.d6_701


@pytest.mark.parametrize("text", ["3幢1单元1803", "9幢101", "甲6幢1单元701"])
def test_what_is_not_there_is_not_found(session, place, text):
    with pytest.raises(MissingError) as missing:
        at(session, text)
    assert missing.value.kind == "dwelling"


def test_a_building_is_no_dwelling(session, place):
    with pytest.raises(AddressError):
        at(session, "3幢1单元")


def test_another_compounds_dwelling_is_not_found(session, place):
    houses.found(session, THERE)
    assert at(session, "3幢1单元1801") == place.d31_1801
    with pytest.raises(MissingError):
        find_dwelling(session, "nowhere", "3幢1单元1801", TODAY)


def test_a_floor_that_the_room_does_not_say_may_be_left_out(session, place):
    # Floors 4 and 14 are skipped: the rooms of floor 13 are numbered 15xx.
    odd = houses.add(session, place.u51, 13, "1501", grid=place.west)
    assert at(session, "5幢1单元1501") == odd == at(session, "5幢1单元13层1501")
    with pytest.raises(MissingError):
        at(session, "5幢1单元12层1501")


def test_where_leaving_the_floor_out_leads_to_two_nothing_is_guessed(session, place):
    for floor in (1, 2):
        houses.add(session, place.u51, floor, "车库7", grid=place.west)
    with pytest.raises(RefusedError) as refused:
        at(session, "5幢1单元车库7号")
    assert (refused.value.code, refused.value.facts) == ("address_ambiguous", {"dwellings": 2})


def test_either_of_two_joined_rooms_leads_to_the_dwelling(session, place):
    joined = houses.add(session, place.u51, 20, "2001-2002", grid=place.west)
    duplex = houses.add(session, place.u51, 21, "2103-2203", grid=place.west, top_floor=22)
    assert {at(session, f"5-1-{room}") for room in ("2001", "2002", "2001/2002")} == {joined}
    assert {at(session, f"5-1-{room}") for room in ("2103", "2203")} == {duplex}


def test_basement_shop_and_sublet_rooms_are_found(session, place):
    cellar = houses.add(session, place.u6, -1, "B101", grid=place.west)
    shop = houses.add(session, place.u6, 1, "商铺3", grid=place.west, state=DwellingState.SHOP)
    sublet = houses.add(session, place.u6, 18, "1801-A", grid=place.west)
    assert at(session, "甲6幢地下一层101") == cellar
    assert at(session, "甲6幢底商3号") == shop
    assert at(session, "甲6幢1801A室") == sublet


# ── adding and editing ────────────────────────────────────────────────────────


def refused(code: str):
    return pytest.raises(RefusedError, match=f"^{code}$")


def test_one_room_is_one_dwelling_however_it_is_spelt(session, place):
    with refused("address_taken"):
        houses.add(session, place.u31, 18, "1801室", grid=place.east)
    with refused("address_taken"):
        houses.add(session, place.u31, 18, "01", grid=place.east)


@pytest.mark.parametrize(("floor", "top"), [(0, None), (-10, None), (100, None), (5, 5), (5, 4)])
def test_impossible_floors_are_refused(session, place, floor, top):
    with refused("floor_impossible"):
        houses.add(session, place.u31, floor, "901", top_floor=top)


def test_a_room_that_is_no_room_is_refused(session, place):
    with refused("address_room"):
        houses.add(session, place.u31, 9, "张三家")


def test_the_property_offices_number_is_one_dwellings(session, place):
    houses.add(session, place.u31, 9, "901", external_id="F-901")
    with refused("external_id_taken"):
        houses.add(session, place.u31, 9, "902", external_id="F-901")


def test_an_edit_on_what_somebody_else_has_changed_is_refused(session, place):
    home = houses.dwelling(session, place.d6_701)
    facts = housing.facts_of(home)
    housing.edit_dwelling(session, home, 1, replace(facts, state=DwellingState.LET), today=TODAY)
    with pytest.raises(StaleEditError) as stale:
        housing.edit_dwelling(session, home, 1, facts, today=TODAY)
    assert (stale.value.version, home.state) == (2, DwellingState.LET)


def test_a_room_with_a_new_number_is_found_by_the_old_one_until_yesterday(session, place):
    home = houses.dwelling(session, place.d6_701)
    facts = replace(housing.facts_of(home), room_no="705")
    housing.edit_dwelling(session, home, 1, facts, today=TODAY)
    assert at(session, "甲6幢705") == home.id
    assert at(session, "甲6幢701", TODAY - DAY) == home.id
    for text, on in (("甲6幢701", TODAY), ("甲6幢705", TODAY - DAY)):
        with pytest.raises(MissingError):
            at(session, text, on)


def test_a_room_number_that_is_used_again_means_who_has_it_on_the_day(session, place):
    home = houses.dwelling(session, place.d6_701)
    housing.edit_dwelling(
        session, home, 1, replace(housing.facts_of(home), room_no="705"), today=TODAY - 9 * DAY
    )
    new = houses.add(session, place.u6, 7, "701", grid=place.west)
    assert at(session, "甲6幢701") == new
    with refused("address_ambiguous"):
        # The new one has no day before which it was not there.
        at(session, "甲6幢701", TODAY - 10 * DAY)


# ── renaming ──────────────────────────────────────────────────────────────────


def rename(session, building_id: str, name: str, today: dt.date = TODAY) -> None:
    building = session.get_one(Building, building_id)
    facts = replace(buildings.facts_of(building), name=name)
    buildings.edit_building(session, building, building.version, facts, today=today)


def test_a_renumbered_building_is_found_by_each_name_on_its_days(session, place):
    rename(session, place.b3, "8幢")
    assert at(session, "8号楼1单元1801") == place.d31_1801
    assert at(session, "3号楼1单元1801", TODAY - DAY) == place.d31_1801
    with pytest.raises(MissingError):
        at(session, "3号楼1单元1801")
    with pytest.raises(MissingError):
        at(session, "8号楼1单元1801", TODAY - DAY)


def test_two_buildings_that_swap_numbers_never_mean_each_other(session, place):
    for building, name in ((place.b3, "过渡楼"), (place.b5, "3幢"), (place.b3, "5幢")):
        rename(session, building, name)
    assert at(session, "3幢1单元1801") == place.d51_1801
    assert at(session, "5幢1单元1801") == place.d31_1801
    assert at(session, "3幢1单元1801", TODAY - DAY) == place.d31_1801
    assert at(session, "5幢1单元1801", TODAY - DAY) == place.d51_1801


def test_a_building_renamed_twice_had_one_name_on_each_day(session, place):
    rename(session, place.b3, "8幢", TODAY - 10 * DAY)
    rename(session, place.b3, "9幢", TODAY)
    for text, on in (("3幢1单元1801", 11), ("8幢1单元1801", 10), ("8幢1单元1801", 1), ("9幢1单元1801", 0)):
        assert at(session, text, TODAY - on * DAY) == place.d31_1801
    with pytest.raises(MissingError):
        at(session, "3幢1单元1801", TODAY - 5 * DAY)


def test_another_spelling_of_the_same_name_is_no_renaming(session, place):
    rename(session, place.b3, "三号楼")
    assert aliases.in_use(session, HERE, TODAY - DAY) == []
    assert at(session, "3幢1单元1801", TODAY - DAY) == place.d31_1801


def test_a_renamed_unit_is_found_by_both_names(session, place):
    buildings.rename_unit(session, session.get_one(Unit, place.u32), "东单元", today=TODAY)
    assert at(session, "3幢东单元1801") == place.d32_1801
    assert at(session, "3幢2单元1801", TODAY - DAY) == place.d32_1801


def test_keys_are_filled_where_they_are_missing(session, place):
    home = houses.dwelling(session, place.d6_701)
    home.address_key = None
    session.flush()
    version = home.version
    assert housing.refresh_address_keys(session, HERE) == 1
    assert (home.address_key, home.version) == ("甲6-0-701", version)
    assert housing.refresh_address_keys(session, HERE) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [({"name": "五号楼"}, "name_taken"), ({"name": " "}, "name_missing"), ({"width": 0}, "footprint")],
)
def test_a_building_that_cannot_be_is_refused(session, place, change, code):
    facts = BuildingFacts("7幢", place.yard, 0, 0, 10, 10)
    with refused(code):
        buildings.add_building(session, HERE, replace(facts, **change))


def test_a_building_stands_in_a_zone_of_its_compound(session, place):
    other = houses.found(session, THERE)
    with pytest.raises(MissingError):
        buildings.add_building(session, HERE, BuildingFacts("7幢", other.yard, 0, 0, 10, 10))


@pytest.mark.parametrize("name", ["东门厅", "张三", "B1单元", "123"])
def test_a_unit_whose_name_no_address_could_hold_is_refused(session, place, name):
    with refused("unit_name"):
        buildings.add_unit(session, HERE, place.b3, name)


def test_a_unit_has_its_own_name(session, place):
    with refused("name_taken"):
        buildings.add_unit(session, HERE, place.b3, "二单元")


# ── other names ───────────────────────────────────────────────────────────────


def alias(session, level: PlaceKind, where: str, text: str, **more: object):
    return aliases.add(
        session,
        HERE,
        **{"place_kind": level, "place": where, "kind": AliasKind.COLLOQUIAL, "text": text} | more,
    )


def test_a_buildings_other_name_stands_for_all_its_dwellings_on_its_days(session, place):
    alias(session, PlaceKind.BUILDING, place.b3, "12栋", since=TODAY - DAY, until=TODAY)
    for on in (TODAY - DAY, TODAY):
        assert at(session, "12幢2单元1802", on) == place.d32_1802
        assert at(session, "3幢2单元1802", on) == place.d32_1802
    for on in (TODAY - 2 * DAY, TODAY + DAY):
        with pytest.raises(MissingError):
            at(session, "12幢2单元1802", on)


def test_a_name_that_is_no_address_works_too(session, place):
    alias(session, PlaceKind.BUILDING, place.b3, "老红楼")
    assert at(session, "红花小区老红楼2单元1802室") == place.d32_1802
    cottage = houses.add_building(session, "门卫小屋")
    unit = buildings.add_unit(session, HERE, cottage, "").id
    home = houses.add(session, unit, 1, "101", grid=place.west)
    assert at(session, "门卫小屋101") == home


def test_units_and_dwellings_have_other_names_as_well(session, place):
    alias(session, PlaceKind.UNIT, place.u31, "3幢甲单元")
    alias(session, PlaceKind.DWELLING, place.d6_701, "99幢2单元702", kind=AliasKind.REGISTERED)
    assert at(session, "3号楼甲单元1801") == place.d31_1801
    assert at(session, "99号楼2单元702室") == place.d6_701


def test_one_name_for_two_places_at_once_is_refused_or_said(session, place):
    alias(session, PlaceKind.BUILDING, place.b3, "12幢", until=TODAY)
    with refused("alias_taken"):
        alias(session, PlaceKind.BUILDING, place.b5, "十二号楼", since=TODAY)
    alias(session, PlaceKind.BUILDING, place.b5, "12幢", since=TODAY + DAY)
    assert at(session, "12-1-1801", TODAY) == place.d31_1801
    assert at(session, "12-1-1801", TODAY + DAY) == place.d51_1801
    alias(session, PlaceKind.BUILDING, place.b5, "3幢")
    with refused("address_ambiguous"):
        at(session, "3幢1单元1801")


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (PlaceKind.BUILDING, "3幢101", "alias_level"),
        (PlaceKind.DWELLING, "3幢", "alias_level"),
        (PlaceKind.DWELLING, "老地方", "address_building"),
        (PlaceKind.COMPOUND, "老小区", "place_kind"),
    ],
)
def test_a_name_fits_the_level_of_its_place(session, place, kind, text, code):
    where = {PlaceKind.BUILDING: place.b3, PlaceKind.DWELLING: place.d6_701}.get(kind, HERE)
    with refused(code):
        alias(session, kind, where, text)


def test_a_name_ends_not_before_it_begins(session, place):
    with refused("ends_before_it_begins"):
        alias(session, PlaceKind.BUILDING, place.b3, "12幢", since=TODAY, until=TODAY - DAY)
    name = alias(session, PlaceKind.BUILDING, place.b3, "12幢", since=TODAY)
    with refused("ends_before_it_begins"):
        aliases.end(session, HERE, name.id, TODAY - DAY)
    with pytest.raises(MissingError):
        aliases.remove(session, THERE, name.id)


def test_the_index_knows_what_the_search_knows(session, place):
    odd = houses.add(session, place.u51, 13, "1501", grid=place.west)
    joined = houses.add(session, place.u51, 20, "2001-2002", grid=place.west)
    rename(session, place.b3, "8幢")
    alias(session, PlaceKind.BUILDING, place.b5, "12幢")
    alias(session, PlaceKind.DWELLING, place.d6_701, "99幢702")
    alias(session, PlaceKind.BUILDING, place.b5, "甲6幢")
    houses.add(session, place.u51, 7, "701", grid=place.west)
    for on in (TODAY, TODAY - DAY):
        index = address_index(session, HERE, on)
        assert len(index) > 10
        for key, dwelling in index.items():
            assert at(session, key, on) == dwelling, key
    index = address_index(session, HERE, TODAY)
    assert index["5-1-1501"] == odd == index["12-1-1501@13"]
    assert index["5-1-2002"] == joined == index["12-1-2001"]
    assert index["8-1-1801"] == place.d31_1801
    assert "3-1-1801" not in index
    assert address_index(session, HERE, TODAY - DAY)["3-1-1801"] == place.d31_1801
    assert index["99-0-702"] == place.d6_701
    assert index["甲6-0-701"] == place.d6_701


def test_the_index_leaves_out_what_leads_to_two(session, place):
    alias(session, PlaceKind.BUILDING, place.b5, "3幢")
    index = address_index(session, HERE, TODAY)
    assert "3-1-1801" not in index
    assert index["3-2-1801"] == place.d32_1801


# ── grids ─────────────────────────────────────────────────────────────────────


def test_a_new_dwelling_is_in_its_buildings_grid_or_somebody_has_to_say(session, place):
    home = houses.dwelling(session, houses.add(session, place.u31, 9, "901"))
    assert home.grid == place.east
    empty = buildings.add_unit(session, HERE, houses.add_building(session, "7幢"), "").id
    with refused("grid_needed"):
        houses.add(session, empty, 1, "101")
    with pytest.raises(MissingError):
        houses.add(session, empty, 1, "101", grid="none")
    with refused("grid_needed"):
        housing.edit_dwelling(session, home, 1, replace(housing.facts_of(home), grid=None), today=TODAY)


def test_dwellings_move_between_grids_and_are_always_in_one(session, place):
    assert grids.move_dwellings(session, HERE, place.west, dwellings=[place.d31_101]) == 1
    assert grids.move_dwellings(session, HERE, place.west, unit=place.u31) == 3
    assert grids.move_dwellings(session, HERE, place.west, building=place.b3) == 4
    assert grids.move_dwellings(session, HERE, place.west, building=place.b3) == 0
    session.expire_all()
    assert houses.dwelling(session, place.d31_101).grid == place.west
    assert houses.dwelling(session, place.d31_101).version == 2
    with pytest.raises(MissingError):
        grids.move_dwellings(session, HERE, place.west, dwellings=[place.d31_101, "none"])
    assert grids.move_dwellings(session, HERE, place.west) == 0


def test_only_an_empty_grid_goes(session, place):
    grid = session.get_one(Grid, place.east)
    with refused("grid_not_empty"):
        grids.remove(session, grid, 1)
    grids.move_dwellings(session, HERE, place.west, building=place.b3)
    grids.remove(session, grid, 1)
    assert session.get(Grid, place.east) is None


def test_grids_have_codes_of_two_digits_and_two_different_people(session, place):
    for code, more, said in (
        ("1", {}, "grid_code"),
        ("01", {}, "grid_code_taken"),
        ("03", {"worker": "a", "deputy": "a"}, "deputy_is_worker"),
    ):
        with refused(said):
            grids.create(session, HERE, code=code, name="x", **more)
    assert grids.looked_after_by(session, HERE, "grid-east") == [place.east]


def test_while_there_are_no_grids_a_dwelling_has_none(session, place):
    for building in (place.b3, place.b5, place.b6):
        grids.move_dwellings(session, HERE, place.west, building=building)
    grids.remove(session, session.get_one(Grid, place.east), 1)
    unit = buildings.add_unit(session, HERE, houses.add_building(session, "7幢"), "").id
    assert houses.dwelling(session, houses.add(session, unit, 1, "101")).grid == place.west


def test_two_who_add_the_same_room_at_once_make_one_dwelling(either_database: Database):
    with either_database.write() as session:
        place = houses.found(session)

    def add(number: int) -> None:
        with either_database.write() as session:
            facts = DwellingFacts(9, ["901", "901室"][number], grid=place.east)
            housing.add_dwelling(session, HERE, place.u31, facts)

    (late,) = at_once(2, add)
    assert isinstance(late, RefusedError)
    assert late.code == "address_taken"


def test_two_who_give_the_same_name_at_once_make_one_building(either_database: Database):
    with either_database.write() as session:
        houses.found(session)

    def add(number: int) -> None:
        with either_database.write() as session:
            houses.add_building(session, ["9幢", "九号楼"][number])

    (late,) = at_once(2, add)
    assert isinstance(late, RefusedError)
    assert late.code == "name_taken"


def test_dwellings_of_another_compound_are_not_counted(session, place):
    houses.found(session, THERE)
    assert {d.compound for d in session.query(Dwelling)} == {HERE, THERE}
    assert all(not key.startswith("x") for key in address_index(session, HERE, TODAY))
    assert len(address_index(session, HERE, TODAY)) == 13
