"""R-D02: a device was tampered with, covered, or shows no picture; critical with an attack beside it."""

import dataclasses

import pytest
from telling import (
    NIGHT,
    EveryRule,
    amended,
    at,
    cleared,
    crossing,
    door_opened,
    granted,
    offline,
    raised,
    rules_named,
    run,
    seen,
    tell,
)


def covered(zone: str = "bike-shed", kind: str = "video.occlusion", **facts: object):
    return seen(kind, zone, **facts)


def forced(zone: str = "hall-9"):
    return seen("door.forced", zone)


class TestSightLost(EveryRule):
    rule = "R-D02"
    story = (
        at(0, covered()),
        at(300, covered(attributes={"ended": True})),
        raised(5, severity=3),
        cleared(305, severity=3),
    )

    @pytest.mark.parametrize("kind", ["device.tamper", "video.occlusion", "video.lost"])
    @pytest.mark.parametrize(("zone", "severity"), [("gate", 2), ("bike-shed", 3), ("hall-9", 3)])
    def test_entrance_is_urgent(self, kind: str, zone: str, severity: int) -> None:
        told = tell(self.rule, at(0, covered(zone, kind)), raised(5, severity=severity))
        assert told.only.reason == f"sight_lost.{kind}"

    def test_each_trouble_of_a_device_ends_by_itself(self) -> None:
        tell(
            self.rule,
            at(0, covered()),
            at(1, covered(kind="device.tamper")),
            at(60, covered(attributes={"ended": True})),
            raised(5, severity=3),
            raised(6, severity=3),
            cleared(65, severity=3),
        )

    def test_silent_where_it_only_ended(self) -> None:
        tell(self.rule, at(0, covered(attributes={"ended": True})))

    def test_silent_about_an_attack_alone(self) -> None:
        tell(self.rule, at(0, forced()))

    def test_covered_again_and_again_is_one_incident(self) -> None:
        tell(self.rule, at(0, covered()), at(60, covered()), raised(5, severity=3), amended(65, severity=3))

    def test_blind_device_beside_it_changes_nothing(self) -> None:
        tell(self.rule, at(-5, offline("bike-shed-reader", "bike-shed")), *self.story)


class TestWithAnAttack(EveryRule):
    rule = "R-D02"
    story = (at(0, covered()), at(120, forced()), raised(5, severity=3), amended(125, severity=1))

    @pytest.mark.parametrize("kind", ["video.climb", "door.forced", "alarm.intrusion"])
    @pytest.mark.parametrize("zone", ["bike-shed", "fence", "hall-9"])
    def test_same_or_adjoining_zone(self, kind: str, zone: str) -> None:
        told = tell(
            self.rule,
            at(0, covered()),
            at(120, seen(kind, zone)),
            raised(5, severity=3),
            amended(125, severity=1),
        )
        signal = told.cases[0].signals[1]
        assert signal.reason == "sight_lost_attack"
        assert signal.reason_args == {"what": "video.occlusion", "attack": kind}
        assert [one.type for one in signal.evidence] == ["video.occlusion", kind]

    def test_attack_may_come_first(self) -> None:
        tell(
            self.rule, at(0, forced()), at(120, covered()), raised(125, severity=1), amended(125, severity=1)
        )

    @pytest.mark.parametrize(
        "attack",
        [
            pytest.param(forced("garage"), id="elsewhere"),
            pytest.param(seen("video.climb", "fence", attributes={"class": "animal"}), id="a_cat"),
            pytest.param(seen("video.climb", "fence", attributes={"ended": True}), id="over"),
        ],
    )
    def test_silent_about_what_is_no_attack_here(self, attack) -> None:
        tell(self.rule, at(0, covered()), at(120, attack), raised(5, severity=3))

    @pytest.mark.parametrize(
        ("attack_min", "after", "speaks"), [(10, 600, True), (10, 601, False), (11, 601, True)]
    )
    @pytest.mark.parametrize("attack_first", [False, True])
    def test_boundary_of_the_time_between(
        self, attack_min: int, after: int, *, speaks: bool, attack_first: bool
    ) -> None:
        first, second = (forced(), covered()) if attack_first else (covered(), forced())
        trouble_at = after if attack_first else 0
        at_once = speaks and attack_first
        changes = [raised(trouble_at + 5, severity=1 if at_once else 3)]
        if speaks:
            changes.append(amended(after + 5, severity=1))
        tell(self.rule, at(0, first), at(after, second), *changes, values={"attack_min": attack_min})

    def test_two_covered_cameras_are_both_critical(self) -> None:
        tell(
            self.rule,
            at(0, covered()),
            at(10, covered("square")),
            at(120, forced()),
            raised(5, severity=3),
            raised(15, severity=3),
            amended(125, severity=1),
            amended(125, severity=1),
        )

    def test_camera_that_sees_again_does_not_undo_what_it_was_covered_for(self) -> None:
        tell(self.rule, *self.story, at(300, covered(attributes={"ended": True})))

    def test_door_that_opened_with_nothing_to_release_it_is_an_attack(self) -> None:
        """R-B05 knows when: a card excuses the door, and then the camera is only covered."""
        rules = rules_named("R-B05", self.rule)
        steps = [at(0, covered()), at(120, door_opened("hall-9"))]
        cases = {case.rule: case.severity for case in run(rules, steps).cases}
        assert cases == {"R-B05": 2, "R-D02": 1}
        excused = [*steps, at(119, granted("hall-9"))]
        assert {case.rule: case.severity for case in run(rules, excused).cases} == {"R-D02": 3}

    def test_door_that_opened_before_the_camera_was_covered(self) -> None:
        rules = rules_named("R-B05", self.rule)
        for covered_at in (2, 60):
            steps = [at(0, door_opened("hall-9")), at(covered_at, covered())]
            cases = {case.rule: case.severity for case in run(rules, steps).cases}
            assert cases == {"R-B05": 2, "R-D02": 1}

    def test_line_at_the_fence_is_an_attack_where_r_c03_says_so(self) -> None:
        rules = rules_named("R-C03", self.rule)
        steps = [at(0, covered()), at(120, crossing("fence"))]
        cases = {case.rule: case.severity for case in run(rules, steps, begins=NIGHT).cases}
        assert cases["R-D02"] == 1
        assert "R-C03" in cases

    def test_end_of_something_is_neither_trouble_nor_attack(self) -> None:
        tell(self.rule, at(0, covered(attributes={"ended": True})), at(120, forced()))
        climbed = seen("video.climb", "fence", attributes={"ended": True})
        tell(self.rule, at(0, climbed), at(120, covered()), raised(125, severity=3))

    def test_replayed_attack_makes_nothing_worse(self) -> None:
        tell(self.rule, at(0, covered()), at(120, forced(), late=True), raised(5, severity=3))

    def test_blind_camera_at_the_door_changes_nothing(self) -> None:
        tell(self.rule, at(-5, offline("hall-9-camera", "hall-9")), *self.story)

    def test_whichever_comes_in_first_it_is_said_once(self) -> None:
        story = [at(0, covered(), name="trouble"), at(2, forced(), name="attack")]
        swapped = [dataclasses.replace(story[0], arrives=4), story[1]]
        for steps in (story, swapped):
            (case,) = run(rules_named(self.rule), steps).cases
            assert [signal.severity for signal in case.signals] == [3, 1]
            assert case.signals[1].anchor.id == "attack"
