"""R-X02: two alarms at nearly the same time and place may be one thing; a person says so."""

import pytest
from telling import EveryRule, at, door_opened, face_unknown, raised, rules_named, run, seen, tell

from alerts.rules import with_values

FORCED_BESIDE = ("R-X02", "R-B05", "R-C01")


def loitering(zone: str = "bike-shed"):
    return seen("video.loitering", zone, attributes={"dwell_s": 300})


def forced(zone: str = "hall-9", **facts: object):
    return seen("door.forced", zone, **facts)


class TestClustering(EveryRule):
    rule = "R-X02"
    how = {"beside": ("R-B05", "R-C01")}  # noqa: RUF012 - as the mixin reads it
    story = (
        at(0, loitering()),
        at(60, forced()),
        raised(5, severity=4, rule="R-C01"),
        raised(60, severity=2, rule="R-B05"),
    )

    def proposed(self, *steps, rules=FORCED_BESIDE, **how) -> list:
        return run(rules_named(*rules), steps, **how).fold.proposals

    def test_two_that_go_together_are_proposed_and_stay_two_until_somebody_says_so(self) -> None:
        told = run(rules_named(*FORCED_BESIDE), [at(0, loitering()), at(60, forced())])
        assert len(told.cases) == 2
        (proposal,) = told.fold.proposals
        assert proposal.keys == ("R-B05:hall-9", "R-C01:bike-shed")
        assert not proposal.automatic

    def test_further_words_of_the_two_propose_nothing_more(self) -> None:
        steps = [at(0, loitering()), *(at(60 + 10 * number, forced()) for number in range(4))]
        assert len(self.proposed(*steps)) == 1

    def test_what_one_device_says_in_two_ways_is_one(self) -> None:
        told = run(
            rules_named("R-X02", "R-D01", "R-D02"),
            [
                at(0, seen("device.tamper", "gate", device="gate-camera")),
                at(30, seen("device.offline", "gate", device="gate-camera", cause="last_will")),
            ],
        )
        (case,) = told.cases
        assert {signal.rule for signal in case.signals} == {"R-D01", "R-D02"}
        assert told.fold.proposals == []

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, loitering()), at(60, forced("hall-3"))], id="zones_that_do_not_touch"),
            pytest.param(
                [at(0, seen("video.fall", "bike-shed", attributes={"dwell_s": 20})), at(60, forced())],
                id="kinds_that_do_not_go_together",
            ),
            pytest.param([at(0, forced()), at(60, forced())], id="one_incident_already"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        assert self.proposed(*steps, rules=(*FORCED_BESIDE, "R-C08")) == []

    def test_silent_where_a_rule_has_joined_them_already(self) -> None:
        steps = [at(0, face_unknown()), at(2, door_opened()), at(100, loitering()), at(215, forced())]
        told = run(rules_named("R-X01", "R-X02", "R-E01", "R-C01", "R-B05"), steps)
        assert len(told.cases) == 1
        assert told.fold.proposals == []

    @pytest.mark.parametrize(("window_s", "proposes"), [(60, True), (59, False)])
    def test_boundary_of_the_window(self, window_s: int, *, proposes: bool) -> None:
        found = self.proposed(
            at(0, loitering()), at(60, forced()), book=with_values({"R-X02": {"window_s": window_s}})
        )
        assert bool(found) == proposes

    def test_order_within_the_disorder_changes_no_proposal(self) -> None:
        plain = self.proposed(at(0, loitering()), at(3, forced()))
        assert self.proposed(at(0, loitering(), arrives=4.5), at(3, forced(), arrives=3)) == plain
        assert len(plain) == 1

    def test_duress_is_proposed_with_nothing(self) -> None:
        tell(
            ("R-X02", "R-E12", "R-E01"),
            at(0, face_unknown()),
            at(2, door_opened()),
            at(10, seen("access.duress", "gate")),
            raised(10, severity=1, rule="R-E12"),
            raised(15, severity=4, rule="R-E01"),
        )
