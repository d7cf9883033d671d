"""Which zones a visitor crosses: as few as lead to the host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.places.models import Ring
from registry.places.ways import Link, way

PLAN = {
    "gate": Link(Ring.ENTRANCE, ("yard",)),
    "back-gate": Link(Ring.ENTRANCE, ("garage",)),
    "yard": Link(Ring.COMMON, ("b3", "pond")),
    "pond": Link(Ring.COMMON, ("b5",)),
    "garage": Link(Ring.COMMON, ()),
    "b3": Link(Ring.BUILDING, ("b4",)),
    "b4": Link(Ring.BUILDING, ()),
    "b5": Link(Ring.BUILDING, ()),
}
GATES = {"gate", "back-gate"}


@pytest.mark.parametrize(
    ("targets", "zones"),
    [
        pytest.param((), GATES, id="nobody_in_particular"),
        pytest.param(("b3",), GATES | {"yard", "b3"}, id="the_next_building"),
        pytest.param(("b5",), GATES | {"yard", "pond", "b5"}, id="the_building_behind"),
        pytest.param(("b3", "b5"), GATES | {"yard", "pond", "b3", "b5"}, id="two_buildings"),
        pytest.param(("b4",), GATES | {"b4"}, id="not_through_another_building"),
        pytest.param(("demolished",), GATES, id="a_zone_that_is_no_more"),
    ],
)
def test_way_is_the_entrances_and_what_lies_between(targets, zones):
    assert way(PLAN, targets) == zones


def test_plan_that_does_not_say_how_zones_hang_together_opens_gates_and_target_alone():
    loose = {zone: Link(link.ring, ()) for zone, link in PLAN.items()}
    assert way(loose, ["b5"]) == GATES | {"b5"}


rings = st.sampled_from(Ring)
names = st.sampled_from("abcdefg")
plans = st.dictionaries(names, st.builds(Link, rings, st.lists(names, max_size=3).map(tuple)))


@given(plans, st.sets(names, max_size=2))
def test_no_other_building_is_ever_on_the_way(plan, targets):
    found = way(plan, targets)
    assert {zone for zone, link in plan.items() if link.ring is Ring.ENTRANCE} <= found
    assert all(plan[zone].ring is not Ring.BUILDING for zone in found - targets)
    assert targets & plan.keys() <= found <= plan.keys()
