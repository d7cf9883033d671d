"""R-E08: one plate at two places at once, or in twice and never out: a clone, or a misread."""

import dataclasses
from typing import ClassVar

import pytest
from telling import EveryRule, at, barrier_opened, offline, plate, raised, seen, site, tell

from alerts.rules.site import Site, SiteDevice

PLATE = "云M12345"


def plan(*, exits: bool = True) -> Site:
    """Drive and garage are 300 m (18 s) apart, both drives 60 m; cars leave by the far drive."""
    known = site()
    devices = dict(known.devices)
    if exits:
        devices["far-drive-plate"] = dataclasses.replace(devices["far-drive-plate"], direction="out")
    return dataclasses.replace(known, devices=devices)


def read(zone: str = "drive", direction: str | None = "in", **facts: object):
    return plate(PLATE, zone, direction, **facts)


def uncertain(zone: str, direction: str | None, text: str | None = None):
    return seen("plate.uncertain", zone, direction=direction, plate=text, score=0.6)


class TestTooFast(EveryRule):
    rule = "R-E08"
    how: ClassVar = {"plan": plan()}
    story = (at(0, read()), at(9, read("garage")), raised(14, severity=3))

    def test_says_how_far_and_how_fast(self) -> None:
        told = tell(self.rule, *self.story, **self.how)
        assert told.only.reason == "plate_too_fast"
        assert told.only.reason_args == {
            "plate": PLATE, "lane": "garage", "other_lane": "drive", "gap_s": 9, "metres": 300,
        }  # fmt: skip
        assert (told.only.subject_kind, told.only.subject) == ("plate", PLATE)

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, read()), at(9, plate("云M54321", "garage"))], id="another_plate"),
            pytest.param([at(0, read(score=0.79)), at(9, read("garage"))], id="first_read_unsure"),
            pytest.param([at(0, read()), at(9, read("garage", score=0.79))], id="second_read_unsure"),
            pytest.param([at(0, uncertain("drive", "in", PLATE)), at(9, read("garage"))], id="uncertain"),
            pytest.param([at(0, read()), at(2, read("far-drive"))], id="cameras_side_by_side"),
            pytest.param([at(0, read()), at(9, read("garage"), late=True)], id="late"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps, **self.how)

    def test_silent_where_the_plan_does_not_say_how_far(self) -> None:
        nowhere = Site(plan().zones, {})
        tell(self.rule, at(0, read()), at(9, read("garage", "out")), plan=nowhere)

    @pytest.mark.parametrize(
        ("speed_kmh", "gap", "speaks"),
        [(60, 17, True), (60, 18, False), (59, 18, True), (61, 17.8, False)],
    )
    def test_boundary_of_the_speed(self, speed_kmh: int, gap: float, *, speaks: bool) -> None:
        story = [at(0, read()), at(gap, read("garage", "out"))]
        if speaks:
            story.append(raised(gap + 5, severity=3))
        tell(self.rule, *story, values={"speed_kmh": speed_kmh}, **self.how)

    @pytest.mark.parametrize(("floor_s", "speaks"), [(18, True), (19, False)])
    def test_boundary_of_the_floor(self, floor_s: int, *, speaks: bool) -> None:
        story = [at(0, read()), at(9, read("garage", "out"))]
        if speaks:
            story.append(raised(14, severity=3))
        tell(self.rule, *story, values={"floor_s": floor_s}, **self.how)

    @pytest.mark.parametrize(("score", "speaks"), [(0.8, True), (0.79, False), (None, True)])
    def test_boundary_of_the_confidence(self, score: float | None, *, speaks: bool) -> None:
        story = [at(0, read(score=score)), at(9, read("garage", "out"))]
        if speaks:
            story.append(raised(14, severity=3))
        tell(self.rule, *story, **self.how)

    def test_blind_camera_elsewhere_excuses_nobody_who_was_seen_twice(self) -> None:
        tell(self.rule, at(-60, offline("far-drive-plate", "far-drive")), *self.story, **self.how)


