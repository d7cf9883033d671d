"""R-B06: a building's door stands open; it clears as soon as it is shut."""

import datetime as dt

import pytest
from telling import (
    EveryRule,
    amended,
    at,
    cleared,
    door_closed,
    door_opened,
    offline,
    online,
    raised,
    seen,
    tell,
)

from alerts.rules import Entry, Hours, RuleBook

HELD = seen("door.held_open", "hall-9")


class TestHeldOpen(EveryRule):
    rule = "R-B06"
    story = (
        at(0, door_opened("hall-9")),
        at(400, door_closed("hall-9")),
        raised(65, severity=4),
        amended(305, severity=3),
        cleared(405, severity=3),
    )

    def test_notice_that_is_heeded_is_over(self) -> None:
        tell(
            self.rule,
            at(0, door_opened("hall-9")),
            at(120, door_closed("hall-9")),
            raised(65, severity=4),
            cleared(125, severity=4),
        )

    def test_shut_while_the_answer_was_waited_for_it_is_said_and_over(self) -> None:
        tell(
            self.rule,
            at(0, door_opened("hall-9")),
            at(62, door_closed("hall-9")),
            raised(65, severity=4),
            cleared(67, severity=4),
        )

    def test_door_that_tells_it_itself_is_believed(self) -> None:
        told = tell(
            self.rule,
            at(0, HELD),
            at(300, door_closed("hall-9")),
            raised(5, severity=4),
            amended(245, severity=3),
            cleared(305, severity=3),
        )
        assert told.cases[0].signals[0].reason_args == {"seconds": 60}

    def test_door_that_tells_its_end_itself(self) -> None:
        tell(
            self.rule,
            at(0, HELD),
            at(30, seen("door.held_open", "hall-9", attributes={"ended": True})),
            raised(5, severity=4),
            cleared(35, severity=4),
        )

    def test_door_that_says_open_again_and_again_is_open_since_the_first_time(self) -> None:
        tell(
            self.rule,
            *(at(n, door_opened("hall-9")) for n in (0, 20, 40, 60)),
            raised(65, severity=4),
            amended(305, severity=3),
        )

    def test_opened_again_after_it_was_shut_is_a_new_time(self) -> None:
        tell(
            self.rule,
            at(0, door_opened("hall-9")),
            at(40, door_closed("hall-9")),
            at(50, door_opened("hall-9")),
            at(100, door_closed("hall-9")),
        )

    def test_shut_and_opened_in_the_same_second_is_open(self) -> None:
        tell(
            self.rule,
            at(0, door_closed("hall-9"), name="a"),
            at(0, door_opened("hall-9"), name="b"),
            raised(65, severity=4),
            amended(305, severity=3),
        )

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, door_opened("hall-9")), at(30, door_closed("hall-9"))], id="shut"),
            pytest.param([at(0, door_opened("hall-9", cause="schedule"))], id="by_schedule"),
            pytest.param([at(0, door_opened("hall-9", cause="fire_release"))], id="fire"),
            pytest.param(
                [at(0, door_opened("hall-9")), at(30, seen("alarm.smoke", "hall-9", cause="fire_release"))],
                id="fire_while_it_is_open",
            ),
            pytest.param([at(0, door_opened("gate"))], id="no_building"),
            pytest.param([at(0, door_closed("hall-9"))], id="only_shut"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_other_door_that_shuts_is_another(self) -> None:
        tell(
            self.rule,
            at(0, door_opened("hall-9")),
            at(30, door_closed("hall-9", device="hall-9-back-door")),
            raised(65, severity=4),
            amended(305, severity=3),
        )

    @pytest.mark.parametrize(
        ("held", "shut", "speaks"), [(60, 60, False), (60, 61, True), (61, 61, False), (59, 60, True)]
    )
    def test_boundary_of_the_minute(self, held: int, shut: int, *, speaks: bool) -> None:
        changes = [raised(held + 5, severity=4), cleared(shut + 5, severity=4)] if speaks else []
        tell(
            self.rule,
            at(0, door_opened("hall-9")),
            at(shut, door_closed("hall-9")),
            *changes,
            values={"held_s": held},
        )

    @pytest.mark.parametrize(
        ("longer", "shut", "graver"), [(240, 300, False), (240, 301, True), (241, 301, False)]
    )
    def test_boundary_of_the_five_minutes(self, longer: int, shut: int, *, graver: bool) -> None:
        changes = [amended(60 + longer + 5, severity=3)] if graver else []
        tell(
            self.rule,
            at(0, door_opened("hall-9")),
            at(shut, door_closed("hall-9")),
            raised(65, severity=4),
            *changes,
            cleared(shut + 5, severity=3 if graver else 4),
            values={"longer_s": longer},
        )

    def test_moving_in_may_take_half_an_hour(self) -> None:
        moving = Hours(
            "moving in",
            frozenset({0}),
            dt.time(9),
            dt.time(12),
            frozenset({"hall-9"}),
            values={"held_s": 1800},
        )
        book = RuleBook(entries={"R-B06": Entry(hours=(moving,))})
        tell(
            self.rule,
            at(0, door_opened("hall-9")),
            at(1700, door_closed("hall-9")),
            at(1701, door_opened("hall-3")),
            at(1790, door_closed("hall-3")),
            raised(1766, severity=4),
            cleared(1795, severity=4),
            book=book,
        )
        tell(
            self.rule,
            at(0, door_opened("hall-9")),
            at(1850, door_closed("hall-9")),
            raised(1805, severity=4),
            cleared(1855, severity=4),
            book=book,
        )

    def test_blind_contact_may_have_been_shut(self) -> None:
        tell(
            self.rule,
            at(0, door_opened("hall-9")),
            at(20, offline("hall-9-door", "hall-9")),
            at(25, online("hall-9-door", "hall-9")),
        )

    def test_blind_contact_keeps_a_notice_from_becoming_a_warning(self) -> None:
        tell(
            self.rule,
            at(0, HELD),
            at(20, offline("hall-9-door", "hall-9")),
            raised(5, severity=4),
        )

    def test_blind_camera_beside_it_makes_no_difference(self) -> None:
        tell(
            self.rule,
            at(-5, offline("hall-9-camera", "hall-9")),
            at(0, door_opened("hall-9")),
            raised(65, severity=4),
            amended(305, severity=3),
        )
