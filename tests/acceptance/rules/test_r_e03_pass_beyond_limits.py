"""R-E03: a pass let somebody in where, or more often than, it may."""

import dataclasses
import datetime as dt

import pytest
from telling import (
    MORNING,
    NIGHT,
    EveryRule,
    Seen,
    amended,
    at,
    crossing,
    denied,
    door_closed,
    door_opened,
    granted,
    offline,
    raised,
    seen,
    site,
    tell,
)

from alerts.rules import PassFacts, Site, SiteDevice

VISIT = PassFacts(
    "visit-1",
    MORNING - dt.timedelta(hours=2),
    MORNING + dt.timedelta(hours=8),
    zones=frozenset({"gate", "side-gate", "square", "hall-9"}),
)
ONCE = dataclasses.replace(VISIT, kind="courier", max_uses=1)
USED_UP = dataclasses.replace(ONCE, uses=1)


def shows(visit: PassFacts = VISIT, zone: str = "gate", direction: str | None = "in") -> Seen:
    return granted(zone, direction, visit=visit)


def guard_lets_in(visit: PassFacts = VISIT, zone: str = "gate") -> Seen:
    return seen("visitor.checked_in", zone, direction="in", visit=visit)


def guard_lets_out(visit: PassFacts = VISIT, zone: str = "gate") -> Seen:
    return seen("visitor.checked_out", zone, direction="out", visit=visit)


def with_way_out() -> Site:
    plan = site()
    out = SiteDevice("gate-reader-out", "gate", "turnstile", "gate-out", "out")
    return Site(plan.zones, dict(plan.devices) | {out.id: out})


