"""R-E06: a second vehicle went through on the opening that was for the one before it."""

import pytest
from telling import (
    NIGHT,
    EveryRule,
    Happens,
    Seen,
    amended,
    at,
    barrier_closed,
    barrier_opened,
    offline,
    plate,
    raised,
    seen,
    tell,
)

FIRST = "云M11111"
SECOND = "云M7K2P5"


def resident(text: str = FIRST) -> Seen:
    return plate(text, vehicle_id="car-1")


class TestVehicleTailgating(EveryRule):
    rule = "R-E06"
    story = (
        at(0, resident()),
        at(1, barrier_opened()),
        at(5, plate(SECOND)),
        at(11, barrier_closed()),
        raised(14, severity=3),
    )

    def test_by_night_it_is_no_graver(self) -> None:
        tell(self.rule, *self.story, begins=NIGHT)

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param(
                [at(0, resident()), at(1, barrier_opened()), at(5, plate(SECOND))], id="never_closes"
            ),
            pytest.param(
                [at(-2, barrier_opened()), at(0, resident()), at(5, plate(SECOND))],
                id="picture_that_came_late",
            ),
            pytest.param(
                [
                    at(0, resident()),
                    at(1, barrier_opened()),
                    at(1.8, barrier_opened(cause="remote_open")),
                    at(5, plate(SECOND)),
                ],
                id="opening_is_told_by_command_and_by_limit_switch",
            ),
            pytest.param(
                [at(0, resident()), at(1, barrier_opened(cause="remote_open")), at(5, plate(SECOND))],
                id="terminal_calls_its_own_opening_remote",
            ),
            pytest.param(
                [
                    at(-8, barrier_closed()),
                    at(0, plate("云M22222")),
                    at(1, barrier_opened()),
                    at(5, plate(SECOND)),
                ],
                id="first_one_was_let_in_by_the_guard",
            ),
        ],
    )
    def test_raises(self, steps: list) -> None:
        tell(self.rule, *steps, raised(14, severity=3))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, resident()), at(1, barrier_opened())], id="one_vehicle"),
            pytest.param(
                [at(0, resident()), at(1, barrier_opened()), at(5, plate("云M22222", vehicle_id="car-2"))],
                id="second_may_enter_as_well",
            ),
            pytest.param(
                [at(0, resident()), at(1, barrier_opened()), at(5, plate(SECOND, plate_welcome=True))],
                id="second_is_expected",
            ),
            pytest.param(
                [at(0, resident()), at(1, barrier_opened()), at(5, plate(SECOND)), at(6, barrier_opened())],
                id="second_open_command",
            ),
            pytest.param(
                [
                    at(0, resident()),
                    at(1, barrier_opened()),
                    at(5, plate(SECOND)),
                    at(8.9, barrier_opened(), arrives=13.8),
                ],
                id="second_open_command_that_is_told_late",
            ),
            pytest.param(
                [at(0, resident()), at(1, barrier_opened()), at(5, plate(SECOND)), at(7, barrier_closed())],
                id="waits_before_the_barrier",
            ),
            pytest.param(
                [at(0, resident()), at(1, barrier_opened()), at(4, barrier_closed()), at(5, plate(SECOND))],
                id="came_when_it_was_down_again",
            ),
            pytest.param(
                [
                    at(0, resident()),
                    at(1, barrier_opened()),
                    at(5, plate(SECOND)),
                    at(8, seen("vehicle.turned_back", "drive")),
                ],
                id="turned_back",
            ),
            pytest.param([at(0, resident()), at(5, plate(SECOND))], id="barrier_stayed_shut"),
            pytest.param(
                [at(0, barrier_opened(cause="schedule")), at(1800, resident()), at(1804, plate(SECOND))],
                id="stands_open_on_schedule",
            ),
            pytest.param(
                [at(0, resident()), at(1, barrier_opened(cause="schedule")), at(5, plate(SECOND))],
                id="schedule_begins_just_then",
            ),
            pytest.param(
                [at(0, plate("云M22222")), at(1, barrier_opened(cause="manual_open")), at(5, plate(SECOND))],
                id="guard_opens_by_hand_and_looks_on",
            ),
            pytest.param(
                [at(0, plate(SECOND)), at(1, barrier_opened()), at(2, plate(SECOND)), at(5, plate(SECOND))],
                id="plate_that_is_read_again",
            ),
            pytest.param(
                [at(0, plate(SECOND)), at(1, barrier_opened()), at(2.5, plate("云M7K2P6"))],
                id="plate_that_is_misread_the_second_time",
            ),
            pytest.param(
                [at(0, resident()), at(1, barrier_opened()), at(2.5, plate("云M11117"))],
                id="residents_plate_that_is_misread_the_second_time",
            ),
            pytest.param(
                [
                    at(0, resident("云M22222")),
                    at(1, barrier_opened()),
                    at(5, plate("云M11117")),
                    at(6, resident()),
                ],
                id="second_residents_plate_misread_the_first_time",
            ),
            pytest.param(
                [at(0, resident()), at(1, barrier_opened()), at(5, plate(SECOND, direction="out"))],
                id="drives_out_meanwhile",
            ),
            pytest.param(
                [at(0, resident()), at(1, barrier_opened()), at(5, plate(SECOND, "far-drive"))],
                id="at_another_barrier",
            ),
            pytest.param(
                [
                    at(0, resident()),
                    at(1, barrier_opened()),
                    at(5, seen("plate.uncertain", "drive", direction="in", plate=SECOND)),
                ],
                id="reading_nobody_is_sure_of",
            ),
            pytest.param(
                [
                    at(0, resident()),
                    at(1, barrier_opened()),
                    at(5, seen("plate.none", "drive", direction="in")),
                ],
                id="camera_triggered_without_a_plate",
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_one_vehicle_is_one_incident_of_one_rule(self) -> None:
        """Who follows through is this rule's; whom the barrier opens for, and nobody knows, R-E04's."""
        both = ("R-E06", "R-E04")
        tell(both, *self.story)
        own = [at(0, resident()), at(1, barrier_opened()), at(5, plate(SECOND)), at(6, barrier_opened())]
        tell(both, *own, raised(70, severity=4, rule="R-E04"))

    def test_third_vehicle_within_a_minute_is_the_same_incident(self) -> None:
        tell(
            self.rule,
            at(0, resident()),
            at(1, barrier_opened()),
            at(5, plate(SECOND)),
            at(10, plate("云M33333")),
            raised(14, severity=3),
            amended(19, severity=3),
        )

    @pytest.mark.parametrize(
        ("gap_s", "second", "speaks"), [(8, 7, True), (8, 8, False), (9, 8, True), (7, 7, False)]
    )
    def test_boundary_of_the_gap(self, gap_s: int, second: int, *, speaks: bool) -> None:
        story = [at(0, resident()), at(1, barrier_opened()), at(second, plate(SECOND))]
        said = [raised(second + 9, severity=3)] if speaks else []
        tell(self.rule, *story, *said, values={"gap_s": gap_s})

    @pytest.mark.parametrize(
        ("through_s", "closed", "speaks"), [(4, 9, False), (4, 10, True), (5, 10, False), (3, 9, True)]
    )
    def test_boundary_of_the_way_through(self, through_s: int, closed: int, *, speaks: bool) -> None:
        story = [
            at(0, resident()),
            at(1, barrier_opened()),
            at(5, plate(SECOND)),
            at(closed, barrier_closed()),
        ]
        said = [raised(5 + through_s + 5, severity=3)] if speaks else []
        tell(self.rule, *story, *said, values={"through_s": through_s})

    def test_blind_barrier_may_have_opened_a_second_time(self) -> None:
        steps = [step for step in self.story if isinstance(step, Happens)]
        tell(self.rule, *steps, at(4, offline("drive-barrier", "drive")))
        tell(self.rule, *self.story, at(4, offline("drive-camera", "drive")))

    def test_what_it_stands_on(self) -> None:
        signal = tell(self.rule, *self.story).only
        assert (signal.kind, signal.subject_kind, signal.subject) == ("vehicle.tailgating", "plate", SECOND)
        assert [one.type for one in signal.evidence] == [
            "plate.recognised",
            "barrier.opened",
            "plate.recognised",
        ]
        assert signal.reason_args["first"] == FIRST
