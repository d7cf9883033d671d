"""What a round came to: each finding at its edge, and that the order of telling changes nothing."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.patrols.judging import Finding, Plan, Seen, judge

T0 = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)
POINTS = ("a", "b", "c")
WALK = Plan(POINTS, T0, T0 + dt.timedelta(minutes=30), tolerance=dt.timedelta(minutes=10))
OVER = 41


def at(minutes: float) -> dt.datetime:
    return T0 + dt.timedelta(minutes=minutes)


def seen(point: str, minutes: float, **more: object) -> Seen:
    return Seen(f"{point}@{minutes}", point, at(minutes), **more)


def found(plan: Plan, *visits: Seen, now: float = OVER, duty=None) -> list[tuple[str, str]]:
    judged = judge(plan, visits, at(now), duty or {})
    return [(str(one.what), one.point) for one in judged.findings]


WHOLE = (seen("a", 1), seen("b", 10), seen("c", 20))


@pytest.mark.parametrize(
    ("plan", "visits", "expected"),
    [
        pytest.param(WALK, WHOLE, [], id="all_in_time"),
        pytest.param(WALK, WHOLE[:2], [("missed", "c")], id="one_missed"),
        pytest.param(WALK, (), [("missed", "a"), ("missed", "b"), ("missed", "c")], id="nobody_came"),
        pytest.param(WALK, (*WHOLE[:2], seen("c", 30)), [], id="at_the_last_moment"),
        pytest.param(WALK, (*WHOLE[:2], seen("c", 30.1)), [("late", "c")], id="late"),
        pytest.param(WALK, (*WHOLE[:2], seen("c", 40)), [("late", "c")], id="as_late_as_may_be"),
        pytest.param(
            WALK, (*WHOLE[:2], seen("c", 40.1)), [("missed", "c"), ("out_of_time", "c")], id="too_late"
        ),
        pytest.param(WALK, (seen("a", -10), *WHOLE[1:]), [], id="as_early_as_may_be"),
        pytest.param(
            WALK, (seen("a", -10.1), *WHOLE[1:]), [("out_of_time", "a"), ("missed", "a")], id="too_early"
        ),
        pytest.param(WALK, (*WHOLE, seen("a", 25)), [("repeated", "a")], id="once_more"),
        pytest.param(WALK, (*WHOLE, seen("z", 25)), [("other_route", "z")], id="of_another_route"),
        pytest.param(WALK, (WHOLE[1], seen("a", 12), WHOLE[2]), [], id="any_order_where_it_is_free"),
        pytest.param(
            replace(WALK, in_order=True),
            (WHOLE[1], seen("a", 12), WHOLE[2]),
            [("wrong_order", "a")],
            id="wrong_order",
        ),
        pytest.param(
            replace(WALK, in_order=True), (seen("b", 1), seen("a", 1), seen("c", 9)), [], id="at_one_moment"
        ),
        pytest.param(replace(WALK, least=dt.timedelta(minutes=9)), WHOLE, [], id="just_slow_enough"),
        pytest.param(
            replace(WALK, least=dt.timedelta(minutes=9.5)), WHOLE, [("too_fast", "b")], id="drove_by"
        ),
        pytest.param(replace(WALK, most=dt.timedelta(minutes=10)), WHOLE, [], id="just_fast_enough"),
        pytest.param(replace(WALK, most=dt.timedelta(minutes=9.5)), WHOLE, [("too_slow", "c")], id="dawdled"),
        pytest.param(WALK, (*WHOLE[:2], seen("c", 20, told_late=True)), [("told_late", "c")], id="told_late"),
        pytest.param(WALK, (*WHOLE[:2], seen("c", 20, by_hand=True)), [("by_hand", "c")], id="by_hand"),
        pytest.param(
            WALK,
            (*WHOLE[:2], seen("c", 20, old_code=True)),
            [("old_code", "c"), ("missed", "c")],
            id="a_code_that_was_replaced_counts_for_nothing",
        ),
    ],
)
def test_findings(plan: Plan, visits: tuple[Seen, ...], expected: list[tuple[str, str]]) -> None:
    assert sorted(found(plan, *visits)) == sorted(expected)


def test_nothing_is_missed_before_its_time_is_over() -> None:
    assert found(WALK, now=40) == []
    judged = judge(WALK, WHOLE[:1], at(40))
    assert (judged.missing, judged.is_over, judged.is_done) == (("b", "c"), False, False)
    assert judge(WALK, WHOLE, at(40)).is_done


def test_one_person_at_two_points_at_once_is_told_and_two_people_are_not() -> None:
    one = (seen("a", 1, by="li"), replace(seen("b", 1.05), by="li"), seen("c", 20, by="li"))
    assert found(WALK, *one) == [("two_places", "b")]
    two = (one[0], replace(one[1], by="wang"), one[2])
    assert found(WALK, *two) == []
    # Of the same point a second scan is only that.
    assert found(WALK, *WHOLE, replace(seen("a", 1.01), by="li")) == [("repeated", "a")]


def test_off_duty_is_told_of_whose_hours_are_known() -> None:
    visits = [replace(one, by="li") for one in WHOLE]
    assert found(WALK, *visits, duty={"li": [(at(-60), at(10))]}) == [("off_duty", "b"), ("off_duty", "c")]
    assert found(WALK, *visits, duty={"wang": []}) == []


def test_two_phones_that_scan_one_point_together_visit_it_once() -> None:
    judged = judge(WALK, [*WHOLE, Seen("other-phone", "a", at(1), by="wang")], at(OVER))
    assert judged.is_done
    assert [one.what for one in judged.findings] == [Finding.REPEATED]


_MINUTES = st.integers(-20, 60)
_VISITS = st.lists(
    st.builds(
        Seen,
        client=st.sampled_from([f"c{number}" for number in range(12)]),
        point=st.sampled_from([*POINTS, "z"]),
        at=_MINUTES.map(at),
        by=st.sampled_from([None, "li", "wang"]),
        told_late=st.booleans(),
        by_hand=st.booleans(),
        old_code=st.booleans(),
    ),
    max_size=12,
)
_PLANS = st.builds(
    Plan,
    points=st.just(POINTS),
    due_from=st.just(T0),
    due_until=st.just(WALK.due_until),
    in_order=st.booleans(),
    least=st.sampled_from([None, dt.timedelta(minutes=3)]),
    most=st.sampled_from([None, dt.timedelta(minutes=9)]),
    tolerance=st.sampled_from([dt.timedelta(0), dt.timedelta(minutes=10)]),
)


@given(_PLANS, _VISITS, st.randoms(use_true_random=False), st.integers(0, 60))
def test_visits_sent_twice_and_in_any_order_change_nothing(plan, visits, chance, now) -> None:
    mixed = [*visits, *visits]
    chance.shuffle(mixed)
    duty = {"li": [(at(0), at(20))]}
    assert judge(plan, mixed, at(now), duty) == judge(plan, visits, at(now), duty)


@given(_PLANS, _VISITS)
def test_a_point_visited_in_time_is_never_missed_and_any_other_is(plan, visits) -> None:
    visits = list({one.client: one for one in visits}.values())
    judged = judge(plan, visits, at(120))
    came = {
        one.point
        for one in visits
        if one.point in POINTS
        and not one.old_code
        and plan.due_from - plan.tolerance <= one.at <= plan.due_until + plan.tolerance
    }
    missed = {one.point for one in judged.findings if one.what is Finding.MISSED}
    assert missed == set(POINTS) - came
    assert set(judged.visited) == came


@given(_PLANS, _VISITS)
def test_what_was_told_late_is_never_silently_in_time(plan, visits) -> None:
    visits = list({one.client: one for one in visits}.values())
    judged = judge(plan, visits, at(120))
    said = {one.point for one in judged.findings if one.what is Finding.TOLD_LATE}
    for point, moment in judged.visited.items():
        counted = [one for one in visits if (one.point, one.at) == (point, moment) and not one.old_code]
        if all(one.told_late for one in counted):
            assert point in said