class TestTwiceIn(EveryRule):
    """A pass that is handed back over the fence."""

    rule = "R-E03"
    story = (at(0, shows()), at(60, shows(zone="side-gate")), raised(65, severity=3))

    def test_by_night_it_is_no_graver(self) -> None:
        tell(self.rule, *self.story, begins=NIGHT)

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, shows())], id="once"),
            pytest.param([at(0, shows()), at(1, shows()), at(3, shows())], id="code_held_up_again_and_again"),
            pytest.param(
                [
                    at(0, door_opened()),
                    at(0.2, shows()),
                    at(1.5, shows()),
                    at(2, crossing()),
                    at(3, door_closed()),
                ],
                id="leaf_that_moves_before_its_reader_tells_why",
            ),
            pytest.param([at(0, shows()), at(60, guard_lets_in())], id="reader_and_guard_at_one_lane"),
            pytest.param([at(0, guard_lets_in()), at(90, shows())], id="guard_and_reader_at_one_lane"),
            pytest.param(
                [at(0, shows()), at(30, shows(direction="out")), at(60, shows(zone="side-gate"))],
                id="went_out_between",
            ),
            pytest.param(
                [at(0, shows()), at(30, shows(direction="out"), arrives=34.9), at(31, shows())],
                id="way_out_is_told_late",
            ),
            pytest.param(
                [at(0, shows()), at(30, guard_lets_out()), at(60, shows(zone="side-gate"))],
                id="guard_saw_them_leave_between",
            ),
            pytest.param(
                [at(0, shows()), at(30, shows(direction=None)), at(60, shows())], id="may_have_gone_out"
            ),
            pytest.param(
                [at(0, shows()), at(60, shows(zone="hall-9"))], id="gate_and_stairwell_are_one_entry"
            ),
            pytest.param([at(0, shows()), at(60, shows(direction=None))], id="not_known_to_come_in"),
            pytest.param(
                [at(0, shows()), at(60, shows(dataclasses.replace(VISIT, id="visit-2")))], id="another_pass"
            ),
            pytest.param(
                [at(n * 10, shows(dataclasses.replace(VISIT, kind="event"))) for n in range(6)],
                id="wedding_guests_share_one_code",
            ),
            pytest.param([at(0, shows()), at(60, denied("side-gate", visit=VISIT))], id="second_was_refused"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_same_lane_a_moment_later_is_a_second_person(self) -> None:
        tell(self.rule, at(0, shows()), at(6, shows()), raised(11, severity=3))

    def test_third_one_is_the_same_incident(self) -> None:
        tell(
            self.rule,
            at(0, shows()),
            at(60, shows(zone="side-gate")),
            at(100, shows()),
            raised(65, severity=3),
            amended(105, severity=3),
        )

    @pytest.mark.parametrize(
        ("limit", "gap", "speaks"), [(120, 120, True), (120, 121, False), (119, 120, False)]
    )
    def test_boundary_of_the_anti_passback(self, limit: int, gap: int, *, speaks: bool) -> None:
        story = [at(0, shows()), at(gap, shows(zone="side-gate"))]
        said = [raised(gap + 5, severity=3)] if speaks else []
        tell(self.rule, *story, *said, values={"anti_passback_s": limit})

    @pytest.mark.parametrize(("repeat", "gap", "speaks"), [(5, 5, False), (5, 6, True), (6, 6, False)])
    def test_boundary_of_a_repeat(self, repeat: int, gap: int, *, speaks: bool) -> None:
        said = [raised(gap + 5, severity=3)] if speaks else []
        tell(self.rule, at(0, shows()), at(gap, shows()), *said, values={"repeat_s": repeat})

    def test_blind_way_out_may_have_let_them_out(self) -> None:
        away = at(10, offline("gate-reader-out", "gate"))
        steps = [step for step in self.story if not hasattr(step, "change")]
        tell(self.rule, *steps, away, plan=with_way_out())
        tell(self.rule, *self.story, plan=with_way_out())

    def test_what_it_stands_on(self) -> None:
        signal = tell(self.rule, *self.story).only
        assert (signal.kind, signal.reason, signal.subject) == (
            "pass.beyond_limits",
            "pass_twice_in",
            "visit-1",
        )
        assert [one.zone for one in signal.evidence] == ["gate", "side-gate"]
        assert signal.reason_args["gap_s"] == 60


class TestUsedUp(EveryRule):
    rule = "R-E03"
    story = (at(0, shows(ONCE)), at(3600, shows(USED_UP)), raised(3605, severity=3))

    @pytest.mark.parametrize(("uses", "speaks"), [(0, False), (1, False), (2, True), (3, True)])
    def test_boundary_of_the_uses(self, uses: int, *, speaks: bool) -> None:
        visit = dataclasses.replace(VISIT, uses=uses, max_uses=2)
        tell(self.rule, at(0, shows(visit)), *([raised(5, severity=3)] if speaks else []))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, shows(dataclasses.replace(VISIT, uses=40)))], id="no_limit"),
            pytest.param([at(0, shows(ONCE)), at(1, shows(USED_UP))], id="read_twice_and_counted_once"),
            pytest.param([at(0, shows(ONCE)), at(40, guard_lets_in(USED_UP))], id="guard_writes_it_down_too"),
            pytest.param([at(0, shows(USED_UP, direction="out"))], id="nobody_is_kept_in"),
            pytest.param([at(0, shows(ONCE)), at(300, shows(USED_UP, "hall-9"))], id="stairwell_door"),
            pytest.param([at(0, shows(ONCE)), at(300, shows(USED_UP, "square"))], id="inner_gate"),
            pytest.param([at(0, denied("gate", visit=USED_UP, cause="used_up"))], id="refused"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_blind_reader_makes_no_difference_to_what_was_seen(self) -> None:
        tell(self.rule, at(-1, offline("gate-reader", "gate")), at(0, shows(USED_UP)), raised(5, severity=3))

    def test_what_it_stands_on(self) -> None:
        signal = tell(self.rule, *self.story).only
        assert (signal.reason, signal.reason_args["max_uses"]) == ("pass_used_up", 1)


class TestAnotherPlace(EveryRule):
    rule = "R-E03"
    how = {"values": {"anti_passback_s": 0}}  # noqa: RUF012
    story = (at(0, shows(zone="drive")), raised(5, severity=3))

    def test_guard_who_lets_in_at_another_gate_is_told_too(self) -> None:
        tell(self.rule, at(0, guard_lets_in(zone="drive")), raised(5, severity=3))

    def test_gate_inside_counts_as_well(self) -> None:
        tell(self.rule, at(0, shows(zone="garage")), raised(5, severity=3))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, shows())], id="its_own_gate"),
            pytest.param(
                [at(0, shows(dataclasses.replace(VISIT, zones=frozenset()), "drive"))], id="any_place"
            ),
            pytest.param([at(0, shows(zone="drive", direction="out"))], id="leaves_by_another_gate"),
            pytest.param([at(0, denied("drive", visit=VISIT, cause="wrong_place"))], id="the_gate_held"),
            pytest.param([at(0, shows(zone="hall-3"))], id="buildings_are_another_rules"),
            pytest.param([at(0, granted("drive"))], id="no_pass_at_all"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(("gap", "change"), [(600, amended), (601, raised)])
    def test_boundary_of_one_incident(self, gap: int, change) -> None:
        tell(
            self.rule,
            at(0, shows(zone="drive")),
            at(gap, shows(zone="drive")),
            raised(5, severity=3),
            change(gap + 5, severity=3),
        )

    def test_blind_camera_beside_it_makes_no_difference(self) -> None:
        tell(
            self.rule,
            at(-1, offline("drive-camera", "drive")),
            at(0, shows(zone="drive")),
            raised(5, severity=3),
        )
