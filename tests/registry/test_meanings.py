"""What a text in a search may mean."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.meanings import LONGEST, Meaning, meanings


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("张三", Meaning.NAME),
        ("买买提·艾力", Meaning.NAME),
        ("Anna Meier", Meaning.NAME),
        ("10012345678", Meaning.PHONE),
        ("100 1234 5678", Meaning.PHONE),
        ("１００１２３４５６７８", Meaning.PHONE),
        ("0871-12345678", Meaning.PHONE),
        ("云A12345", Meaning.PLATE),
        ("云a·12345", Meaning.PLATE),
        ("云AD12345", Meaning.PLATE),
        ("11010519491231002X", Meaning.ID_NUMBER),
        ("110105 19491231 002x", Meaning.ID_NUMBER),
        ("3号楼2单元1801室", Meaning.ADDRESS),
        ("3幢2单元18层1801室", Meaning.ADDRESS),
        ("3-2-1801", Meaning.ADDRESS),
        ("三号楼二单元一八〇一", Meaning.ADDRESS),
    ],
)
def test_the_likeliest_reading_comes_first(text: str, first: Meaning) -> None:
    assert meanings(text)[0] is first


@pytest.mark.parametrize("text", ["110105194912310021", "110105491231002", "11010519491231002X"])
def test_a_number_of_an_identity_card_is_nothing_else_even_with_a_slip_of_the_pen(text: str) -> None:
    assert meanings(text) == (Meaning.ID_NUMBER,)


def test_an_other_name_of_a_place_is_tried_as_one() -> None:
    assert Meaning.ADDRESS in meanings("老粮站后院101")


@pytest.mark.parametrize("text", ["F-2024/0007", "P0000123", "JZ"])
def test_a_number_of_other_books_is_tried_as_one(text: str) -> None:
    assert Meaning.EXTERNAL_ID in meanings(text)


@pytest.mark.parametrize("text", ["", "   ", "\u3000", "x" * (LONGEST + 1)])
def test_nothing_and_too_much_mean_nothing(text: str) -> None:
    assert meanings(text) == ()


@given(st.text(max_size=80))
def test_any_text_can_be_asked_and_no_reading_comes_twice(text: str) -> None:
    found = meanings(text)
    assert len(set(found)) == len(found)
    assert bool(found) == (0 < len(unicodedata.normalize("NFKC", text).strip()) <= LONGEST)


@given(st.text(alphabet="0123456789", min_size=8, max_size=8))
def test_every_mobile_number_is_a_phone_and_nothing_else(digits: str) -> None:
    assert meanings(f"100{digits}") == (Meaning.PHONE,)
