"""R-C05: something stands where the fire engines have to pass."""

import datetime as dt

import pytest
from telling import (
    MORNING,
    EveryRule,
    amended,
    at,
    cleared,
    offline,
    online,
    plate,
    raised,
    rules_named,
    run,
    seen,
    tell,
)

from alerts.rules import Engine, Observation, Signal, VehicleFacts

LANE = "R-C05"
VAN = VehicleFacts("car-van", "h-77")


def blocked(device: str | None = None, **facts: object):
    attributes = facts.pop("attributes", {})
    return seen("video.fire_lane_blocked", "fire-lane", device=device, attributes=attributes, **facts)


def free(device: str | None = None):
    return blocked(device, attributes={"ended": True})


class TestFireLane(EveryRule):
    rule = LANE
    story = (
        at(0, blocked(plate="云M5V021", vehicle=VAN, vehicle_id=VAN.id)),
        raised(305, severity=3),
        amended(905, severity=2),
        at(1300, free()),
        cleared(1305, severity=2),
    )

    def test_the_owner_is_told_first_where_the_plate_is_known(self) -> None:
        told = tell(LANE, *self.story)
        assert told.only.reason == "fire_lane_blocked_owner_first"
        assert told.only.reason_args == {"minutes": 5, "owner_first": True, "plate": "云M5V021"}

    def test_a_plate_that_only_the_camera_told_is_known_too(self) -> None:
        told = tell(
            LANE, at(0, blocked(attributes={"plate": "云M5V021"})), at(400, free()),
            raised(305, severity=3), cleared(405, severity=3),
        )  # fmt: skip
        assert told.only.reason_args == {"minutes": 5, "owner_first": True, "plate": "云M5V021"}
        assert (told.only.subject_kind, told.only.subject) == ("plate", "云M5V021")

    @pytest.mark.parametrize("facts", [{"vehicle": VAN}, {"vehicle_id": VAN.id}])
    def test_a_vehicle_that_is_known_without_its_plate(self, facts: dict) -> None:
        told = tell(LANE, at(0, blocked(**facts)), raised(305, severity=3), amended(905, severity=2))
        assert told.only.reason_args == {"minutes": 5, "owner_first": True}
        assert (told.only.subject_kind, told.only.subject) == (None, None)

    @pytest.mark.parametrize("told", ["", 17, None])
    def test_what_is_no_plate(self, told: object) -> None:
        story = (
            at(0, blocked(attributes={"plate": told})),
            raised(305, severity=3),
            amended(905, severity=2),
        )
        assert tell(LANE, *story).only.reason_args["owner_first"] is False

    def test_a_second_stop_is_measured_from_its_own_beginning(self) -> None:
        told = tell(
            LANE,
            at(0, blocked()),
            at(200, free()),
            at(201, blocked()),
            raised(506, severity=3),
            amended(1106, severity=2),
        )
        assert [one.type for one in told.only.evidence] == ["video.fire_lane_blocked"]

    def test_without_a_plate_nobody_can_be_called(self) -> None:
        told = tell(LANE, at(0, blocked()), raised(305, severity=3), amended(905, severity=2))
        assert told.only.reason == "fire_lane_blocked"
        assert told.only.reason_args == {"minutes": 5, "owner_first": False}

    def test_a_camera_that_repeats_itself_says_one_thing(self) -> None:
        told = tell(
            LANE,
            *[at(minute * 60, blocked()) for minute in range(20)],
            raised(305, severity=3),
            amended(905, severity=2),
        )
        assert len(told.cases[0].signals) == 2

    def test_a_camera_that_says_for_how_long(self) -> None:
        tell(
            LANE,
            at(0, blocked(attributes={"dwell_s": 240})),
            raised(65, severity=3),
            amended(665, severity=2),
        )

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, blocked()), at(200, free())], id="unloaded_and_gone"),
            pytest.param(
                [at(0, blocked()), at(200, free()), at(201, blocked()), at(450, free())], id="two_short_stops"
            ),
            pytest.param([at(0, blocked()), at(298, free(), arrives=303)], id="told_a_little_late"),
            pytest.param(
                [at(0, blocked(plate="云M5V021")), at(250, plate("云M5V021", "drive", "out"))], id="drove_out"
            ),
            pytest.param([at(0, free())], id="only_an_end"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(LANE, *steps)

    @pytest.mark.parametrize(
        ("ends", "minutes", "speaks"), [(299, 5, False), (300, 5, True), (300, 6, False)]
    )
    def test_boundary_of_the_first_stage(self, ends: int, minutes: int, *, speaks: bool) -> None:
        told = [raised(305, severity=3), cleared(ends + 5, severity=3)] if speaks else []
        tell(LANE, at(0, blocked()), at(ends, free()), *told, values={"blocked_min": minutes})

    @pytest.mark.parametrize(
        ("ends", "minutes", "climbs"), [(899, 15, False), (900, 15, True), (900, 16, False)]
    )
    def test_boundary_of_the_second_stage(self, ends: int, minutes: int, *, climbs: bool) -> None:
        told = (
            [amended(905, severity=2), cleared(905, severity=2)]
            if climbs
            else [cleared(ends + 5, severity=3)]
        )
        tell(
            LANE,
            at(0, blocked()),
            at(ends, free()),
            raised(305, severity=3),
            *told,
            values={"unresolved_min": minutes},
        )

    def test_another_camera_ends_nothing(self) -> None:
        tell(
            LANE, at(0, blocked()), at(100, free("fire-lane-face")),
            raised(305, severity=3), amended(905, severity=2),
        )  # fmt: skip

    def test_the_vehicle_seen_elsewhere_has_left_the_lane(self) -> None:
        tell(
            LANE,
            at(0, blocked(plate="云M5V021")),
            at(100, plate("云M5V021", "fire-lane", None)),
            at(350, plate("云M5V021", "fire-lane", None)),
            at(400, plate("云M9Z999", "drive", "out")),
            at(600, plate("云M5V021", "drive", "out")),
            raised(305, severity=3),
            cleared(605, severity=3),
        )

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(-5, plate("云M5V021", "drive", "in"))], id="on_its_way_there"),
            pytest.param(
                [at(200, plate("云M5V021", "drive", "out")), at(250, blocked(plate="云M5V021"))],
                id="back_again",
            ),
            pytest.param(
                [at(200, seen("parking.overstay", "garage", plate="云M5V021"))], id="no_camera_has_read_it"
            ),
        ],
    )
    def test_not_seen_elsewhere_since(self, steps: list) -> None:
        tell(
            LANE, at(0, blocked(plate="云M5V021")), *steps,
            raised(305, severity=3), amended(905, severity=2),
        )  # fmt: skip

    def test_what_somebody_has_closed_does_not_become_urgent(self) -> None:
        engine = Engine(rules_named(LANE))
        for device in ("cam-1", "cam-2"):
            report = Observation(
                device, "video.fire_lane_blocked", MORNING, MORNING, device, "fire-lane", "common"
            )
            assert engine.feed(report) == []
        first, _ = engine.advance(MORNING + dt.timedelta(minutes=6))
        assert isinstance(first, Signal)
        engine.settle(first.dedupe_key, MORNING + dt.timedelta(minutes=7))
        [urgent] = engine.advance(MORNING + dt.timedelta(minutes=30))
        assert isinstance(urgent, Signal)
        assert urgent.anchor.device != first.anchor.device

    def test_blind_camera_is_no_proof_that_the_lane_is_still_blocked(self) -> None:
        tell(LANE, at(0, blocked()), at(120, offline("fire-lane-camera", "fire-lane")))

    def test_what_is_seen_after_the_camera_came_back_begins_anew(self) -> None:
        tell(
            LANE,
            at(0, blocked()),
            at(120, offline("fire-lane-camera", "fire-lane")),
            at(600, online("fire-lane-camera", "fire-lane")),
            at(660, blocked()),
            raised(965, severity=3),
            amended(1565, severity=2),
        )

    def test_blind_neighbours_change_nothing(self) -> None:
        told = run(rules_named(LANE), [at(0, blocked()), at(1, offline("fire-lane-face", "fire-lane"))])
        assert [change.severity for change in told.changes] == [3, 2]
