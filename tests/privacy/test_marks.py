"""By what a person is recognised, and how a record loses it."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.erasure.marks import Marks, opened, scrub, struck
from registry import lookups
from storage import Vault

MARKS = Marks(
    "p1",
    "honghua",
    refs=["C0FFEE"],
    terminal_refs=["9f8e7d"],
    vehicles=["v1"],
    plates=["云M12345"],
    words=["欧阳测试", "10012345678"],
)
TRACES = st.sampled_from(
    ["p1", "v1", "C0FFEE", "c0-ff ee", "9f8e7d", "云M12345", "云m·12345", "欧阳测试", "10012345678"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | TRACES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def leaves(value):
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value]


@given(JSON)
def test_scrubbed_value_has_the_same_shape_and_no_trace(value):
    before, after = leaves(value), leaves(scrub(value, MARKS))
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        said = isinstance(old, str) and MARKS.of_text(old)
        assert new == (None if said else old)


@given(st.lists(TRACES, min_size=1))
def test_every_spelling_of_a_trace_is_one(traces):
    assert scrub(traces, MARKS) == [None] * len(traces)


@given(
    st.lists(
        st.sampled_from(["欧阳测试", "10012345678", "云M12345", "C0FFEE"]) | st.text("的与在 ", max_size=3)
    )
)
def test_nothing_is_left_in_what_was_written(parts):
    text = struck("".join(parts), MARKS)
    assert not [word for word in (*MARKS.words, *MARKS.plates, *MARKS.refs) if word in text]
    assert struck(None, MARKS) is None


def test_short_pin_does_not_strike_out_what_is_written():
    assert struck("于1234年", Marks("p1", "honghua", refs=["1234"])) == "于1234年"


@pytest.mark.parametrize(
    ("kind", "ref", "own"),
    [
        ("card", "c0-ffee", True),
        ("card", "0BEEF", False),
        ("card", None, False),
        (None, "C0FFEE", True),
        ("face", "9f8e7d", True),
    ],
)
def test_credential_is_known_by_its_number_however_it_is_written(kind, ref, own):
    assert MARKS.of_credential(kind, ref) is own


def test_without_its_number_a_credential_is_known_by_the_hash_of_what_is_presented(ring):
    key = lookups.credential_key("honghua", "card", "C0FFEE")
    marks = Marks("p1", "honghua", ref_keys=[key])
    assert marks.of_credential("card", "c0 ffee")
    assert not marks.of_credential("pin", "C0FFEE"), "the hash is bound to the kind"
    assert not marks.of_credential("card", "0BEEF")


def test_sealed_marks_go_with_the_persons_key(vault: Vault):
    sealed = MARKS.seal()
    assert opened("p1", sealed) == MARKS
    vault.shred(["p1"], dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
    assert opened("p1", sealed) is None
    assert opened("p1", MARKS.seal()) == MARKS, "after a restore the ring seals them for a moment"
