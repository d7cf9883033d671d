import datetime as dt
import itertools
from dataclasses import replace

import pytest
from playedday import PlayedDay, Told

from devices.adapters.native import decode_event
from devices.models import Device, DeviceKind
from devices.simulator import access_granted
from registry.lookups import credential_key
from registry.models import Credential, Ring, VisitorPass, Zone
from ringward.demo import DAY_S, cast, timeline, weekday
from ringward.demo.day import ComeBack, Cue, FallSilent, Say, ShowFace, ShowPlate
from ringward.demo.equipment import GUESTS
from ringward.demo.portraits import ROLES, STRANGER

FIRST_S = 80.0


@pytest.fixture(scope="module")
def cues() -> list[Cue]:
    return timeline(weekday())


@pytest.fixture(scope="module")
def devices(home) -> dict[str, Device]:
    return {device.id: device for device in home.rows(Device)}


@pytest.fixture(scope="module")
def rings(home, devices) -> dict[str, Ring]:
    zones = {zone.id: Ring(zone.ring) for zone in home.rows(Zone)}
    return {key: zones[device.zone] for key, device in devices.items()}


@pytest.fixture(scope="module")
def day(home) -> PlayedDay:
    return PlayedDay(home)


@pytest.fixture(scope="module")
def told(day, cues) -> list[Told]:
    """All that becomes of the first round."""
    return day.judge([cues])


def raised(told: list[Told]) -> list[str]:
    return sorted(one.rule for one in told if one.change == "raised")


def of(told: list[Told], rule: str) -> list[Told]:
    return [one for one in told if one.rule == rule]


def test_every_step_names_a_device_that_exists_and_can_do_it(cues, devices) -> None:
    for cue in cues:
        device, action = devices[cue.step.device], cue.step.action
        assert device.id not in GUESTS
        if isinstance(action, ShowFace):
            assert device.kind == DeviceKind.FACE_CAMERA
            assert action.role in ROLES
        elif isinstance(action, ShowPlate):
            assert device.kind == DeviceKind.PLATE_CAMERA
        elif isinstance(action, Say) and action.event.type.startswith(("access.", "door.")):
            assert device.kind in {DeviceKind.DOOR, DeviceKind.TURNSTILE}
        elif isinstance(action, Say) and action.event.type.startswith("barrier."):
            assert device.kind == DeviceKind.BARRIER


def test_every_event_is_native_and_unmarked(cues) -> None:
    at = dt.datetime(2026, 11, 23, 7, 15, tzinfo=dt.UTC)
    events = [cue.step.action.event for cue in cues if isinstance(cue.step.action, Say)]
    assert len(events) > 100
    for event in events:
        decoded = decode_event(event.encode("1", at))
        assert decoded.type == event.type
        assert decoded.marks == ()


def test_scenes_are_told_in_the_order_of_the_day() -> None:
    scenes = weekday()
    assert [scene.time for scene in scenes] == sorted(scene.time for scene in scenes)
    assert [scene.starts_s for scene in scenes] == sorted(scene.starts_s for scene in scenes)
    assert len({scene.label for scene in scenes}) == len(scenes)


def test_the_day_ends_in_time(cues) -> None:
    assert all(0 <= cue.at_s < DAY_S for cue in cues)
    assert [cue.at_s for cue in cues] == sorted(cue.at_s for cue in cues)


def test_first_minute_shows_a_face_and_a_plate_that_are_known_at_an_entrance(cues, rings) -> None:
    first = [cue for cue in cues if cue.at_s < 30 and rings[cue.step.device] is Ring.ENTRANCE]
    assert any(isinstance(c.step.action, ShowFace) and c.step.action.role != STRANGER for c in first)
    assert any(
        isinstance(c.step.action, ShowPlate) and c.step.action.plate in cast.REGISTERED_PLATES for c in first
    )


def test_each_ring_has_its_incident_within_the_first_80_seconds(told) -> None:
    early = {(one.rule, one.ring) for one in told if one.at_s < FIRST_S and one.change == "raised"}
    assert early == {
        ("R-B05", "building"),
        ("R-E01", "entrance"),
        ("R-E09", "common"),
        ("R-B04", "entrance"),
        ("R-E04", "entrance"),
        ("R-B07", "building"),
        ("R-D02", "entrance"),
    }


def test_rules_raise_what_scenes_expect_and_nothing_else(told) -> None:
    expected = sorted(rule for scene in weekday() for rule in scene.expects)
    assert raised(told) == expected
    assert expected == [
        *("R-B04", "R-B05", "R-B07", "R-B09", "R-C05", "R-D01", "R-D02"),
        *("R-E01", "R-E01", "R-E04", "R-E09", "R-E11"),
    ]


@pytest.mark.parametrize("scene", weekday(), ids=lambda scene: scene.time)
def test_each_scene_by_itself_raises_what_it_expects(scene, day) -> None:
    # Of the elder the calendar tells, whatever else is played.
    told = day.judge([timeline([scene])], by_calendar="R-B09" in scene.expects)
    assert raised(told) == sorted(scene.expects)


