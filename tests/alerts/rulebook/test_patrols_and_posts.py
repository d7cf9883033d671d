"""When rounds are due and posts manned, by the compound's clock."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

from alerts.rulebook.values import Patrol, Post

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def at(day, hour, minute=0, zone=SHANGHAI):
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=zone)


def hours(*values):
    return tuple(dt.timedelta(hours=value) for value in values)


def test_rounds_are_due_at_their_times_on_their_days():
    # 23 November is a Monday.
    patrol = Patrol("night", ("point-1",), hours(22, 26), frozenset({0}))
    due = patrol.due_between(at(22, 0), at(30, 0), SHANGHAI)
    assert due == [at(23, 22), at(24, 2)]
    assert all(moment.tzinfo is dt.UTC for moment in due)


def test_spans_that_follow_each_other_give_each_moment_once():
    patrol = Patrol("day", ("point-1",), hours(9, 15))
    bounds = [at(23, 8), at(23, 9), at(23, 9, 30), at(23, 15), at(24, 9), at(24, 9, 1)]
    parts = [patrol.due_between(one, other, SHANGHAI) for one, other in itertools.pairwise(bounds)]
    assert [moment for part in parts for moment in part] == [at(23, 9), at(23, 15), at(24, 9)]
    assert patrol.due_between(bounds[0], bounds[-1], SHANGHAI) == [at(23, 9), at(23, 15), at(24, 9)]


def test_post_of_the_night_belongs_to_the_evening():
    post = Post("gate", dt.time(22), dt.time(6), frozenset({0}))
    assert post.between(at(24, 1), at(24, 2), SHANGHAI) == [(at(23, 22), at(24, 6))]
    assert post.between(at(25, 1), at(25, 2), SHANGHAI) == []
    assert post.until(at(24, 5, 59), SHANGHAI) == at(24, 6)
    assert post.until(at(24, 6), SHANGHAI) is None
    assert post.until(at(23, 21, 59), SHANGHAI) is None
    assert post.until(at(23, 22), SHANGHAI) == at(24, 6)


def test_post_of_equal_times_is_manned_all_day():
    post = Post("gate", dt.time(), dt.time(), frozenset({0}))
    assert post.between(at(23, 12), at(23, 13), SHANGHAI) == [(at(23, 0), at(24, 0))]


def test_six_in_the_morning_stays_six_when_clocks_are_put_forward():
    post = Post("gate", dt.time(0), dt.time(6))
    # 29 March 2026: 02:00 becomes 03:00 in Berlin.
    ((begins, ends),) = post.between(
        dt.datetime(2026, 3, 29, 4, tzinfo=BERLIN), dt.datetime(2026, 3, 29, 5, tzinfo=BERLIN), BERLIN
    )
    assert ends - begins == dt.timedelta(hours=5)
    assert ends.astimezone(BERLIN).hour == 6
