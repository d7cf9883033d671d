"""What is searched for and what is not, and what a part of a plate finds."""

import datetime as dt

import pytest

from privacy.search import Refusal, Sort, Sought, refused
from registry.plates import lookalikes, part_pattern

END = dt.datetime(2026, 11, 23, 7, tzinfo=dt.UTC)


def sought(days: float = 1, **fields: object) -> Sought:
    return Sought(END - dt.timedelta(days=days), END, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (sought(plate="云M80B12"), None),
        (sought(plate="80B"), None),
        (sought(person="p"), None),
        (sought(zone="z"), None),
        (sought(sort=Sort.FACE), None),
        (sought(), Refusal.NOTHING_ASKED),
        (sought(plate="80"), Refusal.PLATE_TOO_SHORT),
        (sought(plate="???80"), Refusal.PLATE_TOO_SHORT),
        (sought(plate="云M80B12", person="p"), Refusal.TWO_SUBJECTS),
        (sought(person="p", visitor_pass="v"), Refusal.TWO_SUBJECTS),
        (sought(0, person="p"), Refusal.EMPTY_SPAN),
        (sought(-1, zone="z"), Refusal.EMPTY_SPAN),
        (sought(8, person="p"), Refusal.SEARCH_WIDE),
        (sought(8, zone="z"), Refusal.SPAN_TOO_LONG),
        (sought(8, sort=Sort.INCIDENT), None),
    ],
)
def test_a_question_is_put_or_refused_with_a_reason(question, why) -> None:
    assert refused(question, sure=False) is why


def test_whoever_has_thought_twice_may_look_wide_at_somebody_but_not_at_a_place() -> None:
    assert refused(sought(100, person="p"), sure=True) is None
    assert refused(sought(100, zone="z"), sure=True) is Refusal.SPAN_TOO_LONG


def test_a_question_is_put_of_what_is_kept_and_has_been() -> None:
    kept = END - dt.timedelta(days=30)
    within = sought(100, person="p").within(kept, END - dt.timedelta(hours=1))
    assert (within.start, within.end) == (kept, END - dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("part", "plate", "fits"),
    [
        ("80B", "云M80B12", True),
        ("8OB", "云M80B12", True),
        ("ＢOＢ", "云M80B12", True),
        ("8 0-B", "云M80B12", True),
        ("80B", "云M8?B12", True),
        ("80B", "云M81C12", False),
        ("0I2", "云M5D12", True),
        ("云M8", "云M80B12", True),
        ("(.*", "云M80B12", None),
        ("80B[", "云M80B12", True),
    ],
)
def test_a_part_of_a_plate_fits_what_cameras_make_of_it(part, plate, fits) -> None:
    pattern = part_pattern(part)
    assert (None if pattern is None else bool(pattern.search(plate))) is fits


def test_look_alikes_of_a_plate_hold_it_and_are_bounded() -> None:
    found = lookalikes("云M80B12")
    assert found["云M80B12"] == 0
    assert "云M8QB12" in found
    assert "云M99999" not in found
    assert len(found) < 2000
    assert lookalikes("云M8?B12") == {"云M8?B12": 0.0}
