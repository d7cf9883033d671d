"""Nothing graver is ever kept quiet, put off or hidden by something lesser."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st
from test_routing import ANY, NOON

from alerts.routing.grouping import Stand, due
from alerts.routing.matching import parse
from alerts.routing.quiet import Open, Quieting, inhibited, silenced
from alerts.routing.tree import Facts, Inhibit, facts

EVERYTHING = (parse("severity >= 1"),)
SECONDS = st.integers(-100_000, 100_000).map(lambda s: NOON + dt.timedelta(seconds=s))
GRAVEST = st.integers(1, 4)


@given(ANY, GRAVEST)
def test_silence_covers_nothing_graver_than_it_says_and_never_safety(what: Facts, gravest: int) -> None:
    day = dt.timedelta(days=1)
    quiet = silenced([Quieting("s", EVERYTHING, gravest, NOON - day, NOON + day)], what, NOON)
    assert (quiet is not None) is (what.severity >= gravest and not what.safety and not what.silent)


def test_silence_holds_from_its_beginning_until_just_before_its_end() -> None:
    one = Quieting("s", EVERYTHING, 1, NOON, NOON + dt.timedelta(hours=1))
    lesser = facts(severity=3)
    assert one.covers(lesser, NOON)
    assert not one.covers(lesser, NOON - dt.timedelta(seconds=1))
    assert not one.covers(lesser, NOON + dt.timedelta(hours=1))


@given(ANY, ANY)
def test_target_graver_than_its_source_is_never_inhibited(source: Facts, target: Facts) -> None:
    rule = Inhibit("x", (parse("ring =~ .*"),), (parse("severity >= 1"),))
    only_sources = Inhibit("y", (parse("zone = s"),), (parse("zone != s"),))
    marked = Open("a", Facts(dict(source.labels) | {"zone": "s"}, source.severity))
    kept = inhibited([rule, only_sources], Open("b", target), [marked])
    if kept is not None:
        assert source.severity <= target.severity
        assert target.severity > 1
        assert not target.safety
        assert not target.silent
    elif target.severity > 1 and not target.safety and not target.silent:
        assert source.severity > target.severity


def test_inhibition_wants_the_same_place_where_the_rule_says_so() -> None:
    rule = Inhibit("storm", (parse("kind = device.storm"),), (parse("kind =~ device\\..*"),), ("device",))
    storm = Open("s", facts(kind="device.storm", severity=3, labels={"device": "d1"}))
    same = Open("t", facts(kind="device.clock", severity=4, labels={"device": "d1"}))
    other = Open("u", facts(kind="device.clock", severity=4, labels={"device": "d2"}))
    assert inhibited([rule], same, [storm]) is not None
    assert inhibited([rule], other, [storm]) is None
    assert inhibited([rule], storm, [Open("v", storm.facts)]) is None


@given(
    GRAVEST,
    st.none() | SECONDS,
    st.none() | GRAVEST,
    st.none() | SECONDS,
    st.integers(0, 300),
    st.integers(5, 900),
)
def test_group_tells_within_its_wait_what_is_graver_and_all_else_within_both(
    severity: int,
    told_at: dt.datetime | None,
    gravest: int | None,
    due_at: dt.datetime | None,
    wait: int,
    interval: int,
) -> None:
    when = due(Stand(told_at, gravest, due_at), severity, NOON, wait, interval)
    assert when <= NOON + dt.timedelta(seconds=wait + interval)
    if told_at is None or gravest is None or severity < gravest:
        assert when <= NOON + dt.timedelta(seconds=wait)
    if due_at is not None:
        assert when <= due_at


def test_first_of_a_group_waits_and_the_next_waits_for_the_interval() -> None:
    assert due(Stand(), 3, NOON, 10, 60) == NOON + dt.timedelta(seconds=10)
    told = Stand(NOON - dt.timedelta(seconds=20), 3)
    assert due(told, 3, NOON, 10, 60) == NOON + dt.timedelta(seconds=40)
    assert due(told, 2, NOON, 10, 60) == NOON + dt.timedelta(seconds=10)
    assert due(Stand(NOON - dt.timedelta(hours=5), 1), 4, NOON, 10, 60) == NOON + dt.timedelta(seconds=10)
