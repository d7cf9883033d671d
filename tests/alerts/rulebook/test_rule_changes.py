"""A rule's numbers, levels and switch changed in a file that stays as somebody wrote it. Pure."""

import pytest

from alerts.rulebook.changing import (
    Changed,
    NotWritableError,
    RuleChange,
    changed,
    changes_nothing,
    difference,
    with_change,
    with_value,
)
from alerts.rulebook.file import load
from alerts.rulebook.writing import default
from alerts.rules import RULES, Entry

RULE = next(rule for rule in RULES if rule.id == "R-E01")
OTHERS = """\
version = 1

# why this one is off
[rules.R-B06]
enabled = false  # works on the roof

[[rules.R-E01.hours]]
name = "school run"
from = "07:00"
to = "08:00"
window_s = 20
"""


def test_only_what_is_otherwise_is_changed() -> None:
    wanted = RuleChange(True, {"window_s": 30.0}, dict(RULE.severities))
    found = difference(RULE, Entry(), wanted)
    assert found == RuleChange(None, {"window_s": 30.0}, {})
    assert changes_nothing(difference(RULE, Entry(values={"window_s": 30.0}), wanted))


@pytest.mark.parametrize(
    "text",
    [
        default(),
        OTHERS,
        "version = 1\n[rules.R-E01]\nwindow_s = 12\n",
        "version = 1\n[rules.R-E01]\nseverity.day = 3\n",
        "version = 1\n[rules.R-E01.severity]\nnight = 2\n",
        "version = 1\n[rules.R-E01]\nseverity = { day = 3 }\n",
    ],
)
def test_a_change_is_in_the_file_and_nothing_else_is_lost(text: str) -> None:
    wanted = RuleChange(False, {"window_s": 30}, {"day": 3})
    out = with_change(text, "R-E01", wanted)
    before, after = load(text).file, load(out).file
    entry = after.entries["R-E01"]
    assert (entry.enabled, entry.values, entry.severities["day"]) == (False, {"window_s": 30}, 3)
    was = before.entries.get("R-E01", Entry())
    assert entry.hours == was.hours
    assert set(was.severities) <= set(entry.severities)
    assert {name: one for name, one in after.entries.items() if name != "R-E01"} == {
        name: one for name, one in before.entries.items() if name != "R-E01"
    }
    # Every line that somebody wrote a comment on is still there.
    commented = [line for line in text.splitlines() if "#" in line]
    assert [line for line in commented if line not in out.splitlines()] == []


def test_a_level_stands_below_the_comment_that_names_it() -> None:
    lines = with_change(default(), "R-E01", RuleChange(severities={"day": 3})).splitlines()
    at = lines.index("severity.day = 3")
    assert lines[at - 1].startswith("# severity.day = 4")


def test_a_switch_is_not_taken_for_a_number() -> None:
    assert "enabled = false" in with_value("version = 1\n", "R-E01", ("enabled",), False)


def test_a_file_that_is_no_file_is_not_written_into() -> None:
    with pytest.raises(NotWritableError):
        with_change("version = 1\n[rules\n", "R-E01", RuleChange(values={"window_s": 30}))


def test_what_a_draft_has_otherwise_is_told_rule_by_rule() -> None:
    after = {"R-E01": Entry(enabled=False, values={"window_s": 30.0}, severities={"day": 3})}
    usual = next(one.default for one in RULE.parameters if one.name == "window_s")
    assert changed({}, after, RULES) == [
        Changed("R-E01", ("enabled",), True, False),
        Changed("R-E01", ("severity", "day"), RULE.severities["day"], 3),
        Changed("R-E01", ("window_s",), usual, 30.0),
    ]
