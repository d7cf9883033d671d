"""What follows where a rule is mostly wrong at a device."""

import pytest
from made_rules import Alarm, Hit, Passed

from alerts.incidents.lifecycle import FalseAlarmReason as Why
from alerts.rulebook.advice import EASINGS, Advice, Proposed, Tally, advise
from alerts.rules import RULES

BY_ID = {rule.id: rule for rule in RULES}
E01 = BY_ID["R-E01"]


def bad(reasons, right=2):
    false = sum(reasons.values())
    return Tally(false + right, false, reasons)


TOO_SENSITIVE = {Why.RULE_TOO_SENSITIVE: 15, Why.COURIER: 5}
NOTHING = Tally()


@pytest.mark.parametrize(
    ("judged", "false", "proposes"),
    [(20, 13, True), (20, 12, False), (19, 19, False), (21, 13, True), (100, 60, False), (100, 61, True)],
)
def test_proposes_from_twenty_judged_alarms_of_which_more_than_sixty_in_a_hundred_are_false(
    judged, false, proposes
):
    tally = Tally(judged, false, {Why.RESIDENT_WITHOUT_CREDENTIAL: false})
    assert (advise(E01, tally, NOTHING, {}) is not None) == proposes


def test_changes_the_parameter_that_makes_fewer_alarms_by_a_quarter():
    assert advise(E01, bad(TOO_SENSITIVE), NOTHING, {}) == Proposed(Advice.PARAMETER, "window_s", 10, 13)
    assert advise(E01, bad(TOO_SENSITIVE), NOTHING, {"window_s": 20}).proposed == 25


def test_parameter_that_makes_fewer_when_it_is_smaller_goes_down():
    proposed = advise(BY_ID["R-E06"], bad(TOO_SENSITIVE), NOTHING, {})
    assert (proposed.parameter, proposed.present, proposed.proposed) == ("gap_s", 8, 6)


def test_never_leaves_the_range_and_goes_on_to_something_else_at_its_end():
    assert advise(E01, bad(TOO_SENSITIVE), NOTHING, {"window_s": 55}).proposed == 60
    assert advise(E01, bad(TOO_SENSITIVE), NOTHING, {"window_s": 60}).advice is Advice.MUTE_PLACE
    crowd = BY_ID["R-C04"]
    assert advise(crowd, bad(TOO_SENSITIVE), NOTHING, {"limit": 5000}).parameter == "hold_s"


def test_every_change_stays_in_range_and_moves_the_way_that_makes_fewer():
    for rule_id, easings in EASINGS.items():
        rule = BY_ID[rule_id]
        first = easings[0]
        parameter = next(one for one in rule.parameters if one.name == first.parameter)
        proposed = advise(rule, bad(TOO_SENSITIVE), NOTHING, {})
        assert proposed.parameter == first.parameter, rule_id
        assert parameter.low <= proposed.proposed <= parameter.high
        assert (proposed.proposed > parameter.default) == first.up, rule_id


@pytest.mark.parametrize(
    "reason", [Why.CAMERA_MOVED, Why.WEATHER_LIGHT, Why.ANIMAL, Why.SENSOR_FAULT, Why.RECOGNITION_ERROR]
)
def test_what_lies_with_the_device_is_looked_for_at_the_device(reason):
    assert advise(E01, bad({reason: 15, Why.COURIER: 10}), NOTHING, {}).advice is Advice.LOOK_AT_DEVICE
    assert advise(E01, bad({reason: 10, Why.COURIER: 10}), NOTHING, {}).advice is Advice.PARAMETER


def test_rule_that_is_right_elsewhere_is_right_and_this_device_the_odd_one():
    couriers = bad({Why.COURIER: 20})
    right = Tally(40, 8, {})
    assert advise(E01, couriers, right, {}).advice is Advice.LOOK_AT_DEVICE
    assert advise(E01, couriers, Tally(40, 30, {}), {}).advice is Advice.PARAMETER
    # Too few elsewhere say nothing, and an operator who calls the rule too sensitive is believed.
    assert advise(E01, couriers, Tally(19, 0, {}), {}).advice is Advice.PARAMETER
    assert advise(E01, bad(TOO_SENSITIVE), right, {}).advice is Advice.PARAMETER


def test_neither_safety_rules_nor_care_are_ever_made_quieter():
    assert advise(Alarm, bad(TOO_SENSITIVE), NOTHING, {}) == Proposed(Advice.LOOK_AT_DEVICE)
    for rule in RULES:
        if rule.safety or rule.care:
            assert advise(rule, bad(TOO_SENSITIVE), NOTHING, {}).advice is Advice.LOOK_AT_DEVICE


def test_rule_without_such_a_parameter_is_muted_at_the_place_for_a_while():
    assert Passed.id not in EASINGS
    assert advise(Hit, bad(TOO_SENSITIVE), NOTHING, {}) == Proposed(Advice.MUTE_PLACE)
