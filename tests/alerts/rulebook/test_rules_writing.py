"""The file to start from, and one value changed with everything else as it was."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rules import MADE

from alerts.rulebook.advice import EASINGS
from alerts.rulebook.changing import NotWritableError, with_number
from alerts.rulebook.file import load
from alerts.rulebook.ruletables import RESERVED
from alerts.rulebook.values import RulesFile
from alerts.rulebook.writing import default, says
from alerts.rules import RULES

TAKEN_AWAY = re.compile(r"^# ((?:enabled|severity\.\w+|\w+) = \S+  ?#.*|enabled = true)$", re.MULTILINE)


def test_file_to_start_from_changes_nothing():
    reading = load(default())
    assert reading.findings == ()
    bare = {entry for entry in reading.file.entries.values() if entry.values or entry.severities}
    assert bare == set()
    assert reading.file.budget == RulesFile().budget
    assert (reading.file.night, reading.file.mutes, reading.file.patrols) == (RulesFile().night, (), ())


def test_file_to_start_from_says_every_rule_parameter_and_trade_off():
    text = default()
    flat = " ".join(re.sub(r"^#", "", text, flags=re.MULTILINE).split())
    for rule in RULES:
        assert f"[rules.{rule.id}]" in text
        assert says(rule) in flat
        for parameter in rule.parameters:
            assert " ".join(parameter.trade_off.split()) in flat, (rule.id, parameter.name)
            assert f"# {parameter.name} = {parameter.default:g}" in text


def test_whatever_is_taken_from_behind_its_mark_is_how_the_rule_comes():
    reading = load(TAKEN_AWAY.sub(r"\1", default()))
    assert reading.findings == ()
    for rule in RULES:
        entry = reading.file.entries[rule.id]
        assert entry.severities == dict(rule.severities)
        assert entry.values == {one.name: pytest.approx(one.default) for one in rule.parameters}


def test_rules_say_what_they_ask_in_words():
    for rule in RULES:
        assert len(says(rule)) > 20, rule.id
        assert rule.id not in says(rule)


def test_no_parameter_is_called_like_what_every_rule_has():
    assert not {parameter.name for rule in RULES for parameter in rule.parameters} & RESERVED


def test_table_of_what_makes_fewer_alarms_names_parameters_that_exist():
    known = {rule.id: {parameter.name for parameter in rule.parameters} for rule in RULES}
    safety = {rule.id for rule in RULES if rule.safety}
    for rule, easings in EASINGS.items():
        assert rule not in safety
        assert {easing.parameter for easing in easings} <= known[rule], rule


KEPT = """\
# who: office
version = 1

[rules.T-01]   # the gate
# searched for long, see the minutes of 3 May
window_s = 20   # s
share = 0.5

# next one
[rules.T-02]
"""


def value_of(text, rule="T-01", name="window_s"):
    return load(text, rules=MADE).file.entries[rule].values.get(name)


def test_changes_the_number_and_nothing_else():
    changed = with_number(KEPT, "T-01", "window_s", 25)
    assert changed == KEPT.replace("window_s = 20   # s", "window_s = 25   # s")


def test_what_was_not_set_comes_below_the_comment_on_it():
    text = "version = 1\n[rules.T-01]\n# enabled = true\n# window_s = 10  # s, 2…60\n\n# next\n[rules.T-02]\n"
    changed = with_number(text, "T-01", "window_s", 12.5)
    assert changed == text.replace("…60\n", "…60\nwindow_s = 12.5\n")


@pytest.mark.parametrize(
    "text",
    [
        "version = 1",
        "version = 1\n[rules.T-01]",
        "version = 1\n[rules.T-01]\nzones = [\n'gate',\n]\n[rules.T-02]\nlying_s = 7",
        "version = 1\nrules.T-01.window_s = 3 # c",
        "version = 1\n[rules]\nT-01 = {window_s = 3, share = 0.5} # c",
        "version = 1\n[[rules.T-01.hours]]\nname = 'a'\nfrom = '08:00'\nto = '09:00'\nwindow_s = 4\n",
        "version = 1\n[rules.T-01]\nshare = 0.5\n[[rules.T-01.hours]]\nname = 'a'\nfrom = '08:00'\nto = '09:00'\nwindow_s = 4\n",
        default(MADE),
    ],
)
def test_whichever_way_it_is_written_the_number_is_changed(text):
    before = load(text, rules=MADE)
    changed = with_number(text, "T-01", "window_s", 25)
    after = load(changed, rules=MADE)
    assert after.errors == ()
    assert value_of(changed) == 25
    entry = before.file.entries.get("T-01")
    if entry is not None:
        assert after.file.entries["T-01"].hours == entry.hours
        assert after.file.entries["T-01"].zones == entry.zones
    assert after.file.entries.get("T-02") == before.file.entries.get("T-02")
    # Not a line is gone but the one that was changed.
    gone = set(text.splitlines()) - set(changed.splitlines())
    assert len(gone) <= 1
    assert all("window_s" in line for line in gone)


@pytest.mark.parametrize("text", ["version = 1\nrules.T-01.share = 0.5", "version = 1\n[rules.T-01]\nx = ?"])
def test_what_cannot_be_changed_without_touching_the_rest_is_said(text):
    with pytest.raises(NotWritableError):
        with_number(text, "T-01", "window_s", 25)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["window_s", "share"]), st.floats(0.05, 0.95)), min_size=1, max_size=6)
)
def test_changes_one_after_the_other_leave_the_last_of_each(changes):
    text = default(MADE)
    for name, value in changes:
        number = round(value * 60) + 2 if name == "window_s" else round(value, 3)
        text = with_number(text, "T-01", name, min(number, 60))
    last = dict(changes)
    for name, value in last.items():
        expected = min(round(value * 60) + 2, 60) if name == "window_s" else round(value, 3)
        assert value_of(text, name=name) == pytest.approx(expected)
    assert text.count("\n") == default(MADE).count("\n") + len(last)
