"""R-B02: in a building by night, again and again, without living or being invited there."""

import dataclasses
from typing import ClassVar

import pytest
from residents import DAY, lives, visits, works
from telling import EveryRule, amended, at, face_unknown, granted, local, offline, raised, seen, tell

from alerts.rules import DwellingFacts, Mode, RuleBook

# The story begins on Monday evening at half past eleven.
MONDAY = local(23, 30)
LI = lives("li", "hall-3")


def nights(*numbers: int, zone: str = "hall-9", what=granted, who: dict | None = None) -> list:
    return [at(number * DAY, what(zone, **(LI if who is None else who))) for number in numbers]


class TestGuestNights(EveryRule):
    rule = "R-B02"
    story = (*nights(0, 1, 2), raised(2 * DAY + 5, severity=4))
    how: ClassVar = {"begins": MONDAY}

    def test_further_nights_of_the_week_are_the_same_incident(self) -> None:
        tell(
            self.rule,
            *nights(0, 1, 2, 3),
            raised(2 * DAY + 5, severity=4),
            amended(3 * DAY + 5, severity=4),
            begins=MONDAY,
        )

    def test_no_emergency_makes_it_graver(self) -> None:
        tell(
            self.rule,
            *nights(0, 1, 2),
            raised(2 * DAY + 5, severity=4),
            begins=MONDAY,
            book=dataclasses.replace(RuleBook(), mode=Mode.EMERGENCY),
        )

    def test_heightened_mode_does_not_count_days_as_nights(self) -> None:
        tell(
            self.rule,
            *nights(0, 1, 2),
            begins=local(15),
            book=dataclasses.replace(RuleBook(), mode=Mode.HEIGHTENED),
        )

    def test_face_is_compared_before_anybody_is_asked(self) -> None:
        faces = [at(n * DAY, seen("face.identified", "hall-9", **LI)) for n in (0, 1, 2)]
        told = tell(self.rule, *faces, raised(2 * DAY + 5, severity=4), begins=MONDAY)
        assert told.only.needs_comparison

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param(nights(0, 1), id="two_nights"),
            pytest.param(
                [*nights(0), at(1800, granted("hall-9", **LI)), *nights(1)], id="twice_in_one_night"
            ),
            pytest.param(
                [at(0, granted("hall-9", **LI)), at(2 * 3600, granted("hall-9", **LI)), *nights(1)],
                id="after_midnight_is_the_same_night",
            ),
            pytest.param(nights(0, 1, 2, who=lives("li", "hall-9")), id="lives_there"),
            pytest.param(nights(0, 1, 2, zone="lobby-9", who=lives("li", "hall-9")), id="own_lobby"),
            pytest.param(nights(0, 1, 2, zone="hall-4", who=lives("li", "hall-3")), id="same_podium"),
            pytest.param(nights(0, 1, 2, who=works("guard-1")), id="night_guard"),
            pytest.param(nights(0, 1, 2, zone="square"), id="no_building"),
            pytest.param(
                [at(n * DAY, face_unknown("hall-9", token="t-1")) for n in range(4)], id="unknown_face"
            ),
            pytest.param(nights(0, 1, 2, who=visits("p", "gate", "hall-9")), id="guest_of_the_house"),
            pytest.param(nights(0, 1, 2, who=visits("p", "gate")), id="pass_for_the_gate_alone"),
            pytest.param(
                nights(
                    0,
                    1,
                    2,
                    who=visits("p", "hall-3") | {"dwelling": DwellingFacts("d", "occupied", "hall-9")},
                ),
                id="host_lives_there",
            ),
            pytest.param(nights(0, 1, 2, who=visits("p", "hall-3", kind="courier")), id="courier"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps, begins=MONDAY)

    def test_pass_that_is_for_another_house_is_counted(self) -> None:
        tell(
            self.rule,
            *nights(0, 1, 2, who=visits("p", "gate", "hall-3")),
            raised(2 * DAY + 5, severity=4),
            begins=MONDAY,
        )

    @pytest.mark.parametrize(("needed", "speaks"), [(3, True), (4, False), (2, True)])
    def test_boundary_of_the_nights(self, needed: int, *, speaks: bool) -> None:
        first = (needed - 1) * DAY + 5
        changes = [raised(first, severity=4)] if speaks else []
        changes += [amended(2 * DAY + 5, severity=4)] if speaks and needed == 2 else []
        tell(self.rule, *nights(0, 1, 2), *changes, begins=MONDAY, values={"nights": needed})

    @pytest.mark.parametrize(("days", "speaks"), [(7, True), (6, False), (8, True)])
    def test_boundary_of_the_days(self, days: int, *, speaks: bool) -> None:
        changes = [raised(6 * DAY + 5, severity=4)] if speaks else []
        tell(self.rule, *nights(0, 3, 6), *changes, begins=MONDAY, values={"within_days": days})

    @pytest.mark.parametrize(
        ("hour", "minute", "speaks"), [(22, 59, False), (23, 0, True), (4, 59, True), (5, 0, False)]
    )
    def test_boundary_of_the_night(self, hour: int, minute: int, *, speaks: bool) -> None:
        changes = [raised(2 * DAY + 5, severity=4)] if speaks else []
        tell(self.rule, *nights(0, 1, 2), *changes, begins=local(hour, minute))

    def test_blind_devices_take_nothing_from_what_was_seen(self) -> None:
        tell(
            self.rule,
            at(-60, offline("hall-9-camera", "hall-9")),
            *nights(0, 1, 2),
            raised(2 * DAY + 5, severity=4),
            begins=MONDAY,
        )
