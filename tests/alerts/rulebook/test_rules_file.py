"""A rules file: what a good one says, and what is said of a bad one, on which line."""

import datetime as dt
import textwrap

import pytest
from made_rules import PLAN, read_file, said

from alerts.rulebook.file import load
from alerts.rulebook.values import Budget, Confirmation, RulesFile
from alerts.rules import Hours, Mode

UTC = dt.UTC
GOOD = textwrap.dedent(
    """\
    [night]
    from = "22:30"
    to = 05:30:00

    [rules.T-01]
    zones = ["gate"]
    window_s = 12
    severity = {night = 2}

    [[rules.T-01.hours]]
    name = "school"
    days = "weekdays"
    from = "16:00"
    to = "17:30"
    enabled = false

    [[rules.T-01.hours]]
    name = "night shift"
    days = ["sat", "sun"]
    from = "22:00"
    to = "06:00"
    window_s = 20
    severity.day = 3

    [rules.T-03]
    except_zones = ["b1"]

    [[mutes]]
    rule = "T-01"
    place = "gate-in"
    from = 2026-12-01T08:00:00+08:00
    until = 2026-12-02T08:00:00
    author = "office"
    reason = "works"
    subject_kind = "person"

    [budget]
    per_operator = 20
    per_source = 5

    [confirmation]
    two_persons = true

    [[patrols]]
    round = "evening"
    checkpoints = ["point-1", "yard"]
    every_min = 90
    from = "22:00"
    to = "01:00"

    [[patrols]]
    round = "noon"
    checkpoints = ["point-1"]
    days = ["mon"]
    times = ["12:00", 13:30:00]

    [[posts]]
    zone = "gate"
    from = "00:00"
    to = "24:00"
    """
)


def test_says_what_was_written():
    reading = read_file(GOOD)
    assert reading.findings == ()
    file = reading.file
    assert file.night == (dt.time(22, 30), dt.time(5, 30))
    entry = file.entries["T-01"]
    assert (entry.zones, entry.values, entry.severities) == ({"gate"}, {"window_s": 12}, {"night": 2})
    school, shift = entry.hours
    assert school == Hours("school", frozenset(range(5)), dt.time(16), dt.time(17, 30), enabled=False)
    assert (shift.days, shift.values, shift.severities) == ({5, 6}, {"window_s": 20}, {"day": 3})
    assert file.entries["T-03"].except_zones == {"b1"}
    (written,) = file.mutes
    assert written.mute.starts_at == dt.datetime(2026, 12, 1, 0, tzinfo=UTC)
    # By the compound's clock where it does not say.
    assert written.mute.ends_at == dt.datetime(2026, 12, 2, 0, tzinfo=UTC)
    assert (written.author, written.reason, written.mute.subject_kind) == ("office", "works", "person")
    assert file.budget == Budget(20, 5)
    assert file.confirmation == Confirmation(frozenset({"T-04"}))
    evening, noon = file.patrols
    assert [time / dt.timedelta(hours=1) for time in evening.times] == [22, 23.5, 25]
    assert (noon.days, noon.checkpoints) == ({0}, ("point-1",))
    (post,) = file.posts
    assert (post.starts, post.ends) == (dt.time(), dt.time())


def test_book_goes_by_it():
    book = read_file(GOOD).file.book(dt.UTC, "7", Mode.HEIGHTENED)
    assert (book.version, book.mode, book.night[0]) == ("7", Mode.HEIGHTENED, dt.time(22, 30))
    assert book.entries["T-01"].values == {"window_s": 12}


def test_file_that_says_nothing_changes_nothing():
    assert read_file("").file == RulesFile()


