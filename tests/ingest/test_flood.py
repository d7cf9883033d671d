import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.flood import Limit, full, take
from ingest.lightly import LONG, without_pictures

LIMIT = Limit(20, 100)


def granted(limit: Limit, times: list[float]) -> int:
    bucket, count = full(limit, times[0]), 0
    for at in times:
        ok, bucket = take(limit, bucket, at)
        count += ok
    return count


def test_burst_is_let_through_and_then_the_rate() -> None:
    assert granted(LIMIT, [0.0] * 500) == 100
    # A thousand a second for a minute.
    assert granted(LIMIT, [number / 1000 for number in range(60_000)]) == pytest.approx(100 + 60 * 20, abs=2)


def test_device_that_keeps_to_the_rate_never_loses_anything() -> None:
    assert granted(LIMIT, [number / 20 for number in range(10_000)]) == 10_000


def test_memory_that_is_read_out_newest_first_is_no_flood() -> None:
    hours = [float(number * 30) for number in range(960)]
    assert granted(LIMIT, hours) == granted(LIMIT, hours[::-1]) == 960


@given(
    st.floats(0.01, 1000),
    st.integers(1, 10_000),
    st.lists(st.floats(0, 10), min_size=1, max_size=200),
)
def test_no_more_than_burst_and_rate_ever_come_through(rate: float, burst: int, gaps: list[float]) -> None:
    times = [0.0]
    for gap in gaps:
        times.append(times[-1] + gap)
    assert granted(Limit(rate, burst), times) <= burst + rate * times[-1] + 1e-6


def test_long_texts_are_emptied_and_the_rest_is_left() -> None:
    picture = b"A" * (LONG + 1)
    light = without_pictures(b'{"id":"r-1","jpeg":"' + picture + b'","note":"' + b"x" * 100 + b'"}')
    assert light == b'{"id":"r-1","jpeg":"","note":"' + b"x" * 100 + b'"}'


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"<xml>" + b"x" * 5000, b'{"a":[' + b"1," * 5000 + b"1]}", b"\xff" * 5000]
)
def test_what_has_no_pictures_in_it_is_left_alone(payload: bytes) -> None:
    assert without_pictures(payload) is None
