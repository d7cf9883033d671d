"""R-D03: a device says the same thing over and over."""

import pytest
from telling import (
    EveryRule,
    amended,
    at,
    barrier_opened,
    door_closed,
    door_opened,
    face_unknown,
    granted,
    offline,
    plate,
    raised,
    rules_named,
    run,
    seen,
    tell,
)


def branch(zone: str = "fence"):
    return seen("video.intrusion", zone)


def many(what, count: int, seconds: float = 58, start: float = 0) -> list:
    """So many of it, evenly within so many seconds."""
    return [at(start + seconds * number / count, what) for number in range(count)]


class TestStorm(EveryRule):
    rule = "R-D03"
    story = (*many(branch(), 31, 31), raised(35, severity=4))

    def test_says_of_what_and_how_often(self) -> None:
        told = tell(self.rule, *self.story)
        assert told.only.reason_args == {"what": "video.intrusion", "count": 31, "limit": 30}
        assert told.only.dedupe_key == "R-D03:fence-camera:video.intrusion"

    def test_goes_on_and_is_said_once(self) -> None:
        tell(self.rule, *many(branch(), 300, 300), raised(35, severity=4))

    def test_comes_again_and_is_the_same_incident(self) -> None:
        steps = [*many(branch(), 31, 31), *many(branch(), 31, 31, start=300)]
        tell(self.rule, *steps, raised(35, severity=4), amended(335, severity=4))

    @pytest.mark.parametrize(("together_min", "change"), [(5, amended), (4, raised)])
    def test_boundary_of_one_incident(self, together_min: int, change) -> None:
        steps = [*many(branch(), 31, 31), *many(branch(), 31, 31, start=300)]
        tell(
            self.rule, *steps, raised(35, severity=4), change(335, severity=4),
            values={"together_min": together_min},
        )  # fmt: skip

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param(many(branch(), 30), id="thirty"),
            pytest.param(many(branch(), 31, 62), id="thirty_one_in_more_than_a_minute"),
            pytest.param([*many(branch(), 30), *many(seen("video.loitering", "fence"), 30)], id="two_kinds"),
            pytest.param([*many(branch(), 30), *many(branch("garage"), 30)], id="two_devices"),
            pytest.param(many(seen("visitor.registered", "gate"), 40), id="a_guard_who_types_fast"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(("per_min", "speaks"), [(30, True), (31, False)])
    def test_boundary_of_the_number(self, per_min: int, *, speaks: bool) -> None:
        changes = [raised(35, severity=4)] if speaks else []
        tell(self.rule, *many(branch(), 31, 31), *changes, values={"per_min": per_min})

    @pytest.mark.parametrize(("passages", "speaks"), [(60, True), (61, False)])
    def test_boundary_of_what_people_do_one_after_the_other(self, passages: int, *, speaks: bool) -> None:
        changes = [raised(35, severity=4)] if speaks else []
        tell(self.rule, *many(door_opened(), 61, 30.5), *changes, values={"passages_per_min": passages})

    def test_school_run_is_no_storm(self) -> None:
        steps = []
        for number in range(40):
            steps += [at(number, granted()), at(number + 0.2, door_opened()), at(number + 0.8, door_closed())]
        tell(self.rule, *steps)

    def test_device_that_was_cut_short_before_it_got_here(self) -> None:
        fault = seen("device.fault", "fence", cause="flooding", attributes={"from": "…", "until": "…"})
        told = tell(self.rule, at(0, fault), raised(5, severity=4))
        assert told.only.reason == "storm_dropped"
        tell(self.rule, at(0, seen("device.fault", "fence", cause="camera_broken")))

    def test_blind_neighbour_changes_nothing(self) -> None:
        tell(self.rule, at(-5, offline("fence-reader", "fence")), *self.story)


def test_what_a_storm_makes_others_say_becomes_part_of_it() -> None:
    """A camera reads a plate into a hedge, another each time: notices, and one incident."""
    steps = []
    for number in range(130):
        steps += [at(number * 0.4, plate(f"云M{number:05}")), at(number * 0.4 + 0.1, barrier_opened())]
    alone = run(rules_named("R-E04"), steps).cases
    assert len(alone) > 10
    cases = run(rules_named("R-E04", "R-D03"), steps).cases
    # The camera's, and that of the barrier which it made go up and down.
    assert [case.rule for case in cases] == ["R-D03", "R-D03"]
    storm = cases[0]
    assert {case.key for case in alone} <= storm.keys
    assert storm.severity == 4


def test_nothing_urgent_becomes_part_of_a_storm() -> None:
    steps = [at(number, seen("door.forced", "hall-9")) for number in range(40)]
    cases = run(rules_named("R-B05", "R-D03"), steps).cases
    assert sorted((case.rule, case.severity) for case in cases) == [("R-B05", 2), ("R-D03", 4)]


def test_what_others_say_of_a_quiet_device_stays_its_own() -> None:
    steps = [at(0, face_unknown()), at(2, door_opened())]
    (case,) = run(rules_named("R-E01", "R-D03"), steps).cases
    assert case.rule == "R-E01"