WRONG = {
    "unknown table": ("[nigth]", [(1, "unknown_table")]),
    "unknown key": ("[budget]\nper_operators = 3", [(2, "unknown_key")]),
    "unknown rule": ("[rules.T-1]", [(1, "unknown_rule")]),
    "unknown parameter": ("[rules.T-01]\nwindow = 3", [(2, "unknown_parameter")]),
    "parameter of another rule": ("[rules.T-01]\nlying_s = 10", [(2, "unknown_parameter")]),
    "parameter too small": ("[rules.T-01]\nwindow_s = 1", [(2, "out_of_range")]),
    "parameter too large": ("[rules.T-01]\nwindow_s = 61", [(2, "out_of_range")]),
    "parameter that is no number": ('[rules.T-01]\nwindow_s = "10"', [(2, "wrong_type")]),
    "parameter that is true": ("[rules.T-01]\nwindow_s = true", [(2, "wrong_type")]),
    "parameter that is not finite": ("[rules.T-01]\nwindow_s = nan\nshare = inf", [(2, "wrong_type"), (3, "wrong_type")]),
    "parameter that is a table": ("[rules.T-01.window_s]\nx = 1", [(1, "wrong_type")]),
    "rule that is a number": ("rules.T-01 = 3", [(1, "wrong_type")]),
    "rules that are several": ("[[rules]]", [(1, "wrong_type")]),
    "enabled in words": ('[rules.T-01]\nenabled = "no"', [(2, "wrong_type")]),
    "zone that is not there": ('[rules.T-01]\nzones = ["gate", "gates"]', [(2, "unknown_zone")]),
    "zone twice over": ('[rules.T-01]\nzones = ["gate"]\nexcept_zones = ["gate"]', [(3, "zone_both")]),
    "severity that is none": ("[rules.T-01]\nseverity.day = 5", [(2, "not_between")]),
    "severity of an unknown level": ("[rules.T-01]\nseverity.dusk = 3", [(2, "unknown_level")]),
    "severity without a level": ("[rules.T-01]\nseverity = 3", [(2, "wrong_type")]),
    "critical where the rule knows none": ("[rules.T-01]\nseverity.day = 1", [(2, "severity_bounds")]),
    "two steps milder": ("[rules.T-04]\nseverity.building = 3", [(2, "severity_bounds")]),
    "safety made milder": ("[rules.T-02]\nseverity.usual = 2", [(2, "severity_safety")]),
    "safety switched off": ("[rules.T-02]\nenabled = false", [(2, "safety_off")]),
    "safety somewhere only": ('[rules.T-02]\nexcept_zones = ["yard"]', [(2, "safety_somewhere")]),
    "care made graver": ("[rules.T-03]\nseverity.usual = 2", [(2, "severity_bounds")]),
    "night of no length": ('[night]\nfrom = "23:00"\nto = "23:00"', [(3, "night_empty")]),
    "night without an end": ('[night]\nfrom = "23:00"', [(1, "missing_key")]),
    "time that is none": ('[night]\nfrom = "25:00"\nto = "0500"', [(2, "wrong_type"), (3, "wrong_type")]),
    "mute without all that it needs": (
        '[[mutes]]\nrule = "T-01"\nplace = "gate"',
        [(1, "missing_key")] * 4,
    ),
    "budget of nothing": ("[budget]\nper_operator = 0", [(2, "not_between")]),
    "two people for an unknown rule": ('[confirmation]\ntwo_persons = ["T-9"]', [(2, "unknown_rule")]),
    "confirming itself what a face did": ('[confirmation]\nconfirm_alone = ["T-04"]', [(2, "not_alone")]),
    "patrol without a time": ('[[patrols]]\nround = "a"\ncheckpoints = ["point-1"]', [(1, "patrol_when")]),
    "patrol to nowhere": ('[[patrols]]\nround = "a"\ncheckpoints = []\ntimes = ["01:00"]', [(3, "patrol_nowhere")]),
    "patrol to what is not there": (
        '[[patrols]]\nround = "a"\ncheckpoints = ["point-2"]\ntimes = ["01:00"]',
        [(3, "unknown_checkpoint")],
    ),
    "patrol twice": (
        '[[patrols]]\nround = "a"\ncheckpoints = ["yard"]\ntimes = ["01:00"]\n' * 2,
        [(5, "patrol_twice")],
    ),
    "post where nothing is": ('[[posts]]\nzone = "moon"\nfrom = "08:00"\nto = "09:00"', [(2, "unknown_zone")]),
    "rule twice": ("[rules.T-01]\nwindow_s = 3\n[rules.T-01]\nshare = 0.5", [(3, "twice_since")]),
    "no TOML": ("window_s: 10", [(1, "toml")]),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_is_refused_on_the_line_where_it_is_wrong(case):
    text, expected = WRONG[case]
    assert said(text) == expected


def test_version_of_the_format_has_to_be_said_and_known():
    assert [(one.line, one.code) for one in load("").errors] == [(1, "version_missing")]
    assert [(one.line, one.code) for one in load("\nversion = 2").errors] == [(2, "version_unknown")]
    assert [one.code for one in load('version = "1"').errors] == ["wrong_type"]


MUTE = (
    '[[mutes]]\nrule = "{rule}"\nplace = "{place}"\nfrom = 2026-12-01T08:00:00\nuntil = {until}\n'
    'author = "office"\nreason = "{reason}"\n'
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"rule": "T-02"}, [(2, "safety_muted")]),
        ({"place": "gate-out"}, [(3, "unknown_place")]),
        ({"until": "2026-12-01T08:00:00"}, [(5, "mute_empty")]),
        ({"until": "2027-01-01T08:00:00"}, []),
        ({"until": "2027-01-01T08:00:01"}, [(5, "mute_long")]),
        ({"until": "2026-12-02"}, [(5, "wrong_type")]),
        ({"reason": " "}, [(7, "wrong_type")]),
        ({"reason": "x" * 201}, [(7, "too_long")]),
    ],
)
def test_mutes_have_an_end_a_reason_and_a_place_that_exists(changes, expected):
    given = {"rule": "T-01", "place": "gate-in", "until": "2026-12-03T08:00:00", "reason": "works"} | changes
    text = MUTE.format(**given)
    assert said(text) == expected
    assert len(read_file(text).file.mutes) == (not expected)


