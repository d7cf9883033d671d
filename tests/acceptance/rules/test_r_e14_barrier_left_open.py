"""R-E14: a barrier is up, and no vehicle is there for it."""

import datetime as dt

import pytest
from telling import (
    MORNING,
    EveryRule,
    amended,
    at,
    barrier_closed,
    barrier_opened,
    cleared,
    offline,
    plate,
    raised,
    seen,
    tell,
)

from alerts.rules import Entry, Hours, RuleBook

# It has told of a closing before: one that never does is not judged.
BEFORE = at(-600, barrier_closed())


class TestBarrierLeftOpen(EveryRule):
    rule = "R-E14"
    story = (
        BEFORE,
        at(0, barrier_opened()),
        at(400, barrier_closed()),
        raised(65, severity=4),
        amended(305, severity=3),
        cleared(405, severity=3),
    )

    def test_says_for_how_long(self) -> None:
        told = tell(self.rule, *self.story)
        assert [signal.reason_args["open_s"] for signal in told.cases[0].signals] == [60, 300]

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, barrier_opened()), at(40, barrier_closed())], id="closed_in_time"),
            pytest.param([at(0, barrier_opened(cause="schedule"))], id="meant_to_stand_open"),
            pytest.param([at(0, barrier_opened(cause="fire_release"))], id="fire"),
            pytest.param([at(0, plate("云M12345")), at(30, plate("云M54321"))], id="never_opened"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, BEFORE, *steps)

    def test_queue_keeps_it_up_and_time_runs_from_its_last_vehicle(self) -> None:
        queue = [at(second, plate(f"云M1234{number}")) for number, second in enumerate((30, 80, 130, 180))]
        tell(self.rule, BEFORE, at(0, barrier_opened()), *queue, at(230, barrier_closed()))
        tell(
            self.rule,
            BEFORE,
            at(0, barrier_opened()),
            *queue,
            at(500, barrier_closed()),
            raised(245, severity=4),
            amended(485, severity=3),
            cleared(505, severity=3),
        )

    @pytest.mark.parametrize(
        ("open_s", "closes", "speaks"), [(60, 60, False), (60, 61, True), (61, 61, False)]
    )
    def test_boundary_of_open(self, open_s: int, closes: int, *, speaks: bool) -> None:
        changes = [raised(open_s + 5, severity=4), cleared(closes + 5, severity=4)] if speaks else []
        tell(
            self.rule, BEFORE, at(0, barrier_opened()), at(closes, barrier_closed()), *changes,
            values={"open_s": open_s},
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("long_s", "closes", "speaks"), [(300, 300, False), (300, 301, True), (301, 301, False)]
    )
    def test_boundary_of_long(self, long_s: int, closes: int, *, speaks: bool) -> None:
        changes = [raised(65, severity=4), cleared(closes + 5, severity=3 if speaks else 4)]
        if speaks:
            changes.append(amended(long_s + 5, severity=3))
        tell(
            self.rule, BEFORE, at(0, barrier_opened()), at(closes, barrier_closed()), *changes,
            values={"long_s": long_s},
        )  # fmt: skip

    def test_hours_of_the_book_switch_it_off(self) -> None:
        market = Hours("market", frozenset({0}), dt.time(9), dt.time(12), frozenset({"drive"}), enabled=False)
        book = RuleBook(entries={self.rule: Entry(hours=(market,))})
        steps = [step for step in self.story if not hasattr(step, "change")]
        tell(self.rule, *steps, book=book)
        tell(self.rule, *self.story, book=book, begins=MORNING + dt.timedelta(hours=5))

    def test_barrier_that_never_tells_of_closing_is_not_judged(self) -> None:
        tell(self.rule, at(0, barrier_opened()))

    def test_barrier_inside_is_not_the_entrances(self) -> None:
        tell(self.rule, at(-600, barrier_closed("garage")), at(0, barrier_opened("garage")))

    @pytest.mark.parametrize("device", ["drive-barrier", "drive-plate"])
    def test_blind_lane_may_be_closed_or_full_of_vehicles(self, device: str) -> None:
        tell(self.rule, BEFORE, at(0, barrier_opened()), at(20, offline(device, "drive")))

    def test_blind_lane_beside_it_changes_nothing(self) -> None:
        tell(self.rule, at(-700, offline("far-drive-barrier", "far-drive")), *self.story)

    def test_vehicle_that_stands_beneath_it_is_a_vehicle(self) -> None:
        tell(
            self.rule,
            BEFORE,
            at(0, barrier_opened()),
            at(30, seen("vehicle.stranded", "drive")),
            at(80, barrier_closed()),
        )
