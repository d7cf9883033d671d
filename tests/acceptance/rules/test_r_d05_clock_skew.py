"""R-D05: a device's clock is wrong, as its heartbeats or five events in a row say."""

import datetime as dt

import pytest
from telling import MORNING, EveryRule, amended, at, cleared, granted, offline, raised, seen, tell


def event(second: float, skew: float | None, **how: object):
    """Something the device says at `second`, when its own clock is `skew` seconds ahead of ours."""
    told = None if skew is None else MORNING + dt.timedelta(seconds=second + skew)
    return at(second, granted(device_time=told), **how)


def row(count: int = 5, skew: float | None = 20, start: float = 0) -> list:
    return [event(start + 10 * number, skew) for number in range(count)]


def skewed(cause: str = "clock_off", **more: object):
    attributes = {"offset_ms": 7000} | more
    return seen("device.time_skew", "gate", device="gate-reader", cause=cause, attributes=attributes)


class TestRowOfEvents(EveryRule):
    rule = "R-D05"
    story = (*row(), raised(45, severity=4))

    def test_says_how_far_and_which_way(self) -> None:
        ahead = tell(self.rule, *self.story).only
        assert (ahead.reason, ahead.reason_args["skew_s"]) == ("clock_ahead", 20)
        assert len(ahead.evidence) == 5
        behind = tell(self.rule, *row(skew=-8), raised(45, severity=4)).only
        assert (behind.reason, behind.reason_args["skew_s"]) == ("clock_behind", 8)

    def test_time_in_the_future_is_a_wrong_clock(self) -> None:
        tell(self.rule, *row(skew=3600), raised(45, severity=4))

    @pytest.mark.parametrize("skew", [5, -5, 0, None])
    def test_silent_where_the_clock_is_near_enough_or_says_nothing(self, skew: float | None) -> None:
        tell(self.rule, *row(20, skew))

    def test_one_right_time_breaks_the_row(self) -> None:
        tell(self.rule, *row(4), event(40, 0), *row(4, start=50))

    def test_event_without_a_time_of_its_own_does_not(self) -> None:
        tell(self.rule, *row(4), event(40, None), event(50, 20), raised(55, severity=4))

    def test_devices_are_judged_each_by_itself(self) -> None:
        other = [
            at(number, granted("side-gate", device_time=MORNING + dt.timedelta(seconds=number + 20)))
            for number in range(2)
        ]
        tell(self.rule, *row(4), *other)

    @pytest.mark.parametrize(("in_a_row", "speaks"), [(5, True), (6, False)])
    def test_boundary_of_the_row(self, in_a_row: int, *, speaks: bool) -> None:
        changes = [raised(45, severity=4)] if speaks else []
        tell(self.rule, *row(), *changes, values={"in_a_row": in_a_row})

    @pytest.mark.parametrize(("skew_s", "skew", "speaks"), [(5, 5.1, True), (6, 5.1, False), (5, -5.1, True)])
    def test_boundary_of_the_skew(self, skew_s: int, skew: float, *, speaks: bool) -> None:
        changes = [raised(45, severity=4)] if speaks else []
        tell(self.rule, *row(skew=skew), *changes, values={"skew_s": skew_s})

    def test_goes_on_and_is_said_once(self) -> None:
        tell(self.rule, *row(60), raised(45, severity=4))

    def test_ends_when_enough_right_times_followed(self) -> None:
        tell(
            self.rule,
            *row(),
            *row(5, skew=0, start=100),
            raised(45, severity=4),
            # Ten minutes after the last wrong one, at 40.
            cleared(645, severity=4),
        )

    def test_does_not_end_on_a_few_right_times(self) -> None:
        tell(self.rule, *row(), *row(4, skew=0, start=100), raised(45, severity=4))

    def test_does_not_end_while_heartbeats_say_otherwise(self) -> None:
        tell(
            self.rule,
            *row(),
            at(50, skewed()),
            *row(6, skew=0, start=100),
            raised(45, severity=4),
            amended(55, severity=4),
        )

    def test_old_records_have_old_times(self) -> None:
        tell(self.rule, *(event(10 * number, -7200, late=True) for number in range(9)))

    def test_blind_neighbour_changes_nothing(self) -> None:
        tell(self.rule, at(-5, offline("gate-camera", "gate")), *self.story)


class TestHeartbeats(EveryRule):
    rule = "R-D05"
    story = (
        at(0, skewed()),
        at(900, skewed("clock_right", offset_ms=100)),
        raised(5, severity=4),
        cleared(905, severity=4),
    )

    def test_says_how_far(self) -> None:
        told = tell(self.rule, *self.story)
        assert (told.only.reason, told.only.reason_args["skew_s"]) == ("clock_ahead", 7)

    def test_whole_hours_are_a_time_zone(self) -> None:
        told = tell(self.rule, at(0, skewed(offset_ms=-28_800_000, hours_off=-8)), raised(5, severity=4))
        assert (told.only.reason, told.only.reason_args["hours"]) == ("clock_zone", 8)

    def test_silent_about_a_clock_that_is_right(self) -> None:
        tell(self.rule, at(0, skewed("clock_right")))

    def test_blind_device_that_came_back_with_a_wrong_clock(self) -> None:
        tell(self.rule, at(-5, offline("gate-reader", "gate")), *self.story)

    def test_boundary_is_the_one_that_heartbeats_are_measured_with(self) -> None:
        """Ingest has judged: a compound's own number is about events."""
        tell(self.rule, *self.story, values={"skew_s": 300})
