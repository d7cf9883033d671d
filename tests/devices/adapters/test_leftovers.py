"""What is kept of a message beyond its known fields, and what is named as taken out."""

import pytest

from devices.adapters.contract import RefusedError
from devices.adapters.leftovers import leftovers


def test_known_fields_are_left_out_and_the_rest_is_kept() -> None:
    assert leftovers({"a": 1, "b": [{"c": "x"}]}, ["a"]) == ({"b": [{"c": "x"}]}, ())


def test_what_is_sensitive_or_the_vendors_own_word_for_it_is_taken_out_at_any_depth() -> None:
    data = {"Face": {"Age": 3, "Feature": ["Glasses"], "ok": 1}, "list": [{"User_Name": "x"}]}
    assert leftovers(data, (), ["feature"], "Data") == (
        {"Face": {"ok": 1}, "list": [{}]},
        ("Data.Face.Age", "Data.Face.Feature", "Data.list[].User_Name"),
    )


def test_a_name_cannot_hide_behind_a_character_that_is_cut_out() -> None:
    assert leftovers({"\0name ": "x"}, ()) == ({}, ("name",))


def test_empty_values_say_nothing() -> None:
    assert leftovers({"a": "", "b": None, "c": [], "d": {}, "e": 0, "f": False}, ()) == (
        {"e": 0, "f": False},
        (),
    )


def test_long_text_is_cut() -> None:
    assert len(leftovers({"a": "x" * 9000}, ())[0]["a"]) == 500


def test_what_is_nested_too_deeply_is_refused() -> None:
    data: dict[str, object] = {"a": 1}
    for _ in range(40):
        data = {"a": data}
    with pytest.raises(RefusedError, match="invalid_field"):
        leftovers(data, ())