class TestInTwice(EveryRule):
    rule = "R-E08"
    how: ClassVar = {"plan": plan()}
    story = (at(0, read()), at(300, read()), raised(305, severity=3))

    def test_says_where_and_when(self) -> None:
        told = tell(self.rule, *self.story, **self.how)
        assert told.only.reason == "plate_in_twice"
        assert told.only.reason_args["gap_s"] == 300

    @pytest.mark.parametrize(
        "between",
        [
            pytest.param([at(100, read("far-drive", "out"))], id="left"),
            pytest.param([at(100, read("far-drive", None))], id="seen_going_nobody_knows_where"),
            pytest.param([at(100, uncertain("far-drive", "out", PLATE))], id="probably_left"),
            pytest.param([at(100, uncertain("far-drive", "out"))], id="some_plate_left_unread"),
            pytest.param([at(100, seen("plate.none", "far-drive", direction="out"))], id="no_plate_left"),
            pytest.param([at(100, barrier_opened("far-drive"))], id="barrier_let_out_somebody_unread"),
            pytest.param([at(100, read(score=0.5))], id="misread_between"),
        ],
    )
    def test_silent_where_it_may_have_left(self, between: list) -> None:
        tell(self.rule, at(0, read()), *between, at(300, read()), **self.how)

    def test_barrier_that_opened_for_another_plate_missed_nobody(self) -> None:
        let_out = [at(100, plate("云M54321", "far-drive", "out")), at(103, barrier_opened("far-drive"))]
        tell(self.rule, at(0, read()), *let_out, at(300, read()), raised(305, severity=3), **self.how)

    def test_reads_of_one_passage_are_one(self) -> None:
        reads = [at(second, read()) for second in (0, 50, 100, 150, 200)]
        tell(self.rule, *reads, **self.how)

    def test_cameras_side_by_side_see_one_passage(self) -> None:
        tell(self.rule, at(0, read()), at(20, read("far-drive")), **self.how)

    def test_boundary_of_one_passage(self) -> None:
        tell(self.rule, at(0, read()), at(60, read()), **self.how)
        tell(self.rule, at(0, read()), at(61, read()), raised(66, severity=3), **self.how)

    @pytest.mark.parametrize(("within_min", "speaks"), [(5, True), (4.99, False)])
    def test_boundary_of_the_time_between(self, within_min: float, *, speaks: bool) -> None:
        story = [at(0, read()), at(300, read())]
        if speaks:
            story.append(raised(305, severity=3))
        tell(self.rule, *story, values={"within_min": within_min}, **self.how)

    def test_silent_where_no_camera_reads_exits(self) -> None:
        tell(self.rule, at(0, read()), at(300, read()), plan=plan(exits=False))

    @pytest.mark.parametrize(
        "trouble",
        [
            offline("far-drive-plate", "far-drive"),
            seen("video.occlusion", "far-drive", device="far-drive-plate"),
        ],
        ids=["offline", "covered"],
    )
    def test_blind_exit_camera_may_have_missed_it(self, trouble) -> None:
        tell(self.rule, at(0, read()), at(100, trouble), at(300, read()), **self.how)

    def test_third_entry_within_the_hour_is_the_same_incident(self) -> None:
        told = tell(
            self.rule,
            *self.story,
            at(600, read()),
            dataclasses.replace(raised(605, severity=3), change="amended"),
            **self.how,
        )
        assert len(told.cases) == 1


def test_two_lanes_of_one_device_have_no_way_between_them() -> None:
    """A plan in which both places are the same point says nothing about speed."""
    devices = {
        name: SiteDevice(name, zone, "plate_camera", zone, "in", x=0.0, y=0.0)
        for name, zone in (("drive-plate", "drive"), ("garage-plate", "garage"))
    }
    tell("R-E08", at(0, read()), at(1, read("garage")), plan=Site(plan().zones, devices))
