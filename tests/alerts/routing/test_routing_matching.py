"""Matchers as Alertmanager has them, and none that somebody could stop the house with."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.routing.matching import MatcherError, Op, literals, match, parse


@pytest.mark.parametrize(
    ("text", "labels", "holds"),
    [
        ("ring = building", {"ring": "building"}, True),
        ("ring=building", {"ring": "common"}, False),
        ('zone = "east gate"', {"zone": "east gate"}, True),
        ("ring != building", {"ring": "common"}, True),
        ("grid =", {}, True),
        ("grid != ", {}, False),
        ("kind =~ door\\..*", {"kind": "door.forced"}, True),
        ("kind =~ door", {"kind": "door.forced"}, False),
        ("kind !~ door\\..*|fire\\..*", {"kind": "fire.suspected"}, False),
        ("kind !~ door\\..*", {}, True),
        ("severity <= 2", {"severity": "2"}, True),
        ("severity <= 2", {"severity": "3"}, False),
        ("severity >= 3", {"severity": "4"}, True),
        ("severity = 1", {"severity": "1"}, True),
        ("fact.night = true", {"fact.night": "true"}, True),
        ("care = true", {"care": "false"}, False),
    ],
)
def test_matcher_holds_or_does_not(text: str, labels: dict[str, str], holds: bool) -> None:
    assert match([parse(text)], labels) is holds


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ring", "matcher_form"),
        ("ring == building", None),
        ("colour = red", "matcher_label"),
        ("severity <= high", "matcher_severity"),
        ("severity = 5", "matcher_severity"),
        ("zone <= 2", "matcher_order"),
        ("kind =~ (", "matcher_pattern"),
        ("kind =~ (a+)+b", "matcher_slow"),
        ("kind =~ (a|aa)*b", "matcher_slow"),
        ("kind =~ .*.*.*.*x", "matcher_slow"),
        ("kind =~ (a)\\1", "matcher_slow"),
        ("kind =~ (?=a)a", "matcher_slow"),
        ("zone = " + "x" * 200, "matcher_long"),
    ],
)
def test_what_is_no_matcher_says_why(text: str, code: str | None) -> None:
    if code is None:
        # A second sign belongs to the value, which is then nothing that there is.
        assert parse(text).value == "= building"
        return
    with pytest.raises(MatcherError) as refused:
        parse(text)
    assert refused.value.code == code


@given(st.text(alphabet="abcdoor.", max_size=12), st.text(alphabet="abcdoor.", max_size=12))
def test_negations_are_the_opposite(value: str, seen: str) -> None:
    pattern = re.escape(value)
    for yes, no in ((f"zone = {value}", f"zone != {value}"), (f"zone =~ {pattern}", f"zone !~ {pattern}")):
        assert match([parse(yes)], {"zone": seen}) is not match([parse(no)], {"zone": seen})


def test_values_that_are_named_one_by_one_are_known_and_patterns_are_not() -> None:
    assert literals(parse("kind =~ door\\.forced|fire\\.suspected")) == ("door.forced", "fire.suspected")
    assert literals(parse("kind =~ door.*")) == ()
    assert literals(parse("ring != common")) == ("common",)
    assert parse("ring != common").op is Op.IS_NOT
