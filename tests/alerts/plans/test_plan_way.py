"""A plan as people follow it: in order, by the branch that an answer chose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.plans.plan import (
    Do,
    Plan,
    Step,
    StepError,
    StepKind,
    Taken,
    check,
    next_step,
    on_the_way,
    plan_for,
)

LOOK = Step("look", StepKind.ASK, answers=("fire", "nothing"))
CALL = Step("call", StepKind.CALL, ("look", frozenset({"fire"})), number="119")
CLEAR = Step("clear", StepKind.DO, ("look", frozenset({"fire"})), optional=True)
RESET = Step("reset", StepKind.DO, ("look", frozenset({"nothing"})))
LAST = Step("last", StepKind.DO)
PLAN = Plan("fire", frozenset({"R-C09"}), (LOOK, CALL, CLEAR, RESET, LAST))
FIRE = {"look": Taken(Do.DONE, "fire")}


def test_until_the_question_is_answered_no_branch_is_there() -> None:
    assert [step.id for step in on_the_way(PLAN, {})] == ["look", "last"]
    assert next_step(PLAN, {}) == LOOK


def test_the_answer_chooses_the_branch() -> None:
    assert [step.id for step in on_the_way(PLAN, FIRE)] == ["look", "call", "clear", "last"]
    nothing = {"look": Taken(Do.DONE, "nothing")}
    assert [step.id for step in on_the_way(PLAN, nothing)] == ["look", "reset", "last"]


def test_a_plan_is_through_when_its_branch_is() -> None:
    done = FIRE | {name: Taken(Do.DONE) for name in ("call", "last")} | {"clear": Taken(Do.SKIPPED)}
    assert next_step(PLAN, done) is None


def test_what_failed_stays_to_be_done_and_may_be_done_again() -> None:
    failed = FIRE | {"call": Taken(Do.FAILED)}
    assert next_step(PLAN, failed) == CALL
    assert check(PLAN, failed, "call", Taken(Do.DONE), note=None) == CALL


@pytest.mark.parametrize(
    ("taken", "step", "wanted", "note", "code"),
    [
        ({}, "nowhere", Taken(Do.DONE), None, "no_such_step"),
        ({}, "call", Taken(Do.DONE), None, "not_on_this_way"),
        (FIRE, "reset", Taken(Do.DONE), None, "not_on_this_way"),
        (FIRE, "last", Taken(Do.DONE), None, "earlier_first"),
        ({}, "look", Taken(Do.DONE), None, "answer_required"),
        ({}, "look", Taken(Do.DONE, "maybe"), None, "unknown_answer"),
        ({}, "look", Taken(Do.SKIPPED), "no time", "question_not_skipped"),
        (FIRE, "call", Taken(Do.DONE, "fire"), None, "unknown_answer"),
        (FIRE, "call", Taken(Do.SKIPPED), None, "skip_reason_required"),
        (FIRE, "look", Taken(Do.DONE, "nothing"), None, "taken_already"),
    ],
)
def test_refused(taken: dict, step: str, wanted: Taken, note: str | None, code: str) -> None:
    with pytest.raises(StepError) as refused:
        check(PLAN, taken, step, wanted, note=note)
    assert refused.value.code == code


def test_skipping_needs_a_reason_unless_the_step_may_be_left_out() -> None:
    assert check(PLAN, FIRE, "call", Taken(Do.SKIPPED), note="the brigade is here") == CALL
    called = FIRE | {"call": Taken(Do.DONE)}
    assert check(PLAN, called, "clear", Taken(Do.SKIPPED), note=None) == CLEAR


def test_the_first_plan_that_fits_is_the_plan() -> None:
    duress = Plan("duress", frozenset({"R-E12"}), (LAST,), silent=True)
    other = Plan("other", frozenset(), (LAST,))
    plans = (duress, PLAN, other)
    assert plan_for(plans, {"R-C09"}) is PLAN
    assert plan_for(plans, {"R-C09", "R-E12"}) is duress, "what is silent stays silent"
    assert plan_for(plans, {"R-C01"}) is other


@given(st.lists(st.sampled_from(["look", "call", "clear", "reset", "last"]), max_size=20), st.data())
def test_any_walk_takes_each_step_once_and_ends(walk: list[str], data: st.DataObject) -> None:
    taken: dict[str, Taken] = {}
    for step_id in walk:
        answer = data.draw(st.sampled_from([None, "fire", "nothing"]))
        state = data.draw(st.sampled_from([Do.DONE, Do.SKIPPED]))
        before = next_step(PLAN, taken)
        try:
            step = check(PLAN, taken, step_id, Taken(state, answer), note="because")
        except StepError:
            continue
        assert step == before, "only the next step is ever taken"
        taken[step_id] = Taken(state, answer)
    assert set(taken) <= {step.id for step in on_the_way(PLAN, taken)}
