import datetime as dt
import itertools

import pytest

from alerts.rules import RULES, Engine, Observation, Signal, WatchHit
from devices.adapters.native import decode_event
from devices.models import Device, DeviceKind
from registry.models import Ring, Zone
from ringward.demo import DAY_S, cast, timeline, weekday
from ringward.demo.day import ComeBack, Cue, FallSilent, Say, ShowFace, ShowPlate
from ringward.demo.equipment import GUESTS
from ringward.demo.portraits import ROLES, STRANGER

FIRST_S = 80.0
BEGIN = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
KNOWN_PLATES = {*cast.REGISTERED_PLATES}


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


def observe(cue: Cue, number: int, device: Device, ring: Ring) -> Observation:
    """What ingest, recognition and the registry make of a step."""
    at, action = BEGIN + dt.timedelta(seconds=cue.at_s), cue.step.action
    base = {
        "id": str(number), "received_at": at, "device": device.id, "zone": device.zone, "ring": ring.value,
        "lane": device.lane, "direction": device.direction,
    }  # fmt: skip
    match action:
        case Say(event, late_s):
            base |= {"late": late_s > 0, "direction": event.direction or device.direction}
            cause = event.attributes.get("cause")
            return Observation(**base, type=event.type, at=at - dt.timedelta(seconds=late_s), cause=cause)
        case ShowFace(role, direction):
            outcome = "face.unknown" if role == STRANGER else "face.identified"
            return Observation(**base | {"direction": direction}, type=outcome, at=at)
        case ShowPlate(plate, direction):
            # Near a registered plate is uncertain, which is a guard's business and no rule's.
            near = plate == cast.PLATE_COURIER
            rings = frozenset({"common", "building"})
            return Observation(
                **base | {"direction": direction},
                type="plate.uncertain" if near else "plate.recognised",
                at=at,
                plate=plate,
                vehicle_id="v" if plate in KNOWN_PLATES else None,
                plate_welcome=plate == cast.PLATE_VISITOR,
                watch=(WatchHit("w", rings),) if plate == cast.PLATE_WATCHED else (),
            )
        case FallSilent():
            return Observation(**base, type="device.offline", at=at, cause="last_will", ring_offline=0.17)
        case ComeBack():
            return Observation(**base, type="device.online", at=at)
    raise AssertionError(action)


def raised(cues: list[Cue], devices, rings) -> list[tuple[float, str, str]]:
    """(seconds until it is known, rule, ring) of all that Ringward's own rules say to the cues."""
    engine = Engine(RULES)
    waiting = [
        observe(cue, n, devices[cue.step.device], rings[cue.step.device]) for n, cue in enumerate(cues)
    ]
    found = []
    for second in range(int(DAY_S) + 120):
        now = BEGIN + dt.timedelta(seconds=second)
        while waiting and waiting[0].received_at <= now:
            found += [(second, said) for said in engine.feed(waiting.pop(0)) if isinstance(said, Signal)]
        found += [(second, said) for said in engine.advance(now) if isinstance(said, Signal)]
    return [(second, said.rule, said.anchor.ring) for second, said in found]


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


def test_each_ring_has_its_incident_within_the_first_80_seconds(cues, devices, rings) -> None:
    early = {(rule, ring) for second, rule, ring in raised(cues, devices, rings) if second < FIRST_S}
    assert early == {
        ("R-E01", "entrance"),
        ("R-E04", "entrance"),
        ("R-E09", "common"),
        ("R-D01", "common"),
        ("R-B05", "building"),
    }


def test_rules_raise_what_scenes_expect_and_nothing_else(cues, devices, rings) -> None:
    expected = sorted(rule for scene in weekday() for rule in scene.expects)
    assert sorted(rule for _, rule, _ in raised(cues, devices, rings)) == expected
    assert expected == ["R-B05", "R-B05", "R-D01", "R-E01", "R-E01", "R-E04", "R-E09"]


@pytest.mark.parametrize("scene", weekday(), ids=lambda scene: scene.time)
def test_each_scene_by_itself_raises_what_it_expects(scene, devices, rings) -> None:
    assert sorted(rule for _, rule, _ in raised(timeline([scene]), devices, rings)) == sorted(scene.expects)


def test_later_rounds_are_calm(devices, rings) -> None:
    calm = timeline(weekday(), calm_only=True)
    assert len(calm) > 100
    assert raised(calm, devices, rings) == []


def test_who_refuses_the_camera_would_be_an_incident_but_for_the_card(devices, rings) -> None:
    refuser = next(scene for scene in weekday() if scene.time == "07:05")
    assert raised(timeline([refuser]), devices, rings) == []
    cardless = [
        c
        for c in timeline([refuser])
        if getattr(c.step.action, "event", None) is None or c.step.action.event.type != "access.granted"
    ]
    assert [rule for _, rule, _ in raised(cardless, devices, rings)] == ["R-E01"]


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
