"""Paths: where a subject stood, what cannot be of its way, and who could not have seen it."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rules import Observation, Site, SiteDevice, SiteZone, paths
from alerts.rules.memory import Recent
from alerts.rules.paths import Oddity
from alerts.rules.steps import Where, shows_presence, trace

T0 = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(hours=24)
# Zone → ring, neighbours, plan metres along a line.
ZONES = {
    "gate": ("entrance", ("square", "inner-gate"), 0),
    "inner-gate": ("entrance", ("gate", "square"), 20),
    "drive": ("entrance", ("square",), 300),
    "square": ("common", ("gate", "drive", "hall-3", "hall-9"), 100),
    "hall-3": ("building", ("square",), 150),
    "hall-9": ("building", ("square",), 500),
}
MEI = {"person_id": "mei"}
CAR = {"plate": "云M12345"}


def site(*, gate_looks: str | None = None) -> Site:
    """A gate, an inner gate, a drive and two buildings; each with a reader, the drive with a plate camera."""
    zones = {name: SiteZone(name, ring, ring, frozenset(near)) for name, (ring, near, _) in ZONES.items()}
    devices = {}
    for name, (ring, _, metres) in ZONES.items():
        kind = "plate_camera" if name == "drive" else "scene_camera" if ring == "common" else "door"
        looks = gate_looks if ring == "entrance" else None
        for number in (1, 2):
            device = f"{name}-{number}"
            devices[device] = SiteDevice(device, name, kind, name, looks, x=float(metres), y=0.0)
    return Site(zones, devices)


def seen(
    seconds: float,
    zone: str,
    direction: str | None = "in",
    kind: str = "access.granted",
    *,
    device: int = 1,
    **facts: object,
) -> Observation:
    moment = T0 + dt.timedelta(seconds=seconds)
    return Observation(
        id=f"{seconds:09.1f}-{kind}-{zone}-{device}",
        type=kind,
        at=moment,
        received_at=moment,
        device=f"{zone}-{device}",
        zone=zone,
        ring=ZONES[zone][0],
        lane=zone,
        direction=direction,
        **(facts or MEI),
    )


def went(seconds: float, device: str, kind: str = "device.offline") -> Observation:
    moment = T0 + dt.timedelta(seconds=seconds)
    zone = device.rpartition("-")[0]
    return Observation(
        id=f"{device}-{kind}-{seconds}", type=kind, at=moment, received_at=moment, device=device, zone=zone,
        ring=ZONES[zone][0], cause="last_will",
    )  # fmt: skip


def path(
    *observations: Observation, subject: str = "person:mei", plan: Site | None = None, hours: float = 24
):
    memory = Recent(dt.timedelta(hours=27), plan or site())
    for one in observations:
        memory.add(one)
    return paths.of(memory, [subject], T0, T0 + dt.timedelta(hours=hours))


def oddities(*observations: Observation, **how) -> list[Oddity]:
    return [one.oddity for one in path(*observations, **how).impossible]


def stands(*observations: Observation, plan: Site | None = None) -> list[tuple[str, bool | None]]:
    return [(step.after, step.inside) for step in trace(observations, plan or site())]


# ── where it stands ───────────────────────────────────────────────────────────


def test_way_home_and_out_again() -> None:
    way = (
        seen(0, "gate", "in"),
        seen(60, "square", None, "face.identified"),
        seen(120, "hall-9", "in"),
        seen(600, "hall-9", "out"),
        seen(700, "gate", "out"),
    )
    assert stands(*way) == [
        (Where.ENTRANCE, True),
        (Where.COMMON, True),
        (Where.BUILDING, True),
        (Where.COMMON, True),
        (Where.OUTSIDE, False),
    ]
    assert oddities(*way) == []


@pytest.mark.parametrize(
    ("moment", "where", "inside"),
    [
        (-1, Where.UNKNOWN, None),
        (0, Where.ENTRANCE, True),
        (119, Where.ENTRANCE, True),
        (120, Where.BUILDING, True),
        (9999, Where.BUILDING, True),
    ],
)
def test_where_it_stood_at_a_moment(moment: float, where: Where, inside: bool | None) -> None:
    stand = path(seen(0, "gate"), seen(120, "hall-9")).at(T0 + dt.timedelta(seconds=moment))
    assert (stand.where, stand.inside) == (where, inside)
    assert (stand.step is None) is (moment < 0)


def test_entrance_that_does_not_say_which_way_leaves_open_whether_it_is_inside() -> None:
    assert stands(seen(0, "gate", None)) == [(Where.ENTRANCE, None)]


def test_device_that_looks_one_way_says_what_the_event_does_not() -> None:
    assert stands(seen(0, "gate", None), plan=site(gate_looks="out")) == [(Where.OUTSIDE, False)]
    assert stands(seen(0, "gate", "in"), plan=site(gate_looks="out")) == [(Where.ENTRANCE, True)]
    assert stands(seen(0, "gate", None), plan=site(gate_looks="both")) == [(Where.ENTRANCE, None)]


def test_guard_who_checks_a_visitor_in_or_out_says_the_way() -> None:
    assert stands(
        seen(0, "gate", None, "visitor.checked_in"), seen(99, "gate", None, "visitor.checked_out")
    ) == [
        (Where.ENTRANCE, True),
        (Where.OUTSIDE, False),
    ]


def test_who_is_turned_away_is_where_they_were() -> None:
    assert stands(seen(0, "gate", "in", "access.denied")) == [(Where.ENTRANCE, None)]
    assert stands(seen(0, "gate", "out"), seen(60, "gate", "in", "access.denied"))[-1] == (
        Where.ENTRANCE,
        False,
    )
    assert stands(seen(0, "gate"), seen(60, "hall-9", "in", "access.denied"))[-1] == (Where.COMMON, True)


def test_card_and_face_at_one_place_are_one_step() -> None:
    steps = trace(
        [
            seen(0, "gate"),
            seen(3, "gate", "in", "face.identified", device=2),
            seen(12, "gate", "in", "face.identified", device=2),
        ],
        site(),
    )
    assert [(step.at, step.until) for step in steps] == [(T0, T0 + dt.timedelta(seconds=12))]
    assert len(steps[0].seen) == 3
    assert len(trace([seen(0, "gate"), seen(10.1, "gate")], site())) == 2


def test_refused_and_then_let_in_is_one_step_in() -> None:
    assert stands(seen(0, "gate", "in", "access.denied"), seen(4, "gate")) == [(Where.ENTRANCE, True)]


@pytest.mark.parametrize(
    "kind",
    [
        "care.activity",
        "care.away",
        "visitor.expired",
        "visitor.extended",
        "door.opened",
        "face.uncertain",
        "plate.uncertain",
        "patrol.due",
        "command.uncertain",
    ],
)
def test_what_does_not_show_that_it_was_there_is_no_step(kind: str) -> None:
    assert not shows_presence(seen(0, "hall-9", kind=kind))
    assert path(seen(0, "hall-9", kind=kind)).steps == ()


# ── what cannot be ────────────────────────────────────────────────────────────


def test_in_a_building_with_no_entrance() -> None:
    (only,) = path(seen(600, "hall-9")).impossible
    assert only.oddity is Oddity.NO_ENTRANCE
    assert [one.zone for one in only.evidence] == ["hall-9"]
    assert (only.start, only.end) == (T0, T0 + dt.timedelta(seconds=600))
    assert only.certain


def test_in_a_building_after_it_had_left() -> None:
    (only,) = path(seen(0, "gate", "out"), seen(600, "hall-9")).impossible
    assert only.oddity is Oddity.NO_ENTRANCE
    assert [one.zone for one in only.evidence] == ["gate", "hall-9"]
    assert only.start == T0


def test_is_told_once_and_not_of_every_further_step() -> None:
    assert oddities(seen(0, "hall-9"), seen(900, "hall-3"), seen(1800, "hall-9")) == [Oddity.NO_ENTRANCE]


def test_in_the_common_area_after_it_had_left_and_not_before_anything_is_known() -> None:
    assert oddities(seen(0, "gate", "out"), seen(600, "square", None, "face.identified")) == [
        Oddity.NO_ENTRANCE
    ]
    assert oddities(seen(600, "square", None, "face.identified")) == []


def test_refused_at_the_entrance_and_in_the_building_all_the_same() -> None:
    assert oddities(seen(0, "gate", "in", "access.denied"), seen(600, "hall-9")) == [Oddity.NO_ENTRANCE]


def test_entrance_that_does_not_say_which_way_may_have_let_it_in() -> None:
    assert oddities(seen(0, "gate", None), seen(600, "hall-9")) == []


@pytest.mark.parametrize(
    ("first", "second", "oddity"), [("in", "in", Oddity.IN_AGAIN), ("out", "out", Oddity.OUT_AGAIN)]
)
def test_the_same_way_twice(first: str, second: str, oddity: Oddity) -> None:
    (only,) = path(seen(0, "gate", first), seen(600, "gate", second)).impossible
    assert only.oddity is oddity
    assert [one.at for one in only.evidence] == [T0, T0 + dt.timedelta(seconds=600)]


def test_in_again_from_within() -> None:
    assert oddities(seen(0, "gate"), seen(300, "hall-9"), seen(900, "gate")) == [Oddity.IN_AGAIN]


@pytest.mark.parametrize(
    "way",
    [
        pytest.param((seen(0, "gate"), seen(300, "gate", "out"), seen(600, "gate")), id="out_in_between"),
        pytest.param((seen(0, "gate"), seen(60, "inner-gate")), id="two_gates_in_a_row"),
        pytest.param((seen(0, "gate", "in", "face.identified"), seen(60, "gate")), id="looked_and_came_back"),
        pytest.param(
            (seen(0, "gate"), seen(60, "gate", "in", "face.identified")), id="stands_before_the_camera"
        ),
        pytest.param((seen(0, "gate"), seen(60, "gate", "in", "access.denied")), id="second_was_refused"),
        pytest.param((seen(0, "gate"), seen(60, "gate", None)), id="way_not_known"),
        pytest.param(
            (seen(0, "hall-9", "in"), seen(600, "hall-9", "in")), id="buildings_are_left_by_the_button"
        ),
    ],
)
def test_what_is_no_second_time(way: tuple) -> None:
    assert [one for one in oddities(*way) if one is not Oddity.NO_ENTRANCE] == []


# The halls are 350 m apart: 50 s by e-bike; the drive is 200 m from the ninth: 12 s by car.
@pytest.mark.parametrize(("gap", "odd"), [(44, True), (45, False), (46, False)])
def test_two_places_at_once(gap: float, odd: bool) -> None:
    way = (seen(-0.0, "gate"), seen(200, "hall-3"), seen(200 + gap, "hall-9"))
    found = path(*way).impossible
    assert [one.oddity for one in found] == ([Oddity.TWO_PLACES] if odd else [])
    if odd:
        assert [one.zone for one in found[0].evidence] == ["hall-3", "hall-9"]


@pytest.mark.parametrize(("gap", "odd"), [(6.9, True), (7.1, False)])
def test_by_car_one_is_faster(gap: float, odd: bool) -> None:
    way = (seen(0, "drive", "in"), seen(gap, "hall-9", "in"))
    assert (Oddity.TWO_PLACES in oddities(*way)) is odd


def test_plates_drive_wherever_they_are_read() -> None:
    way = (
        seen(0, "hall-3", "in", "plate.recognised", **CAR),
        seen(20, "hall-9", "in", "plate.recognised", **CAR),
    )
    assert Oddity.TWO_PLACES not in oddities(*way, subject="plate:云M12345")
    walking = tuple(dataclasses.replace(one, plate=None, person_id="mei") for one in way)
    assert Oddity.TWO_PLACES in oddities(*walking)


def test_places_that_the_plan_does_not_know_are_near_everything() -> None:
    plan = site()
    bare = Site(plan.zones, {name: dataclasses.replace(one, x=None) for name, one in plan.devices.items()})
    assert Oddity.TWO_PLACES not in oddities(seen(0, "hall-3"), seen(1, "hall-9"), plan=bare)


def test_two_devices_tell_one_passage_both_ways() -> None:
    found = path(seen(0, "gate", "in"), seen(2, "gate", "out", "face.identified", device=2))
    (only,) = found.impossible
    assert only.oddity is Oddity.CONTRADICTION
    assert {one.device for one in only.evidence} == {"gate-1", "gate-2"}
    assert found.steps[0].direction is None
    assert found.steps[0].inside is None


def test_one_device_that_tells_both_ways_saw_somebody_turn_round() -> None:
    way = (seen(0, "gate", "in"), seen(3, "gate", "out"))
    assert oddities(*way) == []
    assert stands(*way)[-1] == (Where.OUTSIDE, False)


# ── who was blind, and where nobody looks ─────────────────────────────────────


def test_blind_entrances_are_named_and_make_it_uncertain() -> None:
    gone = (went(100, "gate-1"), went(300, "gate-1", "device.online"))
    (only,) = path(seen(0, "gate", "out"), *gone, seen(600, "hall-9")).impossible
    assert [(one.device, one.why) for one in only.blind] == [("gate-1", "offline")]
    assert not only.certain
    (only,) = path(*gone, seen(400, "gate", "out"), seen(600, "hall-9")).impossible
    assert only.certain


def test_blind_devices_elsewhere_explain_no_missing_entrance() -> None:
    (only,) = path(went(100, "square-1"), seen(600, "hall-9")).impossible
    assert only.certain


def test_two_places_name_what_was_blind_there_only() -> None:
    way = (seen(0, "gate"), seen(100, "hall-3"), seen(101, "hall-9"))
    (only,) = path(went(90, "gate-1"), went(90, "hall-9-2"), *way).impossible
    assert [one.device for one in only.blind] == ["hall-9-2"]


def test_entrances_where_nothing_looks_the_missing_way_are_named() -> None:
    in_only = site(gate_looks="in")
    (again,) = path(seen(0, "gate"), seen(600, "gate"), plan=in_only).impossible
    assert again.unwatched == ("drive", "gate", "inner-gate")
    assert not again.certain
    (none,) = path(seen(600, "hall-9"), plan=in_only).impossible
    assert none.certain


def test_gaps_say_where_it_stood_and_who_could_not_have_seen() -> None:
    memory = Recent(dt.timedelta(hours=27), site())
    for one in (
        seen(0, "gate", "in"), seen(300, "gate", "out"), seen(900, "gate", "in"),
        went(100, "square-1"), went(400, "square-1", "device.online"), went(500, "drive-1"),
    ):  # fmt: skip
        memory.add(one)
    way = paths.of(memory, ["person:mei"], T0, T0 + dt.timedelta(seconds=1200))
    found = paths.gaps(way, memory)
    assert [
        ((one.start - T0).total_seconds(), (one.end - T0).total_seconds(), one.stand.where) for one in found
    ] == [
        (0, 300, Where.ENTRANCE),
        (300, 900, Where.OUTSIDE),
        (900, 1200, Where.ENTRANCE),
    ]
    # While it was outside only entrances could have seen it.
    assert [[one.device for one in gap.blind] for gap in found] == [["square-1"], ["drive-1"], ["drive-1"]]


def test_nothing_seen_is_one_gap_and_not_nobody_there() -> None:
    memory = Recent(dt.timedelta(hours=27), site())
    memory.add(went(100, "hall-9-1"))
    way = paths.of(memory, ["person:mei"], T0, T0 + dt.timedelta(hours=1))
    (gap,) = paths.gaps(way, memory)
    assert (gap.stand.where, [one.device for one in gap.blind]) == (Where.UNKNOWN, ["hall-9-1"])


def test_several_names_of_one_subject_are_one_path() -> None:
    memory = Recent(dt.timedelta(hours=27), site())
    for one in (seen(0, "drive", "in", "plate.recognised", **CAR), seen(60, "hall-9")):
        memory.add(one)
    way = paths.of(memory, ["person:mei", "plate:云M12345"], T0, T0 + DAY)
    assert [step.zone for step in way.steps] == ["drive", "hall-9"]
    assert way.impossible == ()


# ── whatever happens ──────────────────────────────────────────────────────────

ways = st.lists(
    st.tuples(
        st.integers(0, 2000),
        st.sampled_from(sorted(ZONES)),
        st.sampled_from(["in", "out", None]),
        st.sampled_from(["access.granted", "access.denied", "face.identified", "video.line_crossing"]),
        st.sampled_from([1, 2]),
    ),
    max_size=10,
    unique=True,
)


@given(ways, st.randoms(use_true_random=False))
def test_order_in_which_it_was_told_changes_nothing(way: list, chance) -> None:
    told = [seen(s, zone, to, kind, device=number) for s, zone, to, kind, number in way]
    shuffled = list(told)
    chance.shuffle(shuffled)
    assert path(*shuffled) == path(*told)


@given(ways)
def test_every_observation_is_in_one_step_and_steps_are_in_order(way: list) -> None:
    told = [seen(s, zone, to, kind, device=number) for s, zone, to, kind, number in way]
    found = path(*told)
    assert sorted(one.id for step in found.steps for one in step.seen) == sorted(one.id for one in told)
    edges = [edge for step in found.steps for edge in (step.at, step.until)]
    assert edges == sorted(edges)
    assert all(len({one.place for one in step.seen}) == 1 for step in found.steps)


@given(ways)
def test_states_follow_from_what_was_seen(way: list) -> None:
    found = path(*(seen(s, zone, to, kind, device=number) for s, zone, to, kind, number in way))
    for step in found.steps:
        if step.after is Where.OUTSIDE:
            assert (step.ring, step.direction, step.inside) == ("entrance", "out", False)
        if step.after in {Where.COMMON, Where.BUILDING}:
            assert step.inside is True
            assert step.ring != "entrance"
        assert found.at(step.at).step is not None


@given(ways)
def test_what_cannot_be_rests_on_what_was_seen_and_in_order(way: list) -> None:
    told = [seen(s, zone, to, kind, device=number) for s, zone, to, kind, number in way]
    found = path(*told)
    for one in found.impossible:
        assert one.evidence
        assert set(one.evidence) <= set(told)
        assert one.start <= one.end
        assert one.certain
    # A path that begins with an entrance, seen going in, and has no further entrance is never without one.
    rings = [step.ring for step in found.steps]
    if rings[:1] == ["entrance"] and found.steps[0].direction == "in" and found.steps[0].passed:
        rest = {step.ring for step in found.steps[1:]}
        if "entrance" not in rest:
            assert Oddity.NO_ENTRANCE not in {one.oddity for one in found.impossible}


@given(ways, st.integers(0, 2100))
def test_what_comes_later_does_not_change_where_it_stood(way: list, moment: int) -> None:
    told = [seen(s, zone, to, kind, device=number) for s, zone, to, kind, number in way]
    # A passage that was going on at that moment may still be told more of.
    then = T0 + dt.timedelta(seconds=moment)
    whole = path(*told)
    if any(step.at <= then <= step.until + paths.PASSAGE for step in whole.steps):
        return
    until_then = path(*(one for one in told if one.at <= then))
    assert until_then.at(then) == whole.at(then)