def hours(*ones: tuple[str, str, str, str], zones: str = "") -> str:
    return "".join(
        f'[[rules.T-01.hours]]\nname = "{name}"\ndays = {days}\nfrom = "{start}"\nto = "{end}"\nshare = 0.5\n{zones}\n'
        for name, days, start, end in ones
    )


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (("a", '["mon"]', "08:00", "10:00"), ("b", '["mon"]', "10:00", "12:00"), False),
        (("a", '["mon"]', "08:00", "10:00"), ("b", '["mon"]', "09:59", "12:00"), True),
        (("a", '["mon"]', "08:00", "10:00"), ("b", '["tue"]', "08:00", "10:00"), False),
        (("a", '["mon"]', "22:00", "02:00"), ("b", '["tue"]', "01:00", "03:00"), True),
        (("a", '["mon"]', "22:00", "02:00"), ("b", '["tue"]', "02:00", "03:00"), False),
        # Sunday's night goes into Monday.
        (("a", '["sun"]', "22:00", "02:00"), ("b", '["mon"]', "01:00", "03:00"), True),
        (("a", '"daily"', "00:00", "24:00"), ("b", '["wed"]', "12:00", "12:01"), True),
    ],
)
def test_hours_of_a_rule_may_touch_and_must_not_overlap(first, second, clash):
    for pair in ((first, second), (second, first)):
        found = said(hours(*pair))
        assert found == ([(8, "hours_overlap")] if clash else []), pair


def test_hours_may_overlap_in_different_zones():
    one = hours(("a", '"daily"', "08:00", "10:00"), zones='zones = ["gate"]')
    other = hours(("b", '"daily"', "08:00", "10:00"), zones='zones = ["back-gate"]')
    assert said(one + other) == []
    everywhere = hours(("b", '"daily"', "08:00", "10:00"))
    assert said(one + everywhere) == [(8, "hours_overlap")]


