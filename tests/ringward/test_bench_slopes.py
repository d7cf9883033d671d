"""Growth is told from noise, and what a few wild samples say counts for little."""

import random

import pytest

from ringward.bench.slopes import FEWEST, slope
from ringward.bench.soak import _figures


def noise(count: int, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [chance.gauss(0, 1) for _ in range(count)]


def test_line_has_its_own_slope() -> None:
    found = slope(list(range(20)), [3.0 * number + 5 for number in range(20)])
    assert found is not None
    assert found == pytest.approx((3.0, 3.0, 3.0))


def test_noise_is_no_growth_and_growth_under_noise_is() -> None:
    times = [float(number) for number in range(60)]
    still = slope(times, noise(60))
    grows = slope(times, [0.2 * at + wild for at, wild in zip(times, noise(60), strict=True)])
    assert still is not None
    assert grows is not None
    assert still.low < 0 < still.high
    assert 0.1 < grows.low < 0.2 < grows.high < 0.3


def test_few_wild_samples_move_nothing() -> None:
    values = [float(number) for number in range(30)]
    values[4], values[20] = 1e6, -1e6
    found = slope(list(range(30)), values)
    assert found is not None
    assert found.median == pytest.approx(1.0, abs=0.05)


def test_few_samples_say_nothing() -> None:
    assert slope(list(range(FEWEST - 1)), [1.0] * (FEWEST - 1)) is None


def samples(memory: list[float], files: list[int]) -> list[dict]:
    return [
        {
            "s": 60.0 * number,
            "answer_p50_ms": 1.0,
            "answer_p99_ms": 2.0,
            "processes": {"core": {"memory_mb": mb, "files": handles, "threads": 9}},
        }
        for number, (mb, handles) in enumerate(zip(memory, files, strict=True))
    ]


def test_leak_of_handles_or_memory_is_counted_and_a_filling_cache_is_not() -> None:
    steady = [30] * 80
    filling = [100.0 + min(number, 15) * 4 for number in range(80)]
    assert _figures(samples(filling, steady))["growing"] == 0
    assert _figures(samples(filling, list(range(80))))["growing"] == 1
    leaking = [100.0 + number for number in range(80)]
    found = _figures(samples(leaking, steady))
    assert found["growing"] == 1
    assert found["core_memory_mb_per_h"] == pytest.approx(60)
    assert found["core_files_last"] == 30


def test_without_enough_samples_nothing_is_called_steady() -> None:
    assert "growing" not in _figures(samples([1.0, 2.0], [3, 3]))
    assert _figures([]) == {}
