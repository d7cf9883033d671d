import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.gallery import Gallery, Template

D = 8
rng = np.random.default_rng(3)
POOL = rng.normal(size=(40, D)).astype(np.float32)


def template(number: int, person: str | None = None, **more) -> Template:
    person = person or f"p{number % 7}"
    return Template(f"t{number}", person, f"h-{person}", POOL[number], **more)


def brute_force(held, query):
    best = {}
    for t in held:
        distance = float(np.linalg.norm(t.vector.astype(float) - query))
        best[t.person_id] = min(distance, best.get(t.person_id, distance))
    return sorted(best.items(), key=lambda pair: (round(pair[1], 6), pair[0]))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 39)), max_size=120))
def test_any_history_of_adding_and_removing_searches_like_brute_force(history):
    gallery, held = Gallery(D), {}
    for adding, number in history:
        if adding:
            gallery.add(template(number))
            held[f"t{number}"] = template(number)
        else:
            assert gallery.remove(f"t{number}") is (held.pop(f"t{number}", None) is not None)
    query = np.zeros(D, np.float32)
    expected = brute_force(held.values(), query)
    found = gallery.search(query, top=100)
    assert [c.person_id for c in found] == [person for person, _ in expected]
    assert [c.distance for c in found] == pytest.approx([d for _, d in expected], abs=1e-5)
    assert len(gallery) == len(held)
    assert gallery.people == len(expected)


def test_a_person_counts_once_with_the_nearest_template():
    gallery = Gallery(D, [template(1, "a"), template(2, "a"), template(3, "b")])
    first = gallery.search(POOL[2])[0]
    assert (first.person_id, first.household_id, first.distance) == ("a", "h-a", 0.0)
    assert (len(gallery), gallery.people) == (3, 2)


def test_everybody_within_the_margin_is_returned_however_many():
    close = [Template(f"t{i}", f"p{i}", "h", POOL[0] + np.float32(1e-3 * i)) for i in range(12)]
    gallery = Gallery(D, [*close, template(20, "far")])
    found = gallery.search(POOL[0], top=2, within=0.05)
    assert {c.person_id for c in found} == {f"p{i}" for i in range(12)}


def test_a_scope_limits_the_search():
    gallery = Gallery(D, [template(i) for i in range(20)])
    assert {c.person_id for c in gallery.search(POOL[0], {"p3", "p4", "nobody"})} == {"p3", "p4"}
    assert gallery.size({"p3", "p4", "nobody"}) == 2
    assert gallery.search(POOL[0], ()) == ()
    assert gallery.size() == 7


def test_an_empty_gallery_finds_nobody():
    assert Gallery(D).search(POOL[0]) == ()


def test_adding_the_same_template_again_replaces_it():
    gallery = Gallery(D, [template(1, "a")])
    gallery.add(Template("t1", "b", None, POOL[1]))
    assert [c.person_id for c in gallery.search(POOL[1])] == ["b"]
    assert len(gallery) == 1


def test_the_mark_of_a_child_reaches_the_decision():
    gallery = Gallery(D, [template(1, "a", under_14=True)])
    assert gallery.search(POOL[1])[0].under_14


@pytest.mark.parametrize("vector", [np.zeros(3, np.float32), np.full(D, np.nan, np.float32)])
def test_what_is_no_template_is_refused(vector):
    with pytest.raises(ValueError, match="finite"):
        Gallery(D).add(Template("t", "p", None, vector))
