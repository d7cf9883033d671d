"""R-D07: a door or barrier was told something and did not answer."""

import pytest
from telling import EveryRule, amended, at, cleared, offline, raised, seen, tell


def unanswered(zone: str = "drive", **facts: object):
    return seen("command.uncertain", zone, device=f"{zone}-barrier", **facts)


class TestCommandUncertain(EveryRule):
    rule = "R-D07"
    story = (at(0, unanswered()), raised(0, severity=3))

    def test_says_which_device(self) -> None:
        told = tell(self.rule, *self.story)
        assert told.only.reason_args == {"lane": "drive", "device": "drive-barrier"}

    @pytest.mark.parametrize("zone", ["drive", "garage", "hall-9"])
    def test_is_a_warning_wherever_it_is(self, zone: str) -> None:
        tell(self.rule, at(0, unanswered(zone)), raised(0, severity=3))

    def test_silent_about_an_answer_to_nothing(self) -> None:
        tell(self.rule, at(0, unanswered(attributes={"ended": True})))

    def test_answer_that_comes_after_all_ends_it(self) -> None:
        ended = at(20, unanswered(attributes={"ended": True}))
        tell(self.rule, *self.story, ended, cleared(20, severity=3))

    @pytest.mark.parametrize(
        ("together_min", "again", "change"), [(60, 3600, amended), (60, 3601, raised), (61, 3601, amended)]
    )
    def test_boundary_of_one_incident(self, together_min: int, again: int, change) -> None:
        steps = [*self.story, at(again, unanswered()), change(again, severity=3)]
        tell(self.rule, *steps, values={"together_min": together_min})

    def test_two_lanes_are_two_incidents(self) -> None:
        tell(self.rule, *self.story, at(1, unanswered("gate")), raised(1, severity=3))

    def test_blind_door_is_why_and_no_excuse(self) -> None:
        tell(self.rule, at(-5, offline("drive-barrier", "drive")), *self.story)
