"""R-E13: a vehicle stands at a barrier and goes neither way, or turned back before it."""

import pytest
from telling import EveryRule, amended, at, barrier_opened, cleared, offline, plate, raised, seen, tell


def stranded(**facts: object):
    return seen("vehicle.stranded", "drive", device="drive-plate", **({"plate": "云M12345"} | facts))


def over():
    return stranded(attributes={"ended": True})


def turned_back():
    return seen("vehicle.turned_back", "drive", device="drive-plate")


class TestVehicleStranded(EveryRule):
    rule = "R-E13"
    story = (at(0, stranded()), at(200, over()), raised(65, severity=4), cleared(205, severity=4))

    def test_says_where(self) -> None:
        told = tell(self.rule, *self.story)
        assert told.only.reason_args == {"lane": "drive", "stranded_s": 60}
        assert (told.only.subject_kind, told.only.subject) == ("plate", "云M12345")

    @pytest.mark.parametrize(
        "end",
        [
            pytest.param(over(), id="the_lane_says_so"),
            pytest.param(barrier_opened(), id="barrier_opened"),
            pytest.param(plate("云M54321"), id="another_plate_stands_there"),
        ],
    )
    def test_silent_where_it_went_on_in_time(self, end) -> None:
        tell(self.rule, at(0, stranded()), at(50, end))

    def test_its_own_plate_read_again_is_no_end(self) -> None:
        tell(self.rule, at(0, stranded()), at(50, plate("云M12345")), raised(65, severity=4))

    @pytest.mark.parametrize(
        ("stranded_s", "end", "speaks"), [(60, 60, False), (60, 61, True), (61, 61, False)]
    )
    def test_boundary_of_the_time(self, stranded_s: int, end: int, *, speaks: bool) -> None:
        changes = [raised(stranded_s + 5, severity=4), cleared(end + 5, severity=4)] if speaks else []
        tell(self.rule, at(0, stranded()), at(end, over()), *changes, values={"stranded_s": stranded_s})

    def test_time_it_had_stood_already_counts(self) -> None:
        tell(self.rule, at(0, stranded(attributes={"dwell_s": 45})), raised(20, severity=4))

    def test_told_again_and_again_it_is_one_incident(self) -> None:
        tell(
            self.rule,
            at(0, stranded()),
            at(30, stranded()),
            at(200, over()),
            raised(65, severity=4),
            amended(95, severity=4),
            cleared(205, severity=4),
        )

    def test_next_vehicle_is_another_incident(self) -> None:
        tell(
            self.rule,
            *self.story,
            at(300, stranded()),
            raised(365, severity=4),
        )

    def test_end_elsewhere_ends_nothing(self) -> None:
        elsewhere = seen(
            "vehicle.stranded", "far-drive", device="far-drive-plate", attributes={"ended": True}
        )
        tell(self.rule, at(0, stranded()), at(10, elsewhere), raised(65, severity=4))

    def test_turning_back_ends_it_and_is_a_notice_of_its_own(self) -> None:
        told = tell(
            self.rule,
            at(0, stranded()),
            at(100, turned_back()),
            raised(65, severity=4),
            cleared(105, severity=4),
            raised(105, severity=4),
        )
        assert [case.first.reason for case in told.cases] == ["vehicle_stranded", "vehicle_turned_back"]

    @pytest.mark.parametrize(("least", "speaks"), [(2, True), (3, False)])
    def test_boundary_of_how_many_turn_back(self, least: int, *, speaks: bool) -> None:
        changes = [raised(305, severity=4)] if speaks else []
        tell(
            self.rule,
            at(0, turned_back()),
            at(300, turned_back()),
            *changes,
            values={"turned_back": least},
        )

    def test_turned_back_late_is_history(self) -> None:
        tell(self.rule, at(0, turned_back(), late=True))

    def test_blind_camera_cannot_have_said_that_it_is_over(self) -> None:
        tell(self.rule, at(0, stranded()), at(20, offline("drive-plate", "drive")))

    def test_blind_reader_beside_it_changes_nothing(self) -> None:
        tell(self.rule, at(-5, offline("drive-reader", "drive")), *self.story)
