"""R-C09: a camera sees fire or smoke, or a detector smells it. Both together are a fire."""

import datetime as dt
import random

import pytest
from telling import NIGHT, EveryRule, amended, at, offline, online, raised, rules_named, run, seen, tell

from alerts.rules import Mode, RuleBook

FIRE = "R-C09"


def flames(zone: str = "garage", **attributes: object):
    return seen("video.fire_smoke", zone, attributes=attributes)


def smoke(zone: str = "garage", **attributes: object):
    return seen("alarm.smoke", zone, device=f"{zone}-detector", attributes=attributes)


class TestFire(EveryRule):
    rule = FIRE
    safety = True
    story = (
        at(0, flames()),
        raised(0, severity=2),
        at(40, smoke()),
        # The detector alone, and that it is the second of two: one moment.
        amended(40, severity=1),
        amended(40, severity=1),
    )

    @pytest.mark.parametrize("what", [flames(), smoke(), smoke("lift-9"), flames("gate")])
    def test_either_alone_is_urgent_at_once(self, what) -> None:
        tell(FIRE, at(0, what), raised(0, severity=2))
        tell(FIRE, at(0, what), raised(0, severity=2), begins=NIGHT)

    @pytest.mark.parametrize("mode", list(Mode))
    def test_no_mode_makes_it_quieter(self, mode: Mode) -> None:
        tell(FIRE, *self.story, book=RuleBook(mode=mode))

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (flames(), smoke()),
            (smoke(), flames()),
            (flames("square"), smoke()),
            (smoke("gate"), flames("square")),
        ],
    )
    def test_both_orders_here_and_next_door_are_one_fire(self, first, second) -> None:
        told = tell(
            FIRE,
            at(0, first),
            at(100, second),
            raised(0, severity=2),
            amended(100, severity=1),
            amended(100, severity=1),
        )
        [case] = told.cases
        assert case.keys == {f"R-C09:{first.zone}", f"R-C09:{second.zone}"}
        grave = min(case.signals, key=lambda signal: signal.severity)
        assert [one.type for one in grave.evidence] == [first.type, second.type]

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, flames()), at(10, flames())], id="two_cameras"),
            pytest.param([at(0, smoke()), at(10, smoke())], id="two_detectors"),
        ],
    )
    def test_silent_about_critical_when_one_sense_alone_tells(self, steps: list) -> None:
        tell(FIRE, *steps, raised(0, severity=2), amended(10, severity=2))

    def test_two_zones_apart_are_two_incidents(self) -> None:
        tell(
            FIRE,
            at(0, flames("garage")),
            at(10, smoke("hall-3")),
            raised(0, severity=2),
            raised(10, severity=2),
        )

    @pytest.mark.parametrize("what", [flames(ended=True), smoke(ended=True)])
    def test_silent_about_an_end_which_ends_nothing(self, what) -> None:
        tell(FIRE, at(0, what))
        tell(FIRE, at(-60, flames()), at(0, what), raised(-60, severity=2))

    @pytest.mark.parametrize(
        ("gap", "window_s", "critical"),
        [(120, 120, True), (121, 120, False), (120, 119, False), (121, 121, True)],
    )
    @pytest.mark.parametrize("camera_first", [True, False])
    def test_boundary_of_the_window(
        self, gap: int, window_s: int, *, critical: bool, camera_first: bool
    ) -> None:
        first, second = (flames(), smoke()) if camera_first else (smoke(), flames())
        tell(
            FIRE,
            at(0, first),
            at(gap, second),
            raised(0, severity=2),
            *([amended(gap, severity=1)] * 2 if critical else [amended(gap, severity=2)]),
            values={"window_s": window_s},
        )

    def test_in_the_same_second_it_is_a_fire_at_once(self) -> None:
        # And each of the two says so of the other.
        tell(
            FIRE,
            at(0, flames()),
            at(0, smoke()),
            raised(0, severity=2),
            amended(0, severity=1),
            amended(0, severity=1),
            amended(5, severity=1),
        )

    def test_what_is_over_is_not_the_other_sense(self) -> None:
        tell(FIRE, at(-30, smoke(ended=True)), at(0, flames()), raised(0, severity=2))

    def test_the_reason_says_which_sense_told(self) -> None:
        told = tell(FIRE, *self.story)
        said = {signal.reason: signal for signal in told.cases[0].signals}
        assert set(said) == {"fire_seen", "smoke_alarm", "fire_seen_and_smoke"}
        assert said["fire_seen"].anchor.type == "video.fire_smoke"
        both = said["fire_seen_and_smoke"]
        assert both.reason_args == {"night": False, "window_s": 120}
        assert both.window == (both.anchor.at - dt.timedelta(seconds=120), both.anchor.at)
        assert said["fire_seen"].window is None
        assert said["smoke_alarm"].reason_args == {"night": False}

    def test_what_is_overtaken_is_still_the_first_of_two(self) -> None:
        tell(
            FIRE,
            at(0, flames(), arrives=4),
            at(2, smoke()),
            raised(2, severity=2),
            amended(4, severity=2),
            amended(7, severity=1),
        )

    def test_next_door_and_in_any_order_it_is_the_same_fire(self) -> None:
        chance = random.Random(3)
        for _ in range(20):
            steps = [
                at(0, flames("square"), arrives=chance.choice([0, 2, 4.9])),
                at(1, smoke("garage"), arrives=chance.choice([1, 3, 5.9])),
                at(3, flames("garage"), arrives=chance.choice([3, 7.9])),
            ]
            [case] = run(rules_named(FIRE), steps).cases
            assert (case.severity, case.keys) == (1, {"R-C09:square", "R-C09:garage"})

    def test_blind_camera_is_named_and_the_detector_believed(self) -> None:
        told = tell(
            FIRE,
            at(-300, offline("garage-face", "garage")),
            at(-200, online("garage-face", "garage")),
            at(-60, offline("garage-camera", "garage")),
            at(-30, online("garage-camera", "garage")),
            at(0, smoke()),
            raised(0, severity=2),
        )
        assert [one.device for one in told.only.blind] == ["garage-camera"]
