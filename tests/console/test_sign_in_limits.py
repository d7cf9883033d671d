import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.accounts.limits import (
    ADDRESS_FAILURES,
    FREE_FAILURES,
    LONGEST_WAIT,
    REMEMBERED,
    SignInLimiter,
    TooManyAttemptsError,
)

T0 = dt.datetime(2026, 11, 23, 7, 0, tzinfo=dt.UTC)


def wait(limiter: SignInLimiter, name: str, address: str, at: dt.datetime) -> int:
    try:
        limiter.check(name, address, at)
    except TooManyAttemptsError as error:
        return error.retry_after_s
    return 0


def test_waits_double_up_to_a_bound():
    limiter = SignInLimiter()
    waits = []
    for _ in range(FREE_FAILURES + 10):
        limiter.failed("li", "10.0.0.1", T0)
        waits.append(wait(limiter, "li", "10.0.0.1", T0))
    assert waits[: FREE_FAILURES - 1] == [0] * (FREE_FAILURES - 1)
    assert waits[FREE_FAILURES - 1 : FREE_FAILURES + 3] == [3, 5, 9, 17]
    assert waits[-1] == LONGEST_WAIT.total_seconds() + 1


def test_success_forgets_the_failures_of_the_pair():
    limiter = SignInLimiter()
    for _ in range(FREE_FAILURES):
        limiter.failed("li", "10.0.0.1", T0)
    limiter.succeeded("li", "10.0.0.1")
    assert wait(limiter, "li", "10.0.0.1", T0) == 0


def test_failures_are_forgotten_after_half_an_hour():
    limiter = SignInLimiter()
    for _ in range(FREE_FAILURES + 9):
        limiter.failed("li", "10.0.0.1", T0)
    later = T0 + dt.timedelta(minutes=31)
    limiter.failed("li", "10.0.0.1", later)
    assert wait(limiter, "li", "10.0.0.1", later) == 0


def test_trying_many_names_slows_the_address_but_briefly():
    limiter = SignInLimiter()
    for number in range(ADDRESS_FAILURES):
        limiter.failed(f"name{number}", "10.0.0.1", T0)
    assert 0 < wait(limiter, "li", "10.0.0.1", T0) <= 16
    assert wait(limiter, "li", "10.0.0.2", T0) == 0


def test_addresses_of_one_ipv6_subscriber_are_one():
    limiter = SignInLimiter()
    for number in range(FREE_FAILURES):
        limiter.failed("li", f"2001:db8:1:2::{number:x}", T0)
    assert wait(limiter, "li", "2001:db8:1:2:ffff::1", T0) > 0
    assert wait(limiter, "li", "2001:db8:1:3::1", T0) == 0


def test_memory_is_bounded():
    limiter = SignInLimiter()
    for number in range(REMEMBERED):
        limiter.failed(f"name{number}", "10.0.0.1", T0)
    assert len(limiter._counts) == REMEMBERED


@given(st.lists(st.tuples(st.sampled_from(["li", "wang"]), st.integers(0, 3600)), max_size=200))
def test_nobody_is_locked_out_from_elsewhere(failures):
    limiter = SignInLimiter()
    for name, second in sorted(failures, key=lambda failure: failure[1]):
        limiter.failed(name, "203.0.113.5", T0 + dt.timedelta(seconds=second))
    for name in ("li", "wang"):
        assert wait(limiter, name, "10.0.0.1", T0 + dt.timedelta(hours=1)) == 0


@pytest.mark.parametrize("address", ["unknown", "", "testclient"])
def test_an_address_that_is_none_is_counted_as_it_is(address):
    limiter = SignInLimiter()
    for _ in range(FREE_FAILURES):
        limiter.failed("li", address, T0)
    assert wait(limiter, "li", address, T0) > 0
