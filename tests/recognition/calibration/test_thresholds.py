import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.calibration import (
    Calibration,
    Calibrations,
    FaceThresholds,
    UncalibratedEngineError,
    shipped,
)

sizes = st.integers(0, 200_000)
rates = st.floats(1e-5, 0.5)
frames = st.integers(1, 9)
photos = st.floats(1.0, 6.0)
populations = st.sampled_from(["", "east_asian"])

EVERYBODY = Calibration(shipped())
BY_POPULATION = {name: Calibration(shipped(), name) for name in ("", "east_asian")}


class Engine:
    def __init__(self, name, version):
        self.name, self.version = name, version


@given(sizes, sizes, rates, frames)
def test_a_larger_gallery_never_gets_a_looser_threshold(small, large, fpir, count):
    small, large = sorted((small, large))
    looser, stricter = (EVERYBODY.thresholds(size, fpir, frames=count).identify for size in (small, large))
    assert stricter <= looser


@given(sizes, rates, rates, frames)
def test_fewer_false_names_need_a_smaller_distance(size, a, b, count):
    low, high = sorted((a, b))
    found = [EVERYBODY.thresholds(size, fpir, frames=count).identify for fpir in (low, high)]
    assert found[0] <= found[1]


@given(st.integers(1, 20_000), rates, frames, st.floats(1, 5), st.floats(1, 5))
def test_people_with_more_photos_are_named_at_smaller_distances(size, fpir, count, fewer, more):
    """So are strangers taken for them: the mean of several photos is nearer to everybody."""
    fewer, more = sorted((fewer, more))
    loose, strict = (EVERYBODY.distance(size, fpir, frames=count, photos=p) for p in (fewer, more))
    assert strict <= loose + 1e-6


@given(sizes, rates, frames, photos, populations)
def test_the_library_default_can_never_decide(size, fpir, count, each, population):
    """0.6 of the library's own distances is 0.42 here: a namesake for every stranger in a compound."""
    thresholds = BY_POPULATION[population].thresholds(size, fpir, frames=count, photos=each)
    assert 0 < thresholds.identify <= shipped().identify_cap < 0.35
    assert thresholds.identify <= thresholds.unknown


@given(st.integers(1, 20_000), st.floats(1e-5, 0.1), frames, photos)
def test_the_distance_found_is_the_one_at_which_the_rate_is_promised(size, fpir, count, each):
    distance = EVERYBODY.distance(size, fpir, frames=count, photos=each)
    assert EVERYBODY.fpir(size, distance, frames=count, photos=each) == pytest.approx(fpir, rel=0.02)


@given(st.integers(1, 5000), st.floats(0.15, 0.45), frames)
def test_no_gallery_promises_more_than_every_person_erring_alone(size, distance, count):
    """N people with a false-match rate F each name at most N·F of the strangers."""
    one = EVERYBODY.fpir(1, distance, frames=count)
    assert EVERYBODY.fpir(size, distance, frames=count) <= size * one * 1.01 + 1e-12


def test_the_east_asian_group_asks_for_more():
    strict = BY_POPULATION["east_asian"].thresholds(206, 1e-3)
    loose = EVERYBODY.thresholds(206, 1e-3)
    assert strict.identify < loose.identify - 0.05


def test_a_group_that_was_not_measured_is_replaced_by_everybody_and_the_log_says_so(capsys):
    calibration = Calibration(shipped(), "elsewhere")
    assert calibration.population == ""
    assert "calibration.group_missing" in "".join(capsys.readouterr())
    assert calibration.thresholds(500, 1e-3) == EVERYBODY.thresholds(500, 1e-3)


def test_a_shift_moves_the_naming_distance_and_never_beyond_the_cap():
    plain = EVERYBODY.thresholds(500, 1e-3)
    assert EVERYBODY.thresholds(500, 1e-3, shift=-0.02).identify == pytest.approx(plain.identify - 0.02)
    assert EVERYBODY.thresholds(500, 1e-3, shift=5.0).identify == shipped().identify_cap < plain.unknown
    assert EVERYBODY.thresholds(500, 1e-3, shift=-5.0).identify > 0


def test_an_engine_nobody_measured_decides_nothing():
    with pytest.raises(UncalibratedEngineError) as refused:
        Calibrations().of(Engine("other", "1"))
    assert (refused.value.engine, refused.value.version) == ("other", "1")


@pytest.mark.parametrize("fpir", [0.0, 1.0, -1.0])
def test_a_rate_is_between_0_and_1(fpir):
    with pytest.raises(ValueError, match="fpir"):
        EVERYBODY.thresholds(10, fpir)


def test_thresholds_must_leave_no_gap():
    with pytest.raises(ValueError, match="identify"):
        FaceThresholds(identify=0.6, unknown=0.5, margin=0.05)
