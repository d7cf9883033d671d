from statistics import NormalDist

import numpy as np
import pytest

from recognition.calibration.errorcurve import ErrorCurve, GalleryCurve, against_fused, probit
from recognition.calibration.measuring import cap, measure_group, strangers
from tests.recognition.evaluation.faces_made_of_numbers import embeddings

GAUSSIAN = [(10.0**-k, 1.0 + 0.1 * NormalDist().inv_cdf(10.0**-k)) for k in range(1, 6)]


def rng():
    return np.random.default_rng(8)


def test_a_gaussian_curve_is_followed_between_its_points_and_beyond_them():
    curve = ErrorCurve(GAUSSIAN, tail_slope=0.1)
    for rate in (0.05, 3e-4, 1e-5, 1e-8):
        assert curve.distance(rate) == pytest.approx(1.0 + 0.1 * probit(rate), abs=1e-9)
        assert curve.rate(curve.distance(rate)) == pytest.approx(rate, rel=1e-6)
    assert curve.distance(0.5) == GAUSSIAN[0][1]


def test_alike_strangers_are_named_once_for_each_person_enrolled():
    """With an even spread FPIR = 1 - (1 - F)^N."""
    curve = GalleryCurve([(1.0, ErrorCurve(GAUSSIAN, 0.1))], [(1.0, 1e4)], reach=10_000)
    distance = 1.0 + 0.1 * probit(1e-4)
    assert curve.fpir(1000, distance) == pytest.approx(1 - (1 - 1e-4) ** 1000, rel=1e-3)
    assert curve.fpir(0, distance) == 0.0


def test_an_uneven_spread_names_fewer_strangers_and_never_in_galleries_beyond_what_was_measured():
    even = GalleryCurve([(1.0, ErrorCurve(GAUSSIAN, 0.1))], [(1.0, 1e4)], reach=10_000)
    uneven = GalleryCurve([(1.0, ErrorCurve(GAUSSIAN, 0.1))], [(1.0, 0.1)], reach=1000)
    distance = 1.0 + 0.1 * probit(1e-4)
    assert uneven.fpir(1000, distance) < even.fpir(1000, distance)
    twice = 1 - (1 - uneven.fpir(1000, distance)) ** 2
    assert uneven.fpir(2000, distance) == pytest.approx(twice)


def test_fused_on_both_sides_is_what_was_foreseen_from_one_side():
    some = embeddings([8] * 150, dimension=64)
    group = measure_group("", some, rng())
    by_frames = {curve.frames: ErrorCurve.of(curve) for curve in group.curves}
    foreseen = against_fused(by_frames[3], by_frames[3], by_frames[1])
    mean = [own[:3].mean(axis=0) for own in some]
    passing = [own[3:6].mean(axis=0) for own in some]
    mean, passing = (np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (mean, passing))
    apart = np.sqrt(2 - 2 * passing @ mean.T)[~np.eye(150, dtype=bool)]
    for rate in (0.3, 0.1, 0.01):
        assert foreseen.distance(rate) == pytest.approx(np.quantile(apart, rate), abs=0.02)
        assert foreseen.distance(rate) < by_frames[3].distance(rate)


def test_nobody_is_a_stranger_to_themselves():
    found = strangers(embeddings([2] * 30), 2, rng())
    assert np.isinf(np.diagonal(found.distances)).all()
    assert (found.pairs, found.different_pairs) == (30 * 29, 30 * 29 // 2)


def test_the_measured_curve_is_the_empirical_one_with_its_interval():
    some = embeddings([2] * 180 + [3] * 20, dimension=64)
    (single, double) = measure_group("", some, rng()).curves
    assert (single.frames, double.frames) == (1, 2)
    flat = strangers(some, 1, rng()).distances
    point = next(point for point in single.points if point.rate == 0.1)
    assert (flat <= point.distance).sum() / (200 * 199) == pytest.approx(0.1, abs=0.01)
    assert point.rate_low < 0.1 < point.rate_high
    # Fused passages are nearer to everybody, and to themselves.
    assert double.points[0].distance < single.points[0].distance
    assert single.genuine["0.5"] < single.genuine["0.95"]


def test_a_few_people_take_the_tail_of_everybody_and_fewer_have_no_curve():
    everybody = measure_group("", embeddings([3] * 320, dimension=64), rng())
    near = embeddings([3] * 40, dimension=64, seed=2, common=1.4)
    few = measure_group("near", near, rng(), everybody=everybody)
    assert (few.shape_from, few.people) == ("", 40)
    own, whole = ErrorCurve.of(few.curves[0]), ErrorCurve.of(everybody.curves[0])
    for rate in (0.1, 1e-2, 1e-4, 1e-6):
        assert own.distance(rate) < whole.distance(rate)
    assert few.curves[0].tail_slope == everybody.curves[0].tail_slope
    assert measure_group("tiny", near[:19], rng(), everybody=everybody) is None


def test_the_cap_is_set_by_the_group_that_is_told_apart_least():
    sets = {"far": embeddings([2] * 60), "near": embeddings([2] * 60, common=2.0)}
    distance, name = cap(sets, 0.02, rng())
    assert name == "near"
    assert distance < cap({"far": sets["far"]}, 0.02, rng())[0]


def test_nothing_is_measured_where_nobody_passes_who_is_enrolled():
    """Where true passages end is part of a calibration: people with one photo each cannot say."""
    assert measure_group("", embeddings([1] * 200), rng()) is None
