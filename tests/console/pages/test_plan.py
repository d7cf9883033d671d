"""The plan's numbers: inside the picture, marks apart from each other, nothing lost."""

from hypothesis import given
from hypothesis import strategies as st

from console.pages.plan import (
    WIDTH,
    BuildingShape,
    DeviceSpot,
    IncidentSpot,
    ZoneShape,
    build,
)

SQUARE = [[0.0, 0.0], [100.0, 0.0], [100.0, 50.0], [0.0, 50.0]]
metres = st.floats(-500, 500, allow_nan=False)


def device(name: str, x: float | None, y: float | None, *, online: bool | None = True) -> DeviceSpot:
    return DeviceSpot(name, name, "door", "yard", "entrance", online, x, y)


def test_a_compound_without_places_has_an_empty_plan() -> None:
    plan = build([])
    assert (plan.zones, plan.devices, plan.incidents) == ((), (), ())


def test_common_areas_are_drawn_beneath_entrances_and_buildings() -> None:
    zones = [ZoneShape(ring, ring, ring, SQUARE) for ring in ("building", "entrance", "common")]
    assert [zone.ring for zone in build(zones).zones] == ["common", "entrance", "building"]


def test_devices_on_one_spot_are_moved_apart() -> None:
    plan = build(
        [ZoneShape("yard", "yard", "common", SQUARE)], (), [device(str(n), 50, 25) for n in range(5)]
    )
    assert len({(mark.x, mark.y) for mark in plan.devices}) == 5


def test_a_device_without_a_position_stands_in_its_zone() -> None:
    plan = build([ZoneShape("yard", "yard", "common", SQUARE)], (), [device("d", None, None)])
    [zone], [mark] = plan.zones, plan.devices
    assert (mark.x, mark.y) == (zone.centre_x, zone.centre_y)


def test_silent_devices_make_their_zone_blind() -> None:
    spots = [device("a", 1, 1, online=False), device("b", 2, 2), device("c", 3, 3, online=None)]
    [zone] = build([ZoneShape("yard", "yard", "common", SQUARE)], (), spots).zones
    assert zone.blind == 1


def test_an_incident_of_an_unknown_device_and_zone_is_still_shown() -> None:
    plan = build([ZoneShape("yard", "yard", "common", SQUARE)], (), (), [IncidentSpot("i", 1, "?", "?", "x")])
    assert [mark.id for mark in plan.incidents] == ["i"]


@given(
    st.lists(st.lists(st.tuples(metres, metres), min_size=1, max_size=6), max_size=6),
    st.lists(st.tuples(metres, metres), max_size=12),
)
def test_everything_lies_inside_the_picture(
    outlines: list[list[tuple[float, float]]], spots: list[tuple[float, float]]
) -> None:
    zones = [
        ZoneShape(str(n), "z", "common", [list(p) for p in outline]) for n, outline in enumerate(outlines)
    ]
    devices = [device(str(n), x, y) for n, (x, y) in enumerate(spots)]
    incidents = [IncidentSpot(str(n), 1, "?", str(n), "x") for n in range(len(spots))]
    plan = build(zones, [BuildingShape("b", 0, 0, 10, 10)], devices, incidents)
    assert all(0 <= mark.x <= WIDTH and mark.y >= 0 for mark in (*plan.devices, *plan.incidents))
    for zone in plan.zones:
        for point in zone.points.split():
            x, y = (float(number) for number in point.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= plan.height + 0.1
