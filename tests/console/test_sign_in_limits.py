import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from console.accounts.limits import (
    ADDRESS_FAILURES,
    CODE_FAILURES,
    FREE_FAILURES,
    LONGEST_WAIT,
    Attempt,
    SignInLimiter,
    TooManyAttemptsError,
    counts,
    wait_after,
)
from console.accounts.models import SignInFailure

T0 = dt.datetime(2026, 11, 23, 7, 0, tzinfo=dt.UTC)
LI = Attempt("li", "10.0.0.1")


@pytest.fixture
def limiter(database) -> SignInLimiter:
    return SignInLimiter(database)


def wait(limiter: SignInLimiter, attempt: Attempt, at: dt.datetime) -> int:
    try:
        limiter.check(attempt, at)
    except TooManyAttemptsError as error:
        return error.retry_after_s
    return 0


def fail(limiter: SignInLimiter, attempt: Attempt, times: int, at: dt.datetime = T0) -> None:
    for _ in range(times):
        limiter.failed(attempt, at)


def test_waits_double_up_to_a_bound(limiter):
    waits = []
    for _ in range(FREE_FAILURES + 10):
        limiter.failed(LI, T0)
        waits.append(wait(limiter, LI, T0))
    assert waits[: FREE_FAILURES - 1] == [0] * (FREE_FAILURES - 1)
    assert waits[FREE_FAILURES - 1 : FREE_FAILURES + 3] == [3, 5, 9, 17]
    assert waits[-1] == LONGEST_WAIT.total_seconds() + 1


def test_success_forgets_the_failures_of_the_pair(limiter):
    fail(limiter, LI, FREE_FAILURES)
    limiter.succeeded(LI)
    assert wait(limiter, LI, T0) == 0


def test_failures_are_forgotten_after_half_an_hour_and_leave_the_table(limiter, database):
    fail(limiter, LI, FREE_FAILURES + 9)
    later = T0 + dt.timedelta(minutes=31)
    limiter.failed(LI, later)
    assert wait(limiter, LI, later) == 0
    with database.read() as session:
        assert set(session.scalars(select(SignInFailure.failures))) == {1}


def test_trying_many_names_slows_the_address_but_briefly(limiter):
    for number in range(ADDRESS_FAILURES):
        limiter.failed(Attempt(f"name{number}", "10.0.0.1"), T0)
    assert 0 < wait(limiter, LI, T0) <= 16
    assert wait(limiter, Attempt("li", "10.0.0.2"), T0) == 0


def test_addresses_of_one_ipv6_subscriber_are_one(limiter):
    for number in range(FREE_FAILURES):
        limiter.failed(Attempt("li", f"2001:db8:1:2::{number:x}"), T0)
    assert wait(limiter, Attempt("li", "2001:db8:1:2:ffff::1"), T0) > 0
    assert wait(limiter, Attempt("li", "2001:db8:1:3::1"), T0) == 0


def test_another_process_knows_what_this_one_counted(limiter, database):
    fail(limiter, LI, FREE_FAILURES)
    assert wait(SignInLimiter(database), LI, T0) > 0


def test_neither_name_nor_address_is_readable_in_the_table(limiter, database):
    limiter.failed(Attempt("my password typed as a name", "203.0.113.77"), T0)
    with database.read() as session:
        keys = list(session.scalars(select(SignInFailure.key)))
    assert len(keys) == 2
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in keys)


def test_failures_from_the_same_address_do_not_slow_a_known_browser(limiter):
    fail(limiter, LI, ADDRESS_FAILURES + 5)
    known = Attempt("li", "10.0.0.1", device="d1")
    assert wait(limiter, LI, T0) > 0
    assert wait(limiter, known, T0) == 0


def test_known_browser_is_slowed_by_its_own_failures(limiter):
    known = Attempt("li", "10.0.0.1", device="stolen")
    fail(limiter, known, FREE_FAILURES)
    assert wait(limiter, known, T0) > 0
    assert wait(limiter, Attempt("li", "10.9.9.9", device="stolen"), T0) > 0
    assert wait(limiter, Attempt("li", "10.0.0.1", device="my own"), T0) == 0


def test_codes_are_counted_for_the_user_wherever_they_come_from(limiter):
    for number in range(CODE_FAILURES):
        limiter.failed(Attempt("li", f"203.0.113.{number}", code_of="u1"), T0)
    assert wait(limiter, Attempt("li", "198.51.100.1", code_of="u1"), T0) > 0
    assert wait(limiter, Attempt("li", "198.51.100.1", device="d1", code_of="u1"), T0) == 0
    # Passwords are not slowed by it: who knows none cannot use it against anybody.
    assert wait(limiter, Attempt("li", "198.51.100.1"), T0) == 0


_names, _addresses = st.sampled_from(["li", "wang"]), st.sampled_from(["203.0.113.5", "10.0.0.1"])
_others = st.tuples(_names, _addresses, st.sampled_from([None, "theirs"]), st.integers(0, 3600))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_others, max_size=25))
def test_whatever_others_do_a_known_browser_is_never_slowed(limiter, failures):
    mine = Attempt("li", "10.0.0.1", device="mine")
    for name, address, device, second in sorted(failures, key=lambda failure: failure[3]):
        limiter.failed(Attempt(name, address, device), T0 + dt.timedelta(seconds=second))
        assert wait(limiter, mine, T0 + dt.timedelta(seconds=second)) == 0


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_names, st.integers(0, 3600)), max_size=25))
def test_nobody_is_locked_out_from_elsewhere(limiter, failures):
    for name, second in sorted(failures, key=lambda failure: failure[1]):
        limiter.failed(Attempt(name, "203.0.113.5"), T0 + dt.timedelta(seconds=second))
    for name in ("li", "wang"):
        assert wait(limiter, Attempt(name, "10.0.0.1"), T0 + dt.timedelta(hours=1)) == 0


@given(st.text(max_size=8), st.text(max_size=8), st.none() | st.text(min_size=1), st.none() | st.text())
def test_no_count_is_of_a_name_alone(name, address, device, code_of):
    for key in counts(Attempt(name, address, device, code_of)):
        assert (key[0] in {"pair", "device"} and len(key) == 3) or key[0] in {"address", "code"}


@given(st.sampled_from(["pair", "address", "code"]), st.integers(0, 10_000))
def test_no_wait_is_longer_than_the_longest(rule, failures):
    assert dt.timedelta() <= wait_after(rule, failures) <= LONGEST_WAIT


@pytest.mark.parametrize("address", ["unknown", "", "testclient"])
def test_an_address_that_is_none_is_counted_as_it_is(limiter, address):
    fail(limiter, Attempt("li", address), FREE_FAILURES)
    assert wait(limiter, Attempt("li", address), T0) > 0
