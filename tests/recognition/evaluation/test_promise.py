import numpy as np

from recognition.evaluation import metrics, promise
from recognition.evaluation.people import People
from recognition.evaluation.suspects import suspects
from tests.recognition.evaluation.faces_made_of_numbers import people


def test_the_promise_holds_within_a_factor_of_two_on_people_it_was_not_made_of():
    some = people([1] * 500 + [3] * 300, seed=11, dimension=128)
    rng = np.random.default_rng(2)
    kept, named = promise.check(some, metrics.resampled(len(some), rng, 40), rng, rounds=3)
    seen = {(one.target, one.frames): one.fpir for one in kept if one.fpir.value is not None}
    assert {target for target, _ in seen} == {1e-1, 1e-2}
    for frames in (1, 2, 3):
        assert 0.5 <= seen[1e-1, frames].value / 1e-1 <= 2.0
        # A hundred times fewer matches: the interval must reach into the band.
        assert seen[1e-2, frames].low / 1e-2 <= 2.0
        assert seen[1e-2, frames].high / 1e-2 >= 0.5
        assert seen[1e-2, frames].value < seen[1e-1, frames].value
    assert {one.protocol.everyone for one in named} == {True, False}
    by_target = {one.target: one.tpir.value for one in named if one.protocol.everyone}
    assert by_target[1e-1] >= by_target[1e-2] >= by_target[1e-3]


def test_a_promise_nobody_could_see_broken_is_none_with_the_reason():
    some = people([2] * 440)
    rng = np.random.default_rng(2)
    kept, _ = promise.check(some, metrics.resampled(len(some), rng, 10), rng, rounds=1)
    rarest = next(one for one in kept if one.target == 1e-4)
    assert rarest.fpir.value is None
    assert "pairs of people expect" in rarest.fpir.reason
    remembered = promise.as_promises(kept)
    assert {(one.fpir, one.observed is None) for one in remembered} >= {(1e-4, True), (1e-1, False)}


def test_too_few_people_are_not_checked_at_all():
    rng = np.random.default_rng(2)
    assert promise.check(people([3] * 30), metrics.resampled(30, rng, 5), rng) == ([], [])


def test_one_person_under_two_names_is_suspected_and_nobody_else():
    some = people([4] * 400, noise=0.1, dimension=96)
    twin = People(
        (*some.names, "alias"),
        (*some.groups, ""),
        (*(own[:2] if n == 7 else own for n, own in enumerate(some.embeddings)), some.embeddings[7][2:]),
        (*some.kinds, some.kinds[0]),
    )
    calibration = promise.trial(some, np.random.default_rng(3))
    found = suspects(twin, calibration)
    assert {found[0].first, found[0].second} == {"p7", "alias"}
    assert len(found) <= 3
