"""R-B10: the door to a roof or an equipment room opened without a permit."""

import pytest
from residents import HOUR, lives, visits, works
from telling import EveryRule, amended, at, denied, door_opened, granted, offline, raised, seen, tell

STAFF = works("caretaker")
WORKER = visits("permit", "hall-9", "roof-9", kind="contractor")


class TestRestrictedDoor(EveryRule):
    rule = "R-B10"
    story = (at(0, door_opened("roof-9")), raised(5, severity=2))

    def test_equipment_room_counts_as_well(self) -> None:
        tell(self.rule, at(0, door_opened("pumps-9")), raised(5, severity=2))

    def test_forced_is_believed_at_once(self) -> None:
        tell(
            self.rule,
            at(-1, granted("roof-9", **STAFF)),
            at(0, seen("door.forced", "roof-9")),
            raised(0, severity=2),
        )

    def test_with_the_door_that_nothing_released_it_is_one_incident(self) -> None:
        told = tell(
            ("R-B10", "R-B05"),
            at(0, door_opened("roof-9")),
            raised(5, severity=2, rule="R-B10"),
            amended(6, severity=2, rule="R-B10"),
        )
        assert {signal.rule for signal in told.cases[0].signals} == {"R-B10", "R-B05"}

    @pytest.mark.parametrize(
        "before",
        [
            pytest.param(granted("roof-9", **lives("li", "hall-9")), id="resident_whose_card_opens_it"),
            pytest.param(granted("roof-9"), id="card_of_nobody"),
            pytest.param(granted("roof-9", **visits("p", "roof-9")), id="visitor"),
            pytest.param(denied("roof-9", **STAFF), id="refused"),
            pytest.param(granted("hall-9", **STAFF), id="another_door"),
        ],
    )
    def test_raises_although_a_card_was_shown(self, before) -> None:
        tell(self.rule, at(-5, before), at(0, door_opened("roof-9")), raised(5, severity=2))

    def test_button_beside_the_door_is_no_permit(self) -> None:
        tell(self.rule, at(0, door_opened("roof-9", cause="exit_button")), raised(5, severity=2))

    def test_household_that_answers_its_intercom_lets_nobody_onto_the_roof(self) -> None:
        tell(self.rule, at(0, door_opened("roof-9", cause="intercom")), raised(5, severity=2))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(-5, granted("roof-9", **STAFF)), at(0, door_opened("roof-9"))], id="staff"),
            pytest.param(
                [at(-5, granted("roof-9", **WORKER)), at(0, door_opened("roof-9"))], id="contractor"
            ),
            pytest.param(
                [at(0, door_opened("roof-9")), at(-2, granted("roof-9", **STAFF), arrives=3)],
                id="card_comes_in_later",
            ),
            pytest.param(
                [at(0, granted("roof-9", **STAFF)), at(2 * HOUR, door_opened("roof-9", cause="exit_button"))],
                id="caretaker_comes_down_again",
            ),
            pytest.param([at(0, door_opened("roof-9", cause="fire_release"))], id="fire"),
            pytest.param(
                [at(-600, seen("alarm.smoke", "hall-9", cause="fire_release")), at(0, door_opened("roof-9"))],
                id="fire_in_the_house",
            ),
            pytest.param([at(0, door_opened("roof-9", cause="remote_open"))], id="control_room"),
            pytest.param([at(0, door_opened("roof-9", cause="manual_open"))], id="guards_key"),
            pytest.param([at(0, door_opened("roof-9", cause="schedule"))], id="schedule"),
            pytest.param([at(0, door_opened("hall-9"))], id="ordinary_door"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_fire_elsewhere_opens_no_roof_here(self) -> None:
        tell(
            self.rule,
            at(-600, seen("alarm.smoke", "hall-3", cause="fire_release")),
            at(0, door_opened("roof-9")),
            raised(5, severity=2),
        )

    @pytest.mark.parametrize(
        ("window", "card", "speaks"), [(30, -30, False), (30, -31, True), (31, -31, False)]
    )
    def test_boundary_of_the_window(self, window: int, card: int, *, speaks: bool) -> None:
        tell(
            self.rule,
            at(card, granted("roof-9", **STAFF)),
            at(0, door_opened("roof-9")),
            *([raised(5, severity=2)] if speaks else []),
            values={"window_s": window},
        )

    @pytest.mark.parametrize(
        ("stay", "later", "speaks"), [(600, 600, False), (600, 601, True), (601, 601, False)]
    )
    def test_boundary_of_the_stay(self, stay: int, later: int, *, speaks: bool) -> None:
        tell(
            self.rule,
            at(0, granted("roof-9", **STAFF)),
            at(later, door_opened("roof-9", cause="exit_button")),
            *([raised(later + 5, severity=2)] if speaks else []),
            values={"stay_s": stay},
        )

    def test_blind_reader_may_have_let_the_caretaker_in(self) -> None:
        tell(self.rule, at(-60, offline("roof-9-reader", "roof-9")), at(0, door_opened("roof-9")))

    def test_blind_camera_excuses_nothing(self) -> None:
        tell(
            self.rule,
            at(-60, offline("roof-9-camera", "roof-9")),
            at(0, door_opened("roof-9")),
            raised(5, severity=2),
        )
