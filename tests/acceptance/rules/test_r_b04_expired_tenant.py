"""R-B04: the tenancy is over, and what was given for it still opens a door."""

import datetime as dt

import pytest
from residents import HOUR, lives, moved_out, visits
from telling import EveryRule, amended, at, denied, face_of, granted, local, offline, raised, tell

# The stories begin on Monday the 23rd at ten.
YESTERDAY = dt.date(2026, 11, 22)


def left(days_ago: int) -> dict:
    return moved_out("chen", dt.date(2026, 11, 23) - dt.timedelta(days=days_ago))


class TestExpiredTenant(EveryRule):
    rule = "R-B04"
    story = (at(0, granted("hall-9", **left(1))), raised(5, severity=4))

    def test_says_for_how_many_days(self) -> None:
        told = tell(self.rule, *self.story)
        assert told.only.reason_args == {"days": 1}
        assert (told.only.subject_kind, told.only.subject) == ("person", "chen")

    @pytest.mark.parametrize(("days", "severity"), [(0, 4), (1, 4), (7, 4), (8, 3), (60, 3)])
    def test_grace_of_a_week(self, days: int, severity: int) -> None:
        tell(self.rule, at(0, granted("hall-9", **left(days))), raised(5, severity=severity))

    @pytest.mark.parametrize(("grace", "severity"), [(6, 3), (7, 4), (8, 4)])
    def test_boundary_of_the_grace(self, grace: int, severity: int) -> None:
        tell(
            self.rule,
            at(0, granted("hall-9", **left(7))),
            raised(5, severity=severity),
            values={"grace_days": grace},
        )

    def test_day_is_the_compounds_own(self) -> None:
        # Ten past midnight in Shanghai is still the day before by UTC.
        tell(self.rule, at(0, granted("hall-9", **left(8))), raised(5, severity=3), begins=local(0, 10))

    def test_gate_and_building_of_one_day_are_one_incident(self) -> None:
        tell(
            self.rule,
            at(0, granted("gate", **left(1))),
            at(90, granted("hall-9", **left(1))),
            raised(5, severity=4),
            amended(95, severity=4),
        )

    def test_next_day_is_another_notice(self) -> None:
        tell(
            self.rule,
            at(0, granted("hall-9", **left(1))),
            at(24 * HOUR, granted("hall-9", **left(1))),
            raised(5, severity=4),
            raised(24 * HOUR + 5, severity=4),
        )

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, granted("hall-9", **lives("chen", "hall-9")))], id="lives_there"),
            pytest.param(
                [at(0, granted("hall-9", **lives("chen", "hall-9", tenancy_ended_on=YESTERDAY)))],
                id="belongs_for_another_reason",
            ),
            pytest.param([at(0, denied("hall-9", **left(1)))], id="no_longer_opens"),
            pytest.param([at(0, granted("hall-9", direction="out", **left(1)))], id="goes_out"),
            pytest.param([at(0, granted("square", **left(1)))], id="common_area"),
            pytest.param([at(0, granted("hall-9", **left(-1)))], id="ends_tomorrow"),
            pytest.param(
                [at(0, granted("hall-9", **(left(1) | visits("p", "hall-9"))))], id="somebodys_guest_now"
            ),
            pytest.param([at(0, face_of("chen", "hall-9"))], id="register_says_nothing"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_blind_devices_take_nothing_from_what_was_seen(self) -> None:
        tell(
            self.rule,
            at(-60, offline("hall-9-camera", "hall-9")),
            at(0, granted("hall-9", **left(1))),
            raised(5, severity=4),
        )
