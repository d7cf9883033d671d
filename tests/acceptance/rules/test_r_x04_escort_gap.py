"""R-X04: a visitor is in a building, and the host lives in another."""

import pytest
from residents import lives, visits
from telling import EveryRule, amended, at, crossing, denied, face_of, granted, offline, raised, tell

from alerts.rules import DwellingFacts

HOST_IN_9 = {"dwelling": DwellingFacts("d-1801", "occupied", "hall-9")}
EVERYWHERE = visits("pass-1", "gate", "hall-3", "hall-4", "hall-9") | HOST_IN_9


class TestEscortGap(EveryRule):
    rule = "R-X04"
    story = (at(0, granted("hall-3", **EVERYWHERE)), raised(5, severity=3))

    def test_with_the_rule_that_goes_by_the_doors_it_is_one_incident(self) -> None:
        told = tell(
            ("R-X04", "R-B03"),
            at(0, granted("hall-3", **(visits("pass-1", "gate", "hall-9") | HOST_IN_9))),
            raised(5, severity=3, rule="R-B03"),
            amended(5, severity=3, rule="R-B03"),
        )
        assert {signal.rule for signal in told.cases[0].signals} == {"R-X04", "R-B03"}

    @pytest.mark.parametrize("what", [crossing, face_of])
    def test_identified_counts_as_much_as_shown(self, what) -> None:
        step = what("hall-3", **EVERYWHERE) if what is crossing else what("guest", "hall-3", **EVERYWHERE)
        tell(self.rule, at(0, step), raised(5, severity=3))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, granted("hall-9", **EVERYWHERE))], id="at_the_hosts"),
            pytest.param([at(0, granted("lift-9", **EVERYWHERE))], id="lift_of_the_hosts_house"),
            pytest.param(
                [
                    at(
                        0,
                        granted(
                            "hall-4", **(visits("p") | {"dwelling": DwellingFacts("d", "occupied", "hall-3")})
                        ),
                    )
                ],
                id="same_podium",
            ),
            pytest.param([at(0, granted("hall-3", **visits("p")))], id="nobody_knows_where_the_host_lives"),
            pytest.param(
                [at(0, granted("hall-3", **(visits("p", "hall-3", "hall-9") | HOST_IN_9)))], id="was_meant"
            ),
            pytest.param(
                [at(0, granted("hall-3", **(visits("p", kind="contractor") | HOST_IN_9)))], id="works_in_many"
            ),
            pytest.param(
                [at(0, granted("hall-3", **(visits("p", kind="courier") | HOST_IN_9)))], id="courier"
            ),
            pytest.param([at(0, granted("square", **EVERYWHERE))], id="common_area"),
            pytest.param([at(0, denied("hall-3", **EVERYWHERE))], id="refused"),
            pytest.param([at(0, granted("hall-3", direction="out", **EVERYWHERE))], id="goes_out"),
            pytest.param(
                [at(0, granted("hall-3", **(EVERYWHERE | lives("li", "hall-3"))))], id="lives_there"
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(("window", "again", "same"), [(60, 60, True), (60, 61, False), (61, 61, True)])
    def test_boundary_of_the_same_matter(self, window: int, again: int, *, same: bool) -> None:
        change = amended if same else raised
        tell(
            self.rule,
            at(0, granted("hall-3", **EVERYWHERE)),
            at(again, granted("hall-3", **EVERYWHERE)),
            raised(5, severity=3),
            change(again + 5, severity=3),
            values={"dedupe_s": window},
        )

    def test_blind_devices_take_nothing_from_what_was_seen(self) -> None:
        tell(
            self.rule,
            at(-60, offline("hall-3-camera", "hall-3")),
            at(0, granted("hall-3", **EVERYWHERE)),
            raised(5, severity=3),
        )
