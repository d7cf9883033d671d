import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.plates import (
    CONFUSABLE_COST,
    PROVINCE_COST,
    PROVINCES,
    PlateClass,
    always_allowed,
    classify,
    edit_cost,
    is_well_formed,
    near,
    nearest,
    normalise,
)

glyphs = st.sampled_from("云川京ABDGMQSTZ0125678?警")
readings = st.text(glyphs, max_size=9)


@pytest.mark.parametrize(
    ("plate", "kind"),
    [
        ("云M12345", PlateClass.ORDINARY),
        ("云MA123B", PlateClass.ORDINARY),
        ("赣GZ7S13", PlateClass.ORDINARY),
        ("贵J0XUW3", PlateClass.ORDINARY),
        ("浙BY6H39", PlateClass.ORDINARY),
        ("浙B0560Z", PlateClass.ORDINARY),
        ("浙B00QS9", PlateClass.ORDINARY),
        ("云M1234警", PlateClass.POLICE),
        ("云M1234学", PlateClass.COACH),
        ("云M1234挂", PlateClass.TRAILER),
        ("粤Z9065澳", PlateClass.CROSS_BORDER),
        ("粤ZF023港", PlateClass.CROSS_BORDER),
        ("云MD12345", PlateClass.NEW_ENERGY_SMALL),
        ("云MDA2345", PlateClass.NEW_ENERGY_SMALL),
        ("云M12345D", PlateClass.NEW_ENERGY_LARGE),
        ("223012使", PlateClass.EMBASSY),
        ("使224424", PlateClass.EMBASSY),
        ("沪A0023领", PlateClass.CONSULATE),
        ("民航A1234", PlateClass.AVIATION),
        ("云X1234应急", PlateClass.EMERGENCY),
        ("WJ云1234X", PlateClass.ARMED_POLICE),
        ("KA12345", PlateClass.MILITARY),
    ],
)
def test_every_kind_of_plate_is_told_apart(plate, kind):
    assert classify(plate) is kind
    assert normalise(plate) == plate


@pytest.mark.parametrize(
    "text", ["云MI2345", "云MO1234", "云M1234", "云MD1234O", "YB888H9", "_无_", "云 M·12345", "云m12345"]
)
def test_what_no_plate_can_be_is_not_well_formed(text):
    assert not is_well_formed(text)


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("云 M·12345", "云M12345"),
        ("云m12345", "云M12345"),
        ("云M.12-345", "云M12345"),
        ("云M12345", "云M12345"),
        ("云MI2345", "云M12345"),
        ("云MD1234O", "云MD12340"),
        ("云OI2345", "云O12345"),
        ("云M1*345", "云M1?345"),
        ("云Mé2345", "云M?2345"),
        (base64.b64decode("6LWjR1o3UzEz").decode(), "赣GZ7S13"),
        (base64.b64decode("6LS1SjBYVVcz").decode(), "贵J0XUW3"),
    ],
)
def test_spellings_of_one_plate_become_one(text, plate):
    assert normalise(text) == plate


@pytest.mark.parametrize("text", [None, "", "  ", "_无_", "无车牌", "无牌车", "·"])
def test_no_plate_is_none(text):
    assert normalise(text) is None


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once


@pytest.mark.parametrize("plate", ["云M1234警", "云X1234应急", "KA12345", "WJ云1234X"])
def test_emergency_vehicles_always_pass(plate):
    assert always_allowed(plate)


@pytest.mark.parametrize("plate", ["云M12345", "云M1234学", "223012使", "云M123", "YB888H9"])
def test_others_do_not(plate):
    assert not always_allowed(plate)


def test_a_look_alike_costs_less_than_an_edit_and_never_nothing():
    assert edit_cost("云M12345", "云M12345") == 0
    assert edit_cost("云M12B45", "云M12845") == CONFUSABLE_COST
    assert edit_cost("云M12345", "川M12345") == PROVINCE_COST
    assert edit_cost("云M12345", "云M1K345") == 1
    assert edit_cost("云M12345", "云M1234") == 1
    assert 0 < CONFUSABLE_COST < 1


@given(readings, readings)
def test_cost_is_symmetric_and_zero_only_for_equals(a, b):
    assert edit_cost(a, b) == edit_cost(b, a)
    assert (edit_cost(a, b) == 0) is (a == b)


@given(readings, readings, readings)
def test_a_detour_is_never_cheaper(a, b, c):
    assert edit_cost(a, c) <= edit_cost(a, b) + edit_cost(b, c) + 1e-6


@given(readings, readings)
def test_near_agrees_with_the_cost(a, b):
    assert near(a, b) is (edit_cost(a, b) <= 0.8)


def test_near_plates_come_nearest_first():
    known = ["云M12B45", "云M12345", "川M12845", "云K99999"]
    assert nearest("云M12845", known) == (("云M12B45", 0.4), ("川M12845", 0.7))


@given(readings, st.frozensets(readings), st.sampled_from([0.3, 0.4, 0.7, 0.8, 1.0]))
def test_looking_up_what_a_reading_may_be_finds_what_comparing_with_all_does(plate, known, limit):
    compared = {other: edit_cost(plate, other) for other in known}
    near_ones = {other: cost for other, cost in compared.items() if cost <= limit}
    assert dict(nearest(plate, known, limit)) == near_ones
    assert nearest(plate, list(known), limit) == nearest(plate, known, limit)


@given(readings, st.data())
def test_a_misreading_is_looked_up(plate, data):
    position = data.draw(st.integers(0, max(0, len(plate) - 1)))
    other = plate[:position] + data.draw(glyphs) + plate[position + 1 :]
    assert (other in dict(nearest(plate, {other}))) is near(plate, other)


def test_two_registered_plates_are_never_one():
    fleet = [f"云M12{a}{b}{c}" for a in "0DQO8B" for b in "2Z5S" for c in "17T"]
    known = frozenset(fleet)
    for plate in fleet:
        assert [other for other, cost in nearest(plate, known) if cost == 0] == [plate]


def test_all_provinces_are_there_once():
    assert len(PROVINCES) == len(set(PROVINCES)) == 31
