"""Who may review, what a low score does, how measures move: as pure rules."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.incidents.lifecycle import ReopenReason, State
from alerts.review import rules
from alerts.review.rules import AlertVerdict, Cause, Draft, MeasureState, Reviewer

MANAGER = Reviewer("m", "property_manager")


def draft(score: int = 3, lesson: str = "a lesson") -> Draft:
    return Draft(score, Cause.EQUIPMENT, AlertVerdict.LATE, lesson)


@pytest.mark.parametrize(
    ("reviewer", "by", "state", "given", "code"),
    [
        (MANAGER, {"op"}, State.RESOLVED, draft(), None),
        (Reviewer("a", "administrator"), {"op"}, State.RESOLVED, draft(), None),
        (Reviewer("o", "operator", "op-lead", leads=True), {"op"}, State.RESOLVED, draft(), None),
        (Reviewer("o", "operator", "op-2"), {"op"}, State.RESOLVED, draft(), "not_a_supervisor"),
        (Reviewer("g", "guard", "g-1", leads=True), {"op"}, State.RESOLVED, draft(), "not_a_supervisor"),
        (MANAGER, {"m"}, State.RESOLVED, draft(), "own_work"),
        (Reviewer("o", "operator", "lead", leads=True), {"lead"}, State.RESOLVED, draft(), "own_work"),
        (MANAGER, {"op"}, State.ARRIVED, draft(), "not_resolved"),
        (MANAGER, {"op"}, State.REVIEWED, draft(), "not_resolved"),
        (MANAGER, {"op"}, State.RESOLVED, draft(0), "score_range"),
        (MANAGER, {"op"}, State.RESOLVED, draft(6), "score_range"),
        (MANAGER, {"op"}, State.RESOLVED, draft(lesson="  "), "lesson_required"),
    ],
)
def test_review_is_refused_with_the_reason(reviewer, by, state, given, code):
    assert rules.refused(reviewer, by, state, given) == code


@given(
    score=st.integers(1, 5),
    state=st.sampled_from(list(State)),
    before=st.booleans(),
    by_reviewer=st.booleans(),
)
def test_only_the_first_low_score_of_what_was_done_takes_it_up_again(score, state, before, by_reviewer):
    reason = rules.reopens(score, state, before=before, by_reviewer=by_reviewer)
    if score <= 2 and not before and state in {State.RESOLVED, State.REVIEWED}:
        assert reason is (ReopenReason.WRONG_RESULT if by_reviewer else ReopenReason.NOT_DONE)
    else:
        assert reason is None


@pytest.mark.parametrize("to", list(MeasureState))
def test_what_was_done_stays_done_and_says_what_shows_it(to):
    assert rules.moves(MeasureState.DONE, to, "n") == "measure_not_from_here"
    if not to.is_open:
        assert rules.moves(MeasureState.OPEN, to, " ") == "measure_note_required"
        assert rules.moves(MeasureState.DOING, to, "photo in the file") is None


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(list(MeasureState)))))
def test_an_incident_is_held_by_a_blocking_measure_that_is_open_and_by_nothing_else(measures):
    expected = [s for b, s in measures if b and s in {MeasureState.OPEN, MeasureState.DOING}]
    assert rules.blocked(measures) == bool(expected)


@pytest.mark.parametrize(("days", "told"), [(-1, 0), (0, 0), (0.01, 1), (2.9, 1), (3, 2), (30, 2)])
def test_owner_hears_first_that_a_measure_is_late_and_the_manager_days_later(days, told):
    due = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    assert rules.reminders(due, due + dt.timedelta(days=days)) == told
