"""The plan's numbers: inside the picture, marks apart from each other, nothing lost."""

from hypothesis import given
from hypothesis import strategies as st

from console.pages.plan import (
    LETTER,
    WIDTH,
    BuildingShape,
    DeviceSpot,
    IncidentSpot,
    ZoneShape,
    build,
)
from console.pages.spacing import text_width

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


YARD = ZoneShape("yard", "yard", "common", SQUARE)


def test_devices_on_one_spot_are_one_mark_with_their_number() -> None:
    [mark] = build([YARD], (), [device(str(n), 50, 25) for n in range(5)]).devices
    assert (mark.count, mark.names, mark.online) == (5, ("0", "1", "2", "3", "4"), True)


def test_a_silent_device_is_not_hidden_among_those_that_answer() -> None:
    spots = [device(str(n), 50, 25, online=(True, True, False, None)[n]) for n in range(4)]
    marks = build([YARD], (), spots).devices
    assert {(mark.online, mark.count) for mark in marks} == {(True, 2), (False, 1), (None, 1)}
    assert len({(mark.x, mark.y) for mark in marks}) == 3


def test_devices_far_apart_or_of_different_zones_keep_their_own_mark() -> None:
    here, far = device("a", 10, 10), device("b", 90, 40)
    other = DeviceSpot("c", "c", "door", "other", "common", True, 10, 10)
    assert [mark.count for mark in build([YARD], (), [here, far, other]).devices] == [1, 1, 1]


def covers(ax: float, ay: float, bx: float, by: float, across: float, down: float) -> bool:
    return abs(ax - bx) < across and abs(ay - by) < down


def test_marks_stand_beside_the_names_and_not_on_them() -> None:
    gate = ZoneShape("gate", "东门", "entrance", [[94.0, 20.0], [100.0, 20.0], [100.0, 30.0], [94.0, 30.0]])
    house = ZoneShape("house", "17幢", "building", [[5.0, 5.0], [20.0, 5.0], [20.0, 15.0], [5.0, 15.0]])
    building = BuildingShape("17幢", 7, 7, 10, 5)
    devices = [
        DeviceSpot(str(n), str(n), "door", "gate", "entrance", n % 3 > 0, 96, 21 + n) for n in range(9)
    ]
    devices.append(DeviceSpot("door", "door", "door", "house", "building", True, 12, 9))
    incidents = [
        IncidentSpot(f"i{n}", 1, zone, "0", "x") for n, zone in enumerate(("gate", "gate", "house", "yard"))
    ]
    plan = build([YARD, gate, house], [building], devices, incidents)
    names = [(zone.label, text_width(zone.name, LETTER) / 2) for zone in plan.zones if zone.label]
    names += [((b.x + b.width / 2, b.y + b.height / 2), LETTER) for b in plan.buildings]
    assert len(names) == 3
    for (x, y), half in names:
        assert not [i for i in plan.incidents if covers(i.x, i.y, x, y, half + 12, LETTER / 2 + 12)]
        assert not [d for d in plan.devices if covers(d.x, d.y, x, y, half + 6, LETTER / 2 + 6)]
    spots = [(mark.x, mark.y) for mark in (*plan.incidents, *plan.devices)]
    assert not [1 for n, a in enumerate(spots) for b in spots[:n] if covers(*a, *b, 18, 18)]


def test_a_view_of_a_part_lies_inside_the_plan() -> None:
    plan = build([YARD, ZoneShape("corner", "c", "common", [[0.0, 0.0], [5.0, 0.0], [5.0, 5.0], [0.0, 5.0]])])
    for zone in ("yard", "corner", "nowhere"):
        left, top, width, height = (float(number) for number in plan.around(zone).split())
        assert left >= 0
        assert top >= 0
        assert left + width <= WIDTH
        assert top + height <= plan.height


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
