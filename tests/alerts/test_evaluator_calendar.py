"""What the register and the clock say reaches the rules: while a holder runs, and over its death."""

import datetime as dt

import pytest
from shifts import Shift
from timeline import START

from alerts import calendar
from alerts.rules import Observation


def test_the_end_of_a_visit_is_heard_while_it_runs(shift: Shift) -> None:
    shift.sets_rules('[rules."R-E02"]\ngrace_min = 1\n')
    shift.take_over()
    shift.visits(ends_in=60)
    shift.passes(58)
    assert shift.heard("visitor.expired") == []
    shift.passes(6)
    (expired,) = shift.heard("visitor.expired")
    assert expired.at == START + dt.timedelta(seconds=60)
    shift.passes(65)
    assert shift.rules() == ["R-E02"]


@pytest.mark.parametrize("lived_s", [1, 59, 60, 61, 62, 63, 64, 70])
def test_the_end_of_a_visit_is_heard_once_whenever_the_holder_dies(shift: Shift, lived_s: int) -> None:
    shift.sets_rules('[rules."R-E02"]\ngrace_min = 1\n')
    shift.take_over()
    shift.visits(ends_in=60)
    shift.passes(lived_s)
    shift.tells()
    shift.dies()
    shift.take_over()
    shift.evaluator.take([], is_end=True)
    shift.passes(75)
    assert [seen.at for seen in shift.heard("visitor.expired")] == [START + dt.timedelta(seconds=60)]
    shift.passes(65)
    assert shift.rules() == ["R-E02"]
    assert shift.incidents()[0].signal_count == 1


@pytest.mark.parametrize("lived_s", [1, 9, 10, 11, 12, 13, 14, 20])
def test_what_the_register_says_at_once_is_raised_whenever_the_holder_dies(
    shift: Shift, lived_s: int
) -> None:
    """R-D07 asks nothing of the time after it: who dies between the moment and its turn has not said it."""
    shift.take_over()
    shift.orders(answer_by=10)
    shift.passes(lived_s)
    shift.tells()
    shift.dies()
    shift.take_over()
    shift.evaluator.take([], is_end=True)
    shift.passes(15)
    assert shift.rules() == ["R-D07"]
    assert shift.incidents()[0].signal_count == 1


def test_a_calendar_that_fails_keeps_no_question_from_being_answered_and_is_heard_later(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = calendar.between

    def fails(*_: object) -> list[Observation]:
        raise ValueError("a row that nobody had thought of")

    shift.take_over()
    shift.passes(3)
    shift.happens(shift.stranger(), shift.event("door.opened", "gate"))
    shift.orders(answer_by=5)
    monkeypatch.setattr(calendar, "between", fails)
    shift.passes(20)
    assert shift.rules() == ["R-E01"]
    assert shift.figure("rule_faults", rule="calendar") > 0
    # Nor does it say that it has come further than it has.
    assert shift.evaluator.come.advanced_to == START + dt.timedelta(seconds=3)
    monkeypatch.setattr(calendar, "between", plain)
    shift.passes(1)
    assert sorted(shift.rules()) == ["R-D07", "R-E01"]
    assert shift.evaluator.come.advanced_to == shift.clock.now()
