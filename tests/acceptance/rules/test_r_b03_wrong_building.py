"""R-B03: a pass for one building, used in another."""

import pytest
from residents import lives, visits, works
from telling import EveryRule, amended, at, denied, face_of, granted, offline, raised, seen, tell

FOR_9 = visits("pass-1", "gate", "hall-9")


class TestWrongBuilding(EveryRule):
    rule = "R-B03"
    story = (at(0, granted("hall-3", **FOR_9)), raised(5, severity=3))

    def test_identified_visitor_is_compared(self) -> None:
        told = tell(self.rule, at(0, face_of("guest", "hall-3", **FOR_9)), raised(5, severity=3))
        assert told.only.needs_comparison
        assert (told.only.subject_kind, told.only.subject) == ("pass", "pass-1")

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, granted("hall-9", **FOR_9))], id="its_own_building"),
            pytest.param([at(0, granted("lift-9", **FOR_9))], id="lift_of_its_building"),
            pytest.param(
                [at(0, granted("hall-4", **visits("p", "hall-3")))], id="adjoining_lobby_of_the_podium"
            ),
            pytest.param([at(0, granted("hall-3", **visits("p", "gate")))], id="names_no_building"),
            pytest.param([at(0, granted("hall-3", **visits("p", "hall-3", "hall-9")))], id="names_both"),
            pytest.param([at(0, granted("side-gate", **FOR_9))], id="entrance_is_not_its_business"),
            pytest.param([at(0, granted("square", **FOR_9))], id="common_area"),
            pytest.param([at(0, denied("hall-3", **FOR_9))], id="refused_is_not_in"),
            pytest.param([at(0, granted("hall-3", direction="out", **FOR_9))], id="goes_out"),
            pytest.param([at(0, granted("hall-3", **(FOR_9 | works("guard-1"))))], id="works_here"),
            pytest.param([at(0, granted("hall-3", **(FOR_9 | lives("li", "hall-3"))))], id="lives_there"),
            pytest.param([at(0, granted("hall-3", **lives("li", "hall-9")))], id="no_pass"),
            pytest.param([at(0, seen("visitor.registered", "hall-3", **FOR_9))], id="only_registered"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(("window", "again", "same"), [(60, 60, True), (60, 61, False), (61, 61, True)])
    def test_boundary_of_the_same_matter(self, window: int, again: int, *, same: bool) -> None:
        change = amended if same else raised
        tell(
            self.rule,
            at(0, granted("hall-3", **FOR_9)),
            at(again, granted("hall-3", **FOR_9)),
            raised(5, severity=3),
            change(again + 5, severity=3),
            values={"dedupe_s": window},
        )

    def test_blind_devices_take_nothing_from_what_was_seen(self) -> None:
        tell(
            self.rule,
            at(-60, offline("hall-3-camera", "hall-3")),
            at(0, granted("hall-3", **FOR_9)),
            raised(5, severity=3),
        )
