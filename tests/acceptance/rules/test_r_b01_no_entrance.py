"""R-B01: in a building, and no entrance has seen them come."""

import datetime as dt

import pytest
from residents import DAY, HOUR, lives, visits, works
from telling import (
    MORNING,
    EveryRule,
    amended,
    at,
    crossing,
    denied,
    face_of,
    face_unknown,
    granted,
    offline,
    online,
    plate,
    raised,
    seen,
    tell,
)

from alerts.rules import VehicleFacts

MEI = lives("mei", "hall-9")
GUEST = visits("pass-1", "gate", "hall-9")


class TestNoEntrance(EveryRule):
    rule = "R-B01"
    story = (at(0, granted("hall-9", **GUEST)), raised(5, severity=3))

    def test_of_a_resident_who_went_out_it_is_a_gap_in_the_data(self) -> None:
        told = tell(
            self.rule,
            at(0, granted("gate", direction="out", **MEI)),
            at(4 * HOUR, granted("hall-9", **MEI)),
            raised(4 * HOUR + 5, severity=4),
        )
        assert told.only.reason == "no_entrance_since"
        assert [one.zone for one in told.only.evidence] == ["gate", "hall-9"]
        assert not told.only.needs_comparison

    def test_stranger_who_is_known_again_is_a_warning_that_a_person_compares(self) -> None:
        told = tell(self.rule, at(0, face_unknown("hall-9", token="t-1")), raised(5, severity=3))
        assert told.only.needs_comparison

    def test_card_is_what_it_is_and_a_face_is_compared(self) -> None:
        told = tell(self.rule, at(0, face_of("guest", "hall-9")), raised(5, severity=3))
        assert told.only.needs_comparison

    def test_somebody_who_came_over_the_fence_was_in_the_common_area_and_nowhere_before(self) -> None:
        told = tell(
            self.rule,
            at(0, face_unknown("bike-shed", token="t-1")),
            at(120, face_unknown("hall-9", token="t-1")),
            raised(125, severity=3),
        )
        assert [one.zone for one in told.only.evidence] == ["bike-shed", "hall-9"]

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param(
                [at(-60, granted("gate", **GUEST)), at(0, granted("hall-9", **GUEST))], id="came_in"
            ),
            pytest.param(
                [at(-60, seen("visitor.checked_in", "gate", **GUEST)), at(0, granted("hall-9", **GUEST))],
                id="guard_checked_in",
            ),
            pytest.param(
                [at(-60, denied("gate", **GUEST)), at(0, granted("hall-9", **GUEST))], id="refused_is_seen"
            ),
            pytest.param([at(0, granted("hall-9", direction="out", **GUEST))], id="goes_out"),
            pytest.param([at(0, granted("hall-9", **MEI))], id="resident_who_never_went_out"),
            pytest.param([at(0, granted("hall-9", **works("guard-1")))], id="nobody_saw_the_guard_leave"),
            pytest.param([at(0, face_unknown("hall-9"))], id="nobody_knows_who"),
            pytest.param([at(0, face_unknown("square", token="t-1"))], id="common_area"),
            pytest.param(
                [
                    at(-9 * HOUR, granted("gate", direction="out", **MEI)),
                    at(-60, granted("gate", **MEI)),
                    at(0, granted("hall-9", **MEI)),
                ],
                id="came_back",
            ),
            pytest.param(
                [
                    at(-9 * HOUR, granted("gate", direction="out", **MEI)),
                    at(-60, plate("云M12345", vehicle=VehicleFacts("v-1", household_id="family-mei"))),
                    at(0, granted("hall-9", **MEI)),
                ],
                id="in_the_family_car",
            ),
            pytest.param(
                [
                    at(-9 * HOUR, granted("gate", direction="out", **MEI)),
                    at(-60, granted("gate", **(lives("li", "hall-9") | {"household_id": "family-mei"}))),
                    at(0, granted("hall-9", **MEI)),
                ],
                id="behind_somebody_of_the_family",
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps, begins=MORNING)

    def test_family_that_came_in_hours_ago_explains_nothing(self) -> None:
        tell(
            self.rule,
            at(0, granted("gate", direction="out", **MEI)),
            at(HOUR, plate("云M12345", vehicle=VehicleFacts("v-1", household_id="family-mei"))),
            at(2 * HOUR + 1, granted("hall-9", **MEI)),
            raised(2 * HOUR + 6, severity=4),
        )

    def test_family_that_came_in_before_they_left_explains_nothing(self) -> None:
        tell(
            self.rule,
            at(0, plate("云M12345", vehicle=VehicleFacts("v-1", household_id="family-mei"))),
            at(HOUR, granted("gate", direction="out", **MEI)),
            at(2 * HOUR, granted("hall-9", **MEI)),
            raised(2 * HOUR + 5, severity=4),
        )

    def test_visitor_whose_pass_began_before_the_memory_may_have_stayed(self) -> None:
        long = visits("pass-1", "hall-9", starts_at=MORNING - dt.timedelta(days=4), uses=1)
        tell(self.rule, at(0, granted("hall-9", **long)))
        unused = visits("pass-1", "hall-9", starts_at=MORNING - dt.timedelta(days=4), uses=0)
        tell(self.rule, at(0, granted("hall-9", **unused)), raised(5, severity=3))

    def test_visitor_who_was_in_before_the_window_and_never_left_is_in_still(self) -> None:
        tell(
            self.rule,
            at(0, granted("gate", **GUEST)),
            at(25 * HOUR, granted("hall-9", **GUEST)),
        )

    def test_is_said_once_a_stay(self) -> None:
        tell(
            self.rule,
            at(0, granted("hall-9", **GUEST)),
            at(600, granted("hall-9", direction="out", **GUEST)),
            at(1200, granted("hall-9", **GUEST)),
            raised(5, severity=3),
        )

    def test_second_stay_after_leaving_is_another_question_of_the_same_incident(self) -> None:
        told = tell(
            self.rule,
            at(0, granted("hall-9", **GUEST)),
            at(600, granted("gate", direction="out", **GUEST)),
            at(1200, crossing("hall-9", **GUEST)),
            raised(5, severity=3),
            amended(1205, severity=3),
        )
        assert len(told.cases) == 1

    @pytest.mark.parametrize(
        ("hours", "later_s", "speaks"), [(2, 7200, False), (2, 7201, True), (3, 7201, False)]
    )
    def test_boundary_of_the_window(self, hours: int, later_s: int, *, speaks: bool) -> None:
        # Refused at the gate: seen there, but not let in.
        story = [at(0, denied("gate", **GUEST)), at(later_s, granted("hall-9", **GUEST))]
        if speaks:
            story.append(raised(later_s + 5, severity=3))
        tell(self.rule, *story, values={"window_h": hours})

    @pytest.mark.parametrize("gate", ["gate", "side-gate", "far-drive"])
    def test_blind_entrance_may_have_seen_them_come(self, gate: str) -> None:
        tell(
            self.rule,
            at(-HOUR, offline(f"{gate}-camera", gate)),
            at(-HOUR + 60, online(f"{gate}-camera", gate)),
            at(0, granted("hall-9", **GUEST)),
        )

    def test_entrance_that_was_blind_before_they_left_excuses_nothing(self) -> None:
        tell(
            self.rule,
            at(0, offline("gate-camera", "gate")),
            at(60, online("gate-camera", "gate")),
            at(61, granted("gate", direction="out", **MEI)),
            at(600, granted("hall-9", **MEI)),
            raised(605, severity=4),
        )

    def test_camera_of_the_common_area_that_was_blind_is_named(self) -> None:
        told = tell(
            self.rule,
            at(-60, offline("square-camera", "square")),
            at(0, granted("hall-9", **GUEST)),
            raised(5, severity=3),
        )
        assert [(one.device, one.why) for one in told.only.blind] == [("square-camera", "offline")]

    def test_window_is_a_day(self) -> None:
        told = tell(self.rule, *self.story)
        assert told.only.window == (told.only.anchor.at - dt.timedelta(seconds=DAY), told.only.anchor.at)
