"""Search over centroids and single templates, against the plainest reference there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.gallery import Gallery, Template

D = 6
rng = np.random.default_rng(11)
POOL = rng.normal(size=(48, D)).astype(np.float32)
# Some pictures are the same to the last bit, some opposite, some of one direction.
POOL[40], POOL[41], POOL[42] = POOL[3], -POOL[4], 2 * POOL[5]
QUERY = POOL[0] / np.linalg.norm(POOL[0])


def template(number, person):
    return Template(f"t{number:02}", person, f"h-{person}", POOL[number])


histories = st.lists(
    st.tuples(st.booleans(), st.integers(0, 47), st.sampled_from(["a", "b", "c", "d", "e"])), max_size=60
)


def after(history):
    """Templates held after a history of adding and removing, by id."""
    held = {}
    for adding, number, person in history:
        held.pop(f"t{number:02}", None)
        if adding:
            held[f"t{number:02}"] = template(number, person)
    return held


def played(history, *, unit):
    gallery = Gallery(D, unit=unit)
    for adding, number, person in history:
        if adding:
            gallery.add(template(number, person))
        else:
            gallery.remove(f"t{number:02}")
    return gallery


def naive(held, query, *, unit):
    """Person -> distance, in double precision."""
    people = {}
    for one in sorted(held, key=lambda t: t.template_id):
        people.setdefault(one.person_id, []).append(one.vector.astype(np.float64))
    scores = {}
    for person, raw in people.items():
        vectors = [v / np.linalg.norm(v) for v in raw] if unit else raw
        mean = np.mean(vectors, axis=0)
        if unit:
            vectors = [mean / np.linalg.norm(mean)] if np.linalg.norm(mean) > 1e-6 else vectors[:1]
        scores[person] = min(float(np.linalg.norm(v - query)) for v in vectors)
    return scores


@pytest.mark.parametrize("unit", [True, False])
@given(history=histories)
def test_any_history_scores_like_the_plainest_search(unit, history):
    gallery = played(history, unit=unit)
    expected = naive(after(history).values(), QUERY.astype(np.float64), unit=unit)
    found = {c.person_id: c.distance for c in gallery.search(QUERY, top=9)}
    assert found == pytest.approx(expected, abs=2e-6)
    assert gallery.people == len(expected)
    assert gallery.persons == set(expected)
    assert gallery.templates == set(after(history))


@pytest.mark.parametrize("unit", [True, False])
@given(history=histories, data=st.data())
def test_order_of_coming_changes_nothing_to_the_last_bit(unit, history, data):
    held = list(after(history).values())
    again = data.draw(st.permutations(held))
    one, other = Gallery(D, held, unit=unit), Gallery(D, again, unit=unit)
    assert (
        one.search(QUERY, top=9)
        == other.search(QUERY, top=9)
        == played(history, unit=unit).search(QUERY, top=9)
    )


@pytest.mark.parametrize("unit", [True, False])
@given(history=histories, top=st.integers(1, 5), within=st.sampled_from([0.0, 0.1, 0.7]))
def test_returned_are_the_nearest_and_all_within_reach_of_the_nearest(unit, history, top, within):
    gallery = played(history, unit=unit)
    everybody = gallery.search(QUERY, top=99)
    found = gallery.search(QUERY, top=top, within=within)
    assert found == everybody[: len(found)]
    assert len(found) >= min(top, len(everybody))
    for candidate in everybody[len(found) :]:
        assert candidate.distance > everybody[0].distance + within
    if len(found) > top:
        assert found[-1].distance <= max(found[0].distance + within, found[top - 1].distance)


@pytest.mark.parametrize("unit", [True, False])
@given(history=histories, scope=st.sets(st.sampled_from(["a", "b", "c", "nobody"])))
def test_scope_finds_what_a_gallery_of_these_people_alone_finds(unit, history, scope):
    few = [one for one in after(history).values() if one.person_id in scope]
    gallery, small = played(history, unit=unit), Gallery(D, few, unit=unit)
    assert gallery.search(QUERY, scope) == small.search(QUERY)
    assert gallery.size(scope) == small.people


@pytest.mark.parametrize("unit", [True, False])
def test_equally_near_people_come_in_the_order_of_their_ids(unit):
    people = [f"p{n}" for n in (3, 1, 2, 0)]
    gallery = Gallery(D, [Template(f"t{p}", p, None, POOL[7]) for p in people], unit=unit)
    found = gallery.search(QUERY, top=1)
    # A tie is not cut: none of the four is nearer than another.
    assert [c.person_id for c in found] == sorted(people)
    assert len({c.distance for c in found}) == 1


def test_small_distances_among_many_people_are_exact():
    # |a-b|² as a difference of products is off by more than these distances are apart.
    base = rng.normal(size=128)
    base /= np.linalg.norm(base)
    steps = rng.normal(size=(3000, 128))
    vectors = (
        base + 1e-5 * np.arange(1, 3001)[:, None] * steps / np.linalg.norm(steps, axis=1)[:, None]
    ).astype(np.float32)
    query = base.astype(np.float32)
    gallery = Gallery(128, [Template(f"t{i}", f"p{i:04}", None, v) for i, v in enumerate(vectors)])
    exact = np.linalg.norm(vectors.astype(np.float64) - query, axis=1)
    found = gallery.search(query, top=5, within=1e-4)
    assert [c.distance for c in found] == pytest.approx(sorted(exact)[: len(found)], abs=1e-6)
    assert len(found) == np.count_nonzero(np.round(exact, 6) <= np.round(exact.min(), 6) + 1e-4)


def test_person_of_many_templates_leaves_room_for_the_others():
    crowd = [Template(f"c{i}", "crowd", None, POOL[0] + np.float32(1e-4 * i)) for i in range(30)]
    others = [template(i, f"p{i}") for i in range(1, 6)]
    found = Gallery(D, [*crowd, *others]).search(POOL[0], top=4)
    assert found[0].person_id == "crowd"
    assert len(found) >= 4


def test_odd_photo_pulls_a_centroid_less_than_it_would_pull_the_nearest_template():
    own, odd = POOL[10], POOL[20]
    templates = [
        Template("t1", "a", None, own),
        Template("t2", "a", None, own * 1.5),
        Template("t3", "a", None, odd),
    ]
    stranger = (odd / np.linalg.norm(odd)).astype(np.float32)
    pulled = Gallery(
        D, [Template(t.template_id, "a", None, t.vector / np.linalg.norm(t.vector)) for t in templates]
    )
    assert pulled.search(stranger)[0].distance < 1e-6
    assert Gallery(D, templates, unit=True).search(stranger)[0].distance > 0.3


def test_removing_one_of_two_templates_leaves_the_other_as_it_was():
    gallery = Gallery(D, [template(1, "a"), template(2, "a")], unit=True)
    gallery.remove("t01")
    assert gallery.search(QUERY) == Gallery(D, [template(2, "a")], unit=True).search(QUERY)


@pytest.mark.parametrize("unit", [True, False])
def test_nothing_of_a_removed_template_stays_in_memory(unit):
    gallery = Gallery(D, [template(1, "a"), template(2, "a"), template(3, "b")], unit=unit)
    for number in (1, 2):
        gallery.remove(f"t{number:02}")
    assert np.count_nonzero(gallery._rows._matrix.any(axis=1)) == 1
    assert gallery._singles == {}


def test_facts_of_a_person_change_without_the_vectors():
    gallery = Gallery(D, [template(1, "a")], unit=True)
    gallery.describe("a", "elsewhere", under_14=True)
    found = gallery.search(QUERY)[0]
    assert (found.household_id, found.under_14) == ("elsewhere", True)
    assert gallery.children == {"a"}


def test_what_has_no_direction_is_no_template():
    with pytest.raises(ValueError, match="not all of them 0"):
        Gallery(D).add(Template("t", "p", None, np.zeros(D, np.float32)))


def test_growing_keeps_every_row():
    many = rng.normal(size=(700, D)).astype(np.float32)
    gallery = Gallery(D)
    for number, vector in enumerate(many):
        gallery.add(Template(f"t{number}", f"p{number}", None, vector))
    for number in (0, 63, 64, 319, 699):
        assert gallery.search(many[number], top=1)[0].person_id == f"p{number}"
