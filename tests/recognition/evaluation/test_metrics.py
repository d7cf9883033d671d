from itertools import pairwise

import numpy as np
import pytest

from recognition.evaluation import metrics
from tests.recognition.evaluation.faces_made_of_numbers import embeddings

EVERYBODY = np.ones((1, 10_000))


def test_a_threshold_keeps_at_most_the_wanted_share_within_it():
    scores = np.array([0.5, 0.1, 0.3, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0])
    owner = np.arange(10)
    (limit,) = metrics.threshold_at(scores, owner, EVERYBODY, 0.2)
    assert 0.2 <= limit < 0.3
    (none,) = metrics.threshold_at(scores, owner, EVERYBODY, 0.05)
    assert none < 0.1


def test_equal_scores_stay_out_together():
    scores = np.array([0.2, 0.2, 0.2, 0.9])
    (limit,) = metrics.threshold_at(scores, np.arange(4), EVERYBODY, 0.5)
    assert limit < 0.2


def test_a_person_drawn_twice_weighs_twice():
    scores, owner = np.array([0.1, 0.5]), np.array([0, 1])
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [1.0, 3.0]])
    shares = metrics.share_within(scores, owner, weights, np.array([0.3, 0.3, 0.3]))
    assert shares.tolist() == [0.5, 1.0, 0.25]


def test_a_rate_that_too_few_people_carry_is_not_measured_and_says_why():
    assert metrics.supported(300, 1e-2) is None
    assert metrics.supported(200, 1e-4) == "200 strangers; a rate of 0.0001 needs 30000 to expect 3"


def test_the_first_sample_is_everybody_and_the_others_draw_as_many():
    weights = metrics.resampled(50, np.random.default_rng(1), 20)
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 50).all()


def test_the_interval_covers_the_true_rate_about_as_often_as_it_says():
    """Twenty-one people in thirty, two pictures each that agree: the pictures are not independent."""
    rng, true, covered = np.random.default_rng(7), 0.7, 0
    for _ in range(200):
        hit = np.repeat(rng.random(30) < true, 2)
        owner = np.repeat(np.arange(30), 2)
        weights = metrics.resampled(30, rng, 200)
        shares = metrics.share_within(np.where(hit, 0.0, 1.0), owner, weights, np.full(201, 0.5))
        found = metrics.estimate(shares)
        covered += found.low <= true <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_a_centred_interval_lies_around_the_figure():
    found = metrics.estimate(np.array([0.10, 0.04, 0.05, 0.06]), centred=True)
    assert found.low < 0.10 < found.high


def test_an_estimate_of_nobody_is_none():
    found = metrics.estimate(np.array([np.nan, np.nan]))
    assert (found.value, found.reason) == (None, "nobody to measure it with")


def test_tar_at_far_is_that_of_the_two_gaussians():
    """Distances of the same person's pairs and of others' against a direct count over all pairs."""
    made = embeddings([3] * 60, seed=3)
    pairs = metrics.pair_distances(made, nearest=0.5)
    weights = metrics.resampled(60, np.random.default_rng(1), 50)
    tar, limit = metrics.tar_at_far(pairs, 0.01, weights)
    rows = np.concatenate(made).astype(np.float64)
    owner = np.repeat(np.arange(60), 3)
    distance = np.linalg.norm(rows[:, None] - rows[None, :], axis=2)
    upper = np.triu(np.ones_like(distance, bool), 1)
    same = upper & (owner[:, None] == owner[None, :])
    other = upper & (owner[:, None] != owner[None, :])
    assert (distance[other] <= limit).mean() == pytest.approx(0.01, abs=1e-3)
    assert tar.value == pytest.approx((distance[same] <= limit).mean(), abs=0.01)
    assert tar.low <= tar.value <= tar.high
    assert sum(pairs.same_shares) == pytest.approx(1.0, abs=1e-3)
    assert len(pairs.same.distance) == 60 * 3


def test_tar_at_a_far_beyond_the_pairs_is_not_invented():
    pairs = metrics.pair_distances(embeddings([2] * 10))
    tar, limit = metrics.tar_at_far(pairs, 1e-4, np.ones((3, 10)))
    assert tar.value is None
    assert limit is None
    assert "180 pairs of different people" in tar.reason


def test_the_roc_rises_from_rare_to_frequent():
    curve = metrics.roc(metrics.pair_distances(embeddings([3] * 40), nearest=0.5))
    assert all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(curve))
    assert curve[-1][0] == pytest.approx(0.5, abs=0.01)
