import time

from hypothesis import given
from hypothesis import strategies as st

from storage import content_id, new_id


def test_new_ids_differ_and_sort_by_time() -> None:
    made = [new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    stamps = [int(found[:12], 16) for found in made]
    assert stamps == sorted(stamps)
    assert abs(stamps[-1] - time.time() * 1000) < 60_000
    assert {(len(found), found[12], found[16] in "89ab") for found in made} == {(32, "7", True)}


parts = st.lists(
    st.text(alphabet=st.characters(exclude_characters="\x1f", codec="utf-8")), min_size=1, max_size=4
)


@given(parts, parts)
def test_content_id_tells_parts_apart(one: list[str], other: list[str]) -> None:
    assert (content_id(*one) == content_id(*other)) == (one == other)
    assert len(content_id(*one)) == 32
