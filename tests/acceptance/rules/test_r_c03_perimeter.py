"""R-C03: somebody climbs, or crosses the line of a fence."""

from typing import ClassVar

import pytest
from telling import NIGHT, EveryRule, amended, at, cleared, crossing, offline, online, raised, seen, tell


def climbs(zone: str = "fence", **attributes: object):
    return seen("video.climb", zone, attributes=attributes)


def crosses(zone: str = "fence", direction: str | None = "in", **attributes: object):
    return crossing(zone, direction, attributes=attributes)


def panel(zone: str = "fence", *, armed: bool):
    return seen("alarm.intrusion", zone, attributes={"armed": armed})


def checks_in(zone: str = "fence"):
    return seen("patrol.checkin", zone, device=f"{zone}-reader")


class TestPerimeter(EveryRule):
    rule = "R-C03"
    how: ClassVar = {"begins": NIGHT}
    story = (
        at(-600, panel(armed=True)),
        at(0, climbs()),
        raised(5, severity=1),
        at(20, checks_in("garage")),
        at(180, checks_in()),
        cleared(185, severity=1),
    )

    @pytest.mark.parametrize(
        "what",
        [
            pytest.param(climbs(), id="climb"),
            pytest.param(crosses(), id="line"),
            pytest.param(crosses(direction="out"), id="line_outwards"),
            pytest.param(climbs("gate"), id="over_the_gate"),
            pytest.param(climbs("hall-9"), id="up_a_building"),
        ],
    )
    def test_urgent_by_day(self, what) -> None:
        tell(self.rule, at(0, what), raised(5, severity=2))

    @pytest.mark.parametrize(
        "what",
        [
            pytest.param(climbs(**{"class": "animal"}), id="a_cat_on_the_fence"),
            pytest.param(crosses(**{"class": "animal"}), id="a_dog_under_it"),
            pytest.param(crosses("square"), id="a_line_that_is_no_fence"),
            pytest.param(climbs("playground"), id="a_climbing_frame"),
            pytest.param(climbs(ended=True), id="the_end_of_a_climb"),
            pytest.param(panel(armed=True), id="arming_is_no_alarm"),
        ],
    )
    def test_silent(self, what) -> None:
        tell(self.rule, at(0, what), begins=NIGHT)

    @pytest.mark.parametrize(
        ("told", "night", "severity"),
        [(True, True, 1), (True, False, 2), (False, True, 2)],
    )
    def test_the_camera_itself_says_whether_it_is_armed(
        self, *, told: bool, night: bool, severity: int
    ) -> None:
        how = {"begins": NIGHT} if night else {}
        # A panel that says otherwise is not asked.
        tell(
            self.rule,
            at(-60, panel(armed=not told)),
            at(0, climbs(armed=told)),
            raised(5, severity=severity),
            **how,
        )

    @pytest.mark.parametrize(
        ("what", "reason"),
        [
            (climbs(), "climbed"),
            (crosses(), "fence_crossed"),
            (climbs(armed=True), "climbed_while_armed"),
            (crosses(armed=True), "fence_crossed_while_armed"),
        ],
    )
    def test_the_reason_says_what_was_seen(self, what, reason: str) -> None:
        assert tell(self.rule, at(0, what), raised(5, severity=2)).only.reason == reason

    def test_armed_by_day_is_urgent_and_no_more(self) -> None:
        tell(self.rule, at(-60, panel(armed=True)), at(0, climbs()), raised(5, severity=2))

    @pytest.mark.parametrize(
        ("panels", "climbs_to"),
        [
            pytest.param([at(-60, panel(armed=True)), at(-30, panel(armed=False))], 2, id="disarmed_since"),
            pytest.param([at(-60, panel(armed=False)), at(-30, panel(armed=True))], 1, id="armed_since"),
            pytest.param([at(-60, panel("gate", armed=True))], 1, id="by_another_zones_panel"),
            pytest.param(
                [at(-60, panel(armed=False)), at(-30, panel("gate", armed=True))],
                2,
                id="its_own_panel_counts",
            ),
            pytest.param([at(-2, panel(armed=True), arrives=2)], 1, id="told_a_little_late"),
            pytest.param([at(1, panel(armed=True))], 2, id="armed_afterwards"),
            pytest.param([at(-60, seen("alarm.intrusion", "fence"))], 2, id="says_nothing_of_it"),
        ],
    )
    def test_the_last_word_of_a_panel(self, panels: list, climbs_to: int) -> None:
        tell(
            self.rule,
            *panels,
            at(0, climbs()),
            raised(5, severity=climbs_to),
            begins=NIGHT,
        )

    @pytest.mark.parametrize(("again", "change"), [(300, amended), (301, raised)])
    def test_boundary_of_one_incident(self, again: int, change) -> None:
        tell(
            self.rule,
            at(0, climbs()),
            at(again, climbs()),
            raised(5, severity=2),
            change(again + 5, severity=2),
        )

    def test_a_patrol_that_was_there_before_ends_nothing(self) -> None:
        tell(self.rule, at(-30, checks_in()), at(0, crosses()), raised(5, severity=2))

    def test_blind_devices_of_the_zone_are_named_and_the_climber_is_seen(self) -> None:
        told = tell(
            self.rule,
            at(-400, offline("fence-plate", "fence")),
            at(-340, online("fence-plate", "fence")),
            at(-60, offline("fence-face", "fence")),
            at(-30, online("fence-face", "fence")),
            at(0, climbs()),
            raised(5, severity=2),
        )
        assert [one.device for one in told.only.blind] == ["fence-face"]
