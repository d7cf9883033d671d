import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.calibration.thresholds import (
    DLIB_EAST_ASIAN,
    DLIB_LFW,
    IDENTIFY_CAP,
    FaceThresholds,
    UncalibratedEngineError,
    distance_at,
    face_thresholds,
)

sizes = st.integers(0, 200_000)
rates = st.floats(1e-4, 0.5)


def test_the_measured_operating_point_is_met():
    assert face_thresholds("dlib", 4281).identify == pytest.approx(0.409)


@pytest.mark.parametrize(("fmr", "distance"), DLIB_LFW)
def test_the_curve_goes_through_its_points(fmr, distance):
    assert distance_at(DLIB_LFW, fmr) == pytest.approx(distance)


@given(sizes, sizes, rates)
def test_a_larger_gallery_never_gets_a_looser_threshold(small, large, fpir):
    small, large = sorted((small, large))
    assert (
        face_thresholds("dlib", large, fpir=fpir).identify
        <= face_thresholds("dlib", small, fpir=fpir).identify
    )


@given(sizes, rates, st.sampled_from(["lfw", "east_asian"]))
def test_the_library_default_can_never_decide(size, fpir, population):
    thresholds = face_thresholds("dlib", size, fpir=fpir, population=population)
    assert 0 < thresholds.identify <= IDENTIFY_CAP < 0.6
    assert thresholds.identify <= thresholds.unknown


@given(st.floats(1e-9, 0.5), st.floats(1e-9, 0.5), st.sampled_from([DLIB_LFW, DLIB_EAST_ASIAN]))
def test_fewer_false_matches_need_a_smaller_distance(a, b, curve):
    low, high = sorted((a, b))
    assert distance_at(curve, low) <= distance_at(curve, high) + 1e-12


def test_the_east_asian_curve_asks_for_more():
    assert (
        face_thresholds("dlib", 206, population="east_asian").identify < face_thresholds("dlib", 206).identify
    )


def test_an_engine_nobody_measured_decides_nothing():
    with pytest.raises(UncalibratedEngineError):
        face_thresholds("other", 10)


@pytest.mark.parametrize("fpir", [0.0, 1.0, -1.0])
def test_a_rate_is_between_0_and_1(fpir):
    with pytest.raises(ValueError, match="fpir"):
        face_thresholds("dlib", 10, fpir=fpir)


def test_thresholds_must_leave_no_gap():
    with pytest.raises(ValueError, match="identify"):
        FaceThresholds(identify=0.6, unknown=0.5, margin=0.05)