def test_hours_need_names_of_their_own_and_a_length():
    twice = hours(("a", '["mon"]', "08:00", "10:00"), ("a", '["tue"]', "08:00", "10:00"))
    assert said(twice) == [(8, "hours_same_name")]
    assert said(hours(("a", '"daily"', "08:00", "08:00"))) == [(5, "hours_empty")]
    assert said(hours(("a", '"daily"', "00:00", "00:00"))) == [(5, "hours_empty")]
    assert said(hours(("a", '["mo"]', "08:00", "09:00"))) == [(3, "unknown_day")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[rules.T-01]\nenabled = false", [(2, "rule_off")]),
        ("[rules.T-01]\nseverity.night = 4", [(2, "severity_milder")]),
        ('[rules.T-01]\nzones = ["yard"]', [(2, "zone_elsewhere")]),
        ('[[mutes]]\nrule = "T-01"\nfrom = 2026-12-01T08:00:00\nuntil = 2026-12-01T09:00:00\nauthor = "a"\nreason = "b"',
         [(1, "mute_everywhere")]),
        ('[[rules.T-01.hours]]\nname = "a"\nfrom = "08:00"\nto = "09:00"', [(1, "hours_change_nothing")]),
    ],
)  # fmt: skip
def test_what_somebody_should_have_meant_is_said_and_taken_in(text, expected):
    assert said(text) == []
    assert said(text, warnings=True) == expected


def test_everything_that_is_wrong_is_said_at_once():
    # What cannot stand beside the others.
    taken, expected, line, parts = {"[rules.T-01.window_s]"}, [], 0, []
    for text, wrong in WRONG.values():
        header = text.split("\n", 1)[0]
        # A table of a name stands once in a file; one of the tests is about the opposite.
        several = header.startswith("[[") and header != "[[rules]]"
        if not header.startswith("[") or header == "[[rules]]" or (header in taken and not several):
            continue
        taken.add(header)
        expected += [(line + at, code) for at, code in wrong]
        line += text.count("\n") + 1
        parts.append(text)
    assert len(expected) > 15
    assert said("\n".join(parts)) == expected


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("[nigth]", "night"),
        ("[rules.t-01]", "T-01"),
        ("[rules.T-4]", "T-04"),
        ("[rules.T-01]\nwindow = 3", "window_s"),
        ('[rules.T-01]\nzones = ["Back-Gate"]', "back-gate"),
        ("[rules.T-01]\nseverity.nite = 3", "night"),
        ('[[posts]]\nzone = "gat"\nfrom = "08:00"\nto = "09:00"', "gate"),
    ],
)
def test_suggests_what_was_probably_meant(text, guess):
    (finding,) = read_file(text).errors
    assert (finding.hint, finding.facts["guess"]) == ("did_you_mean", guess)


def test_out_of_range_says_the_range_and_what_either_end_costs():
    (finding,) = read_file("[rules.T-01]\nwindow_s = 61").errors
    assert finding.where == "rules.T-01.window_s"
    facts = finding.facts
    assert (facts["value"], facts["low"], facts["high"], facts["unit"]) == ("61", "2", "60", "s")
    assert "Too long" in facts["trade_off"]
    assert finding.hint == "trade_off"


@pytest.mark.parametrize("value", [2, 60])
def test_bounds_of_a_parameter_belong_to_it(value):
    reading = read_file(f"[rules.T-01]\nwindow_s = {value}")
    assert reading.findings == ()
    assert reading.file.entries["T-01"].values == {"window_s": float(value)}


def test_what_is_wrong_is_left_out_and_the_rest_holds():
    reading = read_file("[rules.T-01]\nwindow_s = 99\nshare = 0.5\n[rules.T-02]\nenabled = false")
    assert reading.file.entries["T-01"].values == {"share": 0.5}
    assert reading.file.entries["T-02"].enabled


def test_without_a_plan_nothing_is_said_of_places():
    text = '[rules.T-01]\nzones = ["moon"]\n[[posts]]\nzone = "mars"\nfrom = "08:00"\nto = "09:00"'
    assert read_file(text, None).findings == ()
    assert len(read_file(text, PLAN).errors) == 2
