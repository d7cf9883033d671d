"""Coverage: when a device could not have seen, by what it and the system said of it."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rules import Observation, Site, SiteDevice, SiteZone
from alerts.rules.coverage import blind, blind_at, covered
from alerts.rules.memory import Recent

T0 = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(hours=27)
ZONES = {
    "gate": SiteZone("gate", "entrance", "pedestrian_gate"),
    "drive": SiteZone("drive", "entrance", "vehicle_gate"),
    "hall": SiteZone("hall", "building", "building"),
    "back": SiteZone("back", "building", "building"),
}


def after(seconds: float) -> dt.datetime:
    return T0 + dt.timedelta(seconds=seconds)


def site(**since: float) -> Site:
    """Two devices at the gate, one in the drive, one in the hall; some blind since before."""
    devices = [
        SiteDevice("cam", "gate", "face_camera", "gate-lane"),
        SiteDevice("reader", "gate", "door", "gate-lane"),
        SiteDevice("plates", "drive", "plate_camera"),
        SiteDevice("dome", "hall", "scene_camera"),
    ]
    return Site(
        ZONES,
        {
            one.id: SiteDevice(
                one.id,
                one.zone,
                one.kind,
                one.lane,
                blind_since=after(since[one.id]) if one.id in since else None,
            )
            for one in devices
        },
    )


def told(
    seconds: float, kind: str, device: str = "cam", cause: str | None = None, **attributes: object
) -> Observation:
    return Observation(
        id=f"{device}-{kind}-{seconds}",
        type=kind,
        at=after(seconds),
        received_at=after(seconds),
        device=device,
        zone="gate",
        ring="entrance",
        cause=cause,
        attributes=attributes,
    )


def offline(seconds: float, device: str = "cam", cause: str = "last_will") -> Observation:
    return told(seconds, "device.offline", device, cause)


def online(seconds: float, device: str = "cam") -> Observation:
    return told(seconds, "device.online", device)


def view(*seen: Observation, plan: Site | None = None) -> Recent:
    memory = Recent(DAY, plan or site())
    for one in seen:
        memory.add(one)
    return memory


def times(found) -> list[tuple[str, float, float, str]]:
    return [
        (one.device, (one.start - T0).total_seconds(), (one.end - T0).total_seconds(), one.why)
        for one in found
    ]


def of_cam(*seen: Observation, start: float = 0, end: float = 100, plan: Site | None = None, **how) -> list:
    memory = view(*seen, plan=plan)
    return times(blind(memory, [memory.site.devices["cam"]], after(start), after(end), **how))


def test_device_of_which_nothing_is_said_sees() -> None:
    assert of_cam() == []


def test_from_its_going_to_its_return() -> None:
    assert of_cam(offline(20), online(50)) == [("cam", 20, 50, "offline")]


def test_window_cuts_both_ends() -> None:
    assert of_cam(offline(-20), online(150)) == [("cam", 0, 100, "offline")]
    assert of_cam(offline(-20)) == [("cam", 0, 100, "offline")]


@pytest.mark.parametrize(
    ("gone", "back", "expected"),
    [
        (-20, 0, []),
        (-20, 1, [("cam", 0, 1, "offline")]),
        (100, 150, [("cam", 100, 100, "offline")]),
        (101, 150, []),
    ],
)
def test_edges_it_sees_at_the_moment_of_its_return_and_not_at_that_of_its_going(gone, back, expected) -> None:
    assert of_cam(offline(gone), online(back)) == expected


@pytest.mark.parametrize(("moment", "is_blind"), [(19, False), (20, True), (49, True), (50, False)])
def test_a_single_moment_can_be_asked_for(moment: float, *, is_blind: bool) -> None:
    assert bool(of_cam(offline(20), online(50), start=moment, end=moment)) is is_blind


def test_still_gone_at_a_single_moment() -> None:
    assert of_cam(offline(20), start=60, end=60) == [("cam", 60, 60, "offline")]


def test_two_times() -> None:
    seen = (offline(10), online(20), offline(30), online(40))
    assert of_cam(*seen) == [("cam", 10, 20, "offline"), ("cam", 30, 40, "offline")]


def test_told_twice_that_it_is_gone_is_one_time() -> None:
    assert of_cam(offline(10), offline(15), online(20)) == [("cam", 10, 20, "offline")]


def test_blind_since_before_the_memory() -> None:
    assert of_cam(plan=site(cam=-9999)) == [("cam", 0, 100, "offline")]
    assert of_cam(online(30), plan=site(cam=-9999)) == [("cam", 0, 30, "offline")]


def test_gone_for_longer_than_a_day() -> None:
    assert of_cam(offline(-26 * 3600)) == [("cam", 0, 100, "offline")]


# ── silence is noticed afterwards ─────────────────────────────────────────────


def test_device_that_fell_silent_was_gone_before_anybody_noticed() -> None:
    # A heartbeat every thirty seconds: 2.25 of them were missed.
    assert of_cam(offline(90, cause="silence")) == [("cam", 22.5, 100, "offline")]


def test_its_last_word_shows_that_it_still_saw() -> None:
    face = told(60, "face.captured")
    assert of_cam(face, offline(90, cause="silence")) == [("cam", 60, 100, "offline")]
    later = told(95, "face.captured")
    assert of_cam(later, offline(90, cause="silence")) == [("cam", 22.5, 100, "offline")]


def test_it_cannot_be_gone_before_it_came() -> None:
    assert of_cam(online(50), offline(90, cause="silence")) == [("cam", 50, 100, "offline")]


def test_what_is_asked_later_is_answered_better() -> None:
    fell = offline(140, cause="silence")
    assert of_cam(fell) == []
    assert of_cam(fell, as_of=after(139)) == []
    assert of_cam(fell, as_of=after(140)) == [("cam", 72.5, 100, "offline")]


def test_nothing_after_the_moment_of_the_answer_is_looked_at() -> None:
    assert of_cam(offline(20), online(50), as_of=after(40)) == [("cam", 20, 100, "offline")]


# ── covered, tampered, lost ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "why"),
    [("video.occlusion", "occluded"), ("video.lost", "video_lost"), ("device.tamper", "tampered")],
)
def test_other_blindness_lasts_ten_minutes_after_the_last_word(kind: str, why: str) -> None:
    assert of_cam(told(10, kind), end=2000) == [("cam", 10, 610, why)]
    assert of_cam(told(10, kind), told(600, kind), end=2000) == [("cam", 10, 1200, why)]
    assert of_cam(told(10, kind), told(700, kind), end=2000) == [
        ("cam", 10, 610, why),
        ("cam", 700, 1300, why),
    ]


def test_word_of_its_end_is_believed() -> None:
    assert of_cam(told(10, "video.occlusion"), told(50, "video.occlusion", ended=True)) == [
        ("cam", 10, 50, "occluded")
    ]


def test_covered_and_then_gone_is_one_time_that_says_the_worse() -> None:
    seen = (told(10, "video.occlusion"), offline(30), online(60))
    assert of_cam(*seen) == [("cam", 10, 60, "offline")]


def test_covered_that_was_over_before_it_went_is_another_time() -> None:
    seen = (told(0, "video.occlusion"), offline(700), online(800))
    assert of_cam(*seen, end=900) == [("cam", 0, 600, "occluded"), ("cam", 700, 800, "offline")]


# ── places and zones ──────────────────────────────────────────────────────────


def test_lane_is_all_of_its_devices_by_name_and_time() -> None:
    memory = view(offline(20, "reader"), offline(10, "cam"))
    assert times(blind_at(memory, "gate-lane", T0, after(30))) == [
        ("cam", 10, 30, "offline"),
        ("reader", 20, 30, "offline"),
    ]
    assert blind_at(memory, "nowhere", T0, after(30)) == ()


def test_zone_says_its_share_and_when_nobody_saw() -> None:
    (gate,) = covered(
        view(offline(20), online(60), offline(40, "reader"), online(80, "reader")), ["gate"], T0, after(100)
    )
    assert gate.devices == ("cam", "reader")
    assert gate.share == pytest.approx(1 - 80 / 200)
    assert [((one - T0).total_seconds(), (other - T0).total_seconds()) for one, other in gate.dark] == [
        (40, 60)
    ]
    assert times(gate.blind) == [("cam", 20, 60, "offline"), ("reader", 40, 80, "offline")]


def test_zone_that_sees_all_the_time() -> None:
    (gate,) = covered(view(), ["gate"], T0, after(100))
    assert (gate.share, gate.blind, gate.dark) == (1.0, (), ())


def test_zone_in_which_nobody_looks_is_never_covered() -> None:
    (back,) = covered(view(), ["back"], T0, after(100))
    assert (back.devices, back.share, back.dark) == ((), 0.0, ((T0, after(100)),))


def test_rings_name_stands_for_its_zones() -> None:
    found = covered(view(offline(0, "plates")), "entrance", T0, after(100))
    assert [(one.zone, one.ring, one.share) for one in found] == [
        ("drive", "entrance", 0.0),
        ("gate", "entrance", 1.0),
    ]


def test_zone_at_one_moment() -> None:
    (gate,) = covered(view(offline(20)), ["gate"], after(50), after(50))
    assert (gate.share, gate.dark) == (0.5, ())
    (drive,) = covered(view(offline(20, "plates")), ["drive"], after(50), after(50))
    assert (drive.share, drive.dark) == (0.0, ((after(50), after(50)),))


# ── against a slow and simple one ─────────────────────────────────────────────

WORDS = ("device.offline", "device.online", "video.occlusion", "ended")


@st.composite
def words(draw: st.DrawFn) -> list[tuple[int, str]]:
    return sorted(
        draw(
            st.lists(
                st.tuples(st.integers(-900, 1500), st.sampled_from(WORDS)),
                max_size=8,
                unique_by=lambda w: w[0],
            )
        )
    )


def simply_blind(said: list[tuple[int, str]], moment: int) -> bool:
    """Whether it was blind at a second, by going through what was said until then."""
    gone, covered_until = False, -10_000
    for second, word in said:
        if second > moment:
            break
        if word in {"device.online", "ended"}:
            gone, covered_until = False, -10_000
        elif word == "device.offline":
            gone = True
        else:
            covered_until = second + 600
    return gone or moment < covered_until


@given(words(), st.integers(0, 300), st.integers(0, 1200))
def test_every_second_is_what_going_through_the_words_says(said: list, start: int, length: int) -> None:
    seen = [
        told(second, "video.occlusion", ended=True)
        if word == "ended"
        else told(second, word, cause="last_will")
        for second, word in said
    ]
    found = of_cam(*seen, start=start, end=start + length)
    for second in range(start, start + length):
        inside = any(since <= second < until for _, since, until, _ in found)
        assert inside is simply_blind(said, second), second
    # In order, apart from each other, and within the window.
    edges = [edge for _, since, until, _ in found for edge in (since, until)]
    assert edges == sorted(edges)
    assert all(start <= edge <= start + length for edge in edges)
    assert all(before[2] < after_[1] for before, after_ in itertools.pairwise(found))


@given(words(), st.permutations(range(8)))
def test_order_in_which_the_words_come_in_changes_nothing(said: list, order: list[int]) -> None:
    seen = [
        told(second, "video.lost" if word == "ended" else word, cause="last_will") for second, word in said
    ]
    shuffled = [seen[number] for number in order if number < len(seen)]
    assert of_cam(*shuffled, end=900) == of_cam(*seen, end=900)


@given(words(), words(), st.integers(1, 1200))
def test_share_of_a_zone_is_that_of_its_seconds(cam: list, reader: list, length: int) -> None:
    seen = [
        told(second, "video.occlusion", device, ended=True)
        if word == "ended"
        else told(second, word, device, "last_will")
        for device, said in (("cam", cam), ("reader", reader))
        for second, word in said
    ]
    (gate,) = covered(view(*seen), ["gate"], T0, after(length))
    lost = sum(simply_blind(said, second) for said in (cam, reader) for second in range(length))
    assert gate.share == pytest.approx(1 - lost / (2 * length))
    dark = sum((until - since).total_seconds() for since, until in gate.dark)
    assert dark == sum(simply_blind(cam, second) and simply_blind(reader, second) for second in range(length))