def test_later_rounds_are_calm(day, cues) -> None:
    calm = timeline(weekday(), calm_only=True)
    assert len(calm) > 100
    first = day.judge([cues])
    assert day.judge([cues, calm, calm, calm]) == first
    # Nor is what a first round has left behind the reason for it.
    assert day.judge([calm, calm], by_calendar=False) == []


def test_a_demo_that_is_started_again_raises_nothing_else(day, cues) -> None:
    expected = {rule for scene in weekday() for rule in scene.expects}
    assert set(raised(day.judge([cues, cues]))) == expected


def test_the_evening_is_one_incident_that_climbs_to_critical(told) -> None:
    levels = [one.severity for one in of(told, "R-E01") if one.at_s > 200]
    assert levels == sorted(levels, reverse=True)
    assert set(levels) >= {3, 1}
    assert levels[-1] == 1
    last = of(told, "R-E01")[-1]
    assert last.rules == ("R-B05", "R-C01", "R-E01", "R-X01")
    assert last.at_s < DAY_S


def test_the_blocked_lane_becomes_urgent_and_is_free_again(told) -> None:
    said = [(one.change, one.severity) for one in of(told, "R-C05")]
    assert said == [("raised", 3), ("amended", 2), ("cleared", 2)]


def test_the_elder_is_called_for_and_opens_her_door(told) -> None:
    assert [(one.change, one.severity) for one in of(told, "R-B09")] == [("raised", 3), ("cleared", 3)]


@pytest.mark.parametrize("starts_after_s", [2, 15, 60, 180])
def test_the_elder_is_called_for_however_long_the_start_takes(home, cues, starts_after_s) -> None:
    told = PlayedDay(home, starts_after_s).judge([cues])
    assert [one.change for one in of(told, "R-B09")] == ["raised", "cleared"]


def test_what_goes_away_comes_back(told) -> None:
    for rule in ("R-D01", "R-D02"):
        assert [one.change for one in of(told, rule)] == ["raised", "cleared"]


def test_an_unknown_card_makes_nobody_a_case(day) -> None:
    """A number that the register does not know, at the gate and at a building's door."""
    scene = next(scene for scene in weekday() if scene.time == "20:30")
    unknown = [
        replace(cue, step=replace(cue.step, action=Say(access_granted("card", f"F00000{number:02}"))))
        if isinstance(cue.step.action, Say) and cue.step.action.event.type == "access.granted"
        else cue
        for number, cue in enumerate(timeline([scene]))
    ]
    assert day.judge([unknown], by_calendar=False) == []


def test_who_refuses_the_camera_would_be_an_incident_but_for_the_card(day) -> None:
    refuser = next(scene for scene in weekday() if scene.time == "07:05")
    assert day.judge([timeline([refuser])], by_calendar=False) == []
    cardless = [
        c
        for c in timeline([refuser])
        if getattr(c.step.action, "event", None) is None or c.step.action.event.type != "access.granted"
    ]
    assert raised(day.judge([cardless], by_calendar=False)) == ["R-E01"]


def test_every_card_and_pass_of_the_story_is_somebodys(home, cues) -> None:
    shown = {
        (cue.step.action.event.credential["kind"], cue.step.action.event.credential["ref"])
        for cue in cues
        if isinstance(cue.step.action, Say) and cue.step.action.event.credential
    }
    passes = {one.id for one in home.rows(VisitorPass)}
    cards = {one.ref_key for one in home.rows(Credential)}
    for kind, ref in shown:
        if kind == "pass":
            assert ref in passes
        elif kind == "card":
            assert credential_key("honghua", "card", ref) in cards
        else:
            assert (kind, ref) == ("face", None)


def test_school_run_is_14_people_in_40_seconds_each_with_a_card() -> None:
    run = next(scene for scene in weekday() if scene.time == "07:15")
    grants = [s for s in run.steps if isinstance(s.action, Say) and s.action.event.type == "access.granted"]
    crossings = [
        s for s in run.steps if isinstance(s.action, Say) and s.action.event.type == "video.line_crossing"
    ]
    assert len(grants) == len(crossings) == 14
    assert max(s.offset_s for s in grants) - min(s.offset_s for s in grants) < 40
    assert all(a.offset_s < b.offset_s for a, b in itertools.pairwise(grants))
    assert len({s.device for s in grants}) == 1


def test_a_silent_device_comes_back(cues) -> None:
    gone = {cue.step.device: cue.at_s for cue in cues if isinstance(cue.step.action, FallSilent)}
    back = {cue.step.device: cue.at_s for cue in cues if isinstance(cue.step.action, ComeBack)}
    assert gone.keys() == back.keys()
    for device, since in gone.items():
        assert since < back[device]
        between = [c for c in cues if c.step.device == device and since < c.at_s < back[device]]
        assert not between


def test_kept_records_of_a_cut_network_are_marked_late(cues) -> None:
    late = [cue for cue in cues if isinstance(cue.step.action, Say) and cue.step.action.late_s]
    assert len(late) >= 4
    assert all(cue.step.action.late_s > 60 for cue in late)
    assert {cue.scene.time for cue in late} == {"18:20"}
