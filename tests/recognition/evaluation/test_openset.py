import numpy as np
import pytest

from recognition.calibration.measuring import distances
from recognition.evaluation import metrics
from recognition.evaluation.openset import Protocol, enrol, first_place, named, play
from recognition.gallery import Gallery, Template
from tests.recognition.evaluation.faces_made_of_numbers import DIMENSION, people

THREE = Protocol(3, 3, everyone=False)


def rng():
    return np.random.default_rng(5)


def test_an_entry_and_its_distance_are_those_of_the_gallery():
    """The sweep multiplies matrices; a gate asks the gallery. Both must give the same people and distances."""
    some = people([3] * 40)
    gallery = Gallery(
        DIMENSION,
        [
            Template(f"{name}-{number}", name, None, vector)
            for name, own in zip(some.names, some.embeddings, strict=True)
            for number, vector in enumerate(own)
        ],
        unit=True,
    )
    passing = np.array([enrol(own[:2]) for own in people([2] * 15, seed=9).embeddings])
    swept = distances(passing, np.array([enrol(own) for own in some.embeddings]))
    for vector, row in zip(passing, swept, strict=True):
        (best, second, *_) = gallery.search(vector, top=2)
        order = np.argsort(row)
        assert [best.person_id, second.person_id] == [some.names[order[0]], some.names[order[1]]]
        assert best.distance == pytest.approx(row[order[0]], abs=2e-4)


def test_people_with_one_photo_are_enrolled_and_never_come():
    some = people([1] * 30 + [4] * 10)
    played = play(some, THREE, rng(), sizes=(10,))
    assert played.sizes == (10, 35)
    assert set(played.residents.person.tolist()) | set(played.strangers.person.tolist()) <= set(range(30, 40))


def test_nobody_is_a_stranger_and_enrolled_in_one_round():
    some = people([4] * 20)
    played = play(some, THREE, rng(), rounds=1)
    assert not set(played.residents.person.tolist()) & set(played.strangers.person.tolist())
    assert np.isinf(played.strangers.own).all()
    assert np.isfinite(played.residents.own).all()


def test_whoever_has_all_photos_enrolled_and_one_more_comes_and_with_everyone_so_do_others():
    some = people([2] * 10 + [6] * 10)
    assert set(play(some, THREE, rng()).residents.person.tolist()) <= set(range(10, 20))
    both = play(some, Protocol(3, 3, everyone=True), rng())
    assert set(both.residents.person.tolist()) & set(range(10))
    assert set(both.residents.frames.tolist()) == {1, 3}


def test_strangers_come_with_one_picture_and_with_fused_ones():
    played = play(people([5] * 20), THREE, rng(), rounds=1)
    assert sorted(set(played.strangers.frames.tolist())) == [1, 2, 3]


def test_a_larger_gallery_has_a_nearer_stranger():
    played = play(people([3] * 200), THREE, rng(), rounds=2, sizes=(20, 60))
    for side in (played.residents, played.strangers):
        assert (np.diff(side.other, axis=1) <= 0).all()


def test_the_measured_rate_is_not_above_the_target_and_names_who_is_near():
    some = people([4] * 400, noise=0.2)
    played = play(some, THREE, rng(), rounds=4, sizes=())
    weights = metrics.resampled(len(some), rng(), 60)
    found = named(played, 0, 0.05, weights, margin=0.0)
    assert 0.04 < found.fpir <= 0.05
    assert found.tpir.value > 0.95
    assert found.tpir.low <= found.tpir.value <= found.tpir.high
    assert set(found.thresholds) == {1}
    assert found.clear == pytest.approx(found.tpir.value)
    assert first_place(played, 0) >= found.tpir.value


def test_pictures_that_say_nothing_name_nobody_beyond_chance():
    """Without a face in the numbers TPIR is about FPIR over the gallery: the protocol leaks nothing."""
    some = people([4] * 300, noise=50.0)
    played = play(some, THREE, rng(), rounds=4, sizes=())
    found = named(played, 0, 0.1, metrics.resampled(len(some), rng(), 20), margin=0.0)
    assert found.tpir.value < 0.02
    assert first_place(played, 0) < 0.05


def test_too_few_strangers_give_a_reason_and_no_figure():
    some = people([4] * 40)
    found = named(play(some, THREE, rng()), 0, 1e-4, metrics.resampled(40, rng(), 10), margin=0.0)
    assert (found.tpir.value, found.fpir, found.thresholds) == (None, None, {})
    assert "needs 30000" in found.tpir.reason
