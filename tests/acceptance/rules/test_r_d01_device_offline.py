"""R-D01: a device fell silent. See also tests/alerts/rules/test_device_offline.py."""

import dataclasses

import pytest
from telling import EveryRule, amended, at, cleared, offline, online, raised, seen, tell


def gone(device: str = "square-camera", zone: str = "square", cause: str = "silence", share: float = 0.0):
    what = offline(device, zone, cause)
    return dataclasses.replace(what, facts=what.facts | {"ring_offline": share})


class TestDeviceOffline(EveryRule):
    rule = "R-D01"
    story = (
        at(0, gone()),
        at(100, online("square-camera", "square")),
        raised(5, severity=3),
        cleared(105, severity=3),
    )

    def test_entrance_is_urgent(self) -> None:
        tell(self.rule, at(0, gone("gate-camera", "gate")), raised(5, severity=2))

    @pytest.mark.parametrize(("ring_share", "severity"), [(0.29, 2), (0.30, 2), (0.31, 3)])
    def test_boundary_of_the_rings_share(self, ring_share: float, severity: int) -> None:
        story = [at(0, gone(share=0.3)), raised(5, severity=severity)]
        tell(self.rule, *story, values={"ring_share": ring_share})

    def test_silent_about_a_device_that_came(self) -> None:
        tell(self.rule, at(0, online("square-camera", "square")))

    def test_last_will_and_missed_heartbeats_are_one_absence(self) -> None:
        steps = [at(0, gone(cause="last_will")), at(90, gone(cause="silence"))]
        tell(self.rule, *steps, raised(5, severity=3), amended(95, severity=3))

    def test_device_that_rattles_is_told_as_it_was_whatever_came_first(self) -> None:
        back = online("square-camera", "square")
        told = [at(0, gone()), at(3, back), at(4, gone())]
        expected = [raised(5, severity=3), cleared(8, severity=3), raised(9, severity=3)]
        tell(self.rule, *told, *expected)
        late = [dataclasses.replace(step, arrives=4.5 if step.at < 4 else 4) for step in told]
        tell(self.rule, *late, *expected)

    def test_of_two_words_of_one_moment_the_worse_is_believed(self) -> None:
        back = online("square-camera", "square")
        for steps in ([at(0, gone()), at(0, back)], [at(0, back), at(0, gone())]):
            tell(self.rule, *steps, raised(5, severity=3))

    # ── gateways ──────────────────────────────────────────────────────────────

    def test_whole_gateway_is_one_incident(self) -> None:
        behind = [at(0, gone(f"square-{kind}", "square", "gateway")) for kind in ("reader", "door", "plate")]
        tell(self.rule, at(0, gone()), *behind, raised(5, severity=3))

    def test_gateway_that_takes_an_entrance_with_it_is_urgent(self) -> None:
        behind = [at(0, gone("gate-reader", "gate", "gateway"))]
        told = tell(self.rule, at(0, gone()), *behind, raised(5, severity=2), amended(5, severity=2))
        (case,) = told.cases
        assert case.key == "R-D01:square-camera"
        assert {seen_.device for seen_ in case.signals[1].evidence} == {"square-camera", "gate-reader"}

    def test_gateway_that_takes_much_of_a_ring_with_it_is_urgent(self) -> None:
        behind = [at(0, gone("bench-camera", "bench", "gateway", 0.3))]
        tell(self.rule, at(0, gone()), *behind, raised(5, severity=2), amended(5, severity=2))

    def test_gateway_that_is_back_ends_it_for_all(self) -> None:
        behind = [at(0, gone("gate-reader", "gate", "gateway"))]
        back = [at(60, online("square-camera", "square")), at(60, online("gate-reader", "gate"))]
        tell(
            self.rule, at(0, gone()), *behind, *back,
            raised(5, severity=2), amended(5, severity=2), cleared(65, severity=2),
        )  # fmt: skip

    def test_device_behind_a_gateway_may_go_by_itself(self) -> None:
        tell(self.rule, at(0, gone("gate-reader", "gate")), raised(5, severity=2))

    def test_blind_neighbour_excuses_nobody(self) -> None:
        tell(
            self.rule,
            at(0, gone("square-door")),
            at(60, gone()),
            raised(5, severity=3),
            raised(65, severity=3),
        )

    def test_fault_is_no_absence(self) -> None:
        tell(self.rule, at(0, seen("device.fault", "square")))
