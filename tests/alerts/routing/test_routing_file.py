"""What is wrong with a routing file: said with its line, its combination, and what may be meant."""

import pytest

from alerts.duty.models import TeamKind
from alerts.routing.proving import Manned, prove
from alerts.routing.reading import default_text, load
from alerts.rulebook.findings import Finding
from console.texts import load as texts_of
from console.texts.rulebook import finding_text

HEAD = """version = 1
[receivers.desk]
team_kinds = ["operator"]
when = "raised"
[receivers.guards]
team_kinds = ["guard"]
when = "raised"
[receivers.late]
team_kinds = ["operator"]
[times.night]
from = "22:00"
to = "06:00"
"""
ROOT = '[route]\nreceiver = "desk"\n'


def found(text: str, here: Manned | None = None) -> list[Finding]:
    reading = load(HEAD + text)
    unused = [one for one in reading.findings if one.code != "receiver_unused"]
    return [*unused, *(prove(reading, here=here) if not reading.errors else ())]


def codes(text: str, here: Manned | None = None) -> list[str]:
    return [one.code for one in found(text, here)]


def test_the_tree_that_ringward_comes_with_has_nothing_wrong() -> None:
    reading = load(default_text())
    assert reading.findings == ()
    assert prove(reading) == ()


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        (ROOT + 'grup_by = ["zone"]', "unknown_key", "group_by"),
        ('[route]\nreceiver = "dekk"', "unknown_receiver", "desk"),
        (ROOT + 'mute = ["nigth"]', "unknown_times", "night"),
        (ROOT + '[[route.routes]]\nmatchers = ["rings = building"]', "unknown_label", "ring"),
        (ROOT + '[[route.routes]]\nmatchers = ["ring = bulding"]', "unknown_value", "building"),
        (ROOT + '[[route.routes]]\nmatchers = ["kind = door.force"]', "unknown_value", "door.forced"),
        (ROOT + '[[route.routes]]\nmatchers = ["rule = R-B5"]', "unknown_rule", "R-B05"),
        (ROOT + '[receivers.x]\nteam_kinds = ["gaurd"]', "unknown_value", "guard"),
    ],
)
def test_mistyped_name_is_said_with_its_line_and_what_may_be_meant(text: str, code: str, hint: str) -> None:
    one = next(one for one in found(text) if one.code == code)
    assert one.facts.get("guess") == hint
    assert one.line > HEAD.count("\n")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "route_missing"),
        (ROOT + 'matchers = ["ring = building"]', "root_matches_all"),
        (ROOT + 'group_wait = "10"', "wrong_duration"),
        (ROOT + 'group_wait = "10m"', "not_between"),
        (ROOT + 'group_by = ["colour"]', "unknown_label"),
        (ROOT + '[[route.routes]]\nname = "a"\n[[route.routes]]\nname = "a"', "route_twice"),
        (ROOT + '[receivers.siren]\nchannel_kinds = ["mqtt"]', "receiver_of_nobody"),
        (ROOT + '[[route.routes]]\nmatchers = ["kind =~ dor.*"]', "pattern_of_nothing"),
        (ROOT + "[[inhibit]]\nsource_matchers = []\ntarget_matchers = []", "inhibits_all"),
    ],
)
def test_file_that_cannot_be_meant_is_refused(text: str, code: str) -> None:
    assert code in [one.code for one in load(HEAD + text).errors]


def test_tree_without_a_receiver_at_its_root_has_a_hole_that_is_named() -> None:
    (one, *_) = found('[route]\n[[route.routes]]\nmatchers = ["ring =~ entrance|common"]\nreceiver = "desk"')
    assert (one.code, one.facts["ring"], one.facts["severity"]) == (
        "route_no_receiver",
        "building",
        "1, 2, 3, 4",
    )
    said = finding_text(texts_of("en"), one)
    assert "S1, 2, 3, 4 in ring building" in said
    assert "reaches nobody" in said


def test_hole_at_some_hours_alone_is_named_with_its_hour() -> None:
    text = '[route]\n[[route.routes]]\nactive = ["night"]\nreceiver = "desk"'
    hours = {one.facts["hour"] for one in found(text) if one.code == "route_no_receiver"}
    assert hours == {"Mon 06:00"}


def test_hole_of_one_kind_and_of_one_mode_is_found() -> None:
    kinds = '[route]\n[[route.routes]]\nmatchers = ["kind != ebike.in_lift"]\nreceiver = "desk"'
    assert {one.facts["kinds"] for one in found(kinds) if one.code == "route_no_receiver"} == {
        "ebike.in_lift"
    }
    modes = '[route]\n[[route.routes]]\nmatchers = ["mode != emergency"]\nreceiver = "desk"'
    assert {one.facts["label"] for one in found(modes) if one.code == "route_no_receiver"} == {
        " mode=emergency"
    }


def test_tree_in_which_nobody_hears_before_it_is_confirmed_is_refused() -> None:
    assert set(codes('[route]\nreceiver = "late"')) == {"route_nobody_raised"}


def test_care_that_comes_to_guards_alone_reaches_nobody() -> None:
    text = ROOT + '[[route.routes]]\nmatchers = ["care = true"]\nreceiver = "guards"'
    assert set(codes(text)) == {"route_no_team"}


def test_route_that_nothing_can_come_to_is_named() -> None:
    both = ROOT + '[[route.routes]]\nname = "x"\nmatchers = ["ring = common", "ring = building"]'
    assert codes(both) == ["route_never"]
    grave = ROOT + '[[route.routes]]\nname = "x"\nmatchers = ["severity <= 1", "severity >= 3"]'
    assert codes(grave) == ["route_never"]
    behind = ROOT + '[[route.routes]]\nname = "a"\n[[route.routes]]\nname = "b"\nmatchers = ["ring = common"]'
    (one,) = found(behind)
    assert (one.code, one.facts["name"], one.facts["first"]) == ("route_behind", "b", "a")
    by_night = ROOT + (
        '[[route.routes]]\nname = "a"\nactive = ["night"]\n[[route.routes]]\nname = "b"\nmatchers = ["ring = common"]'
    )
    assert codes(by_night) == []


def test_wait_on_what_is_grave_alone_is_refused_and_on_the_rest_is_not() -> None:
    route = '[[route.routes]]\nname = "x"\nmatchers = ["severity <= {}"]\ngroup_wait = "10s"'
    assert codes(ROOT + route.format(2)) == ["urgent_waits"]
    assert codes(ROOT + route.format(3)) == []


def test_duress_that_would_be_noticed_on_the_spot_is_refused() -> None:
    loud = '[[route.routes]]\nmatchers = ["kind = duress"]\nreceiver = "guards"\ncontinue = true\n'
    assert "duress_noticed" in codes(ROOT + loud)
    siren = HEAD + '[receivers.siren]\nteam_kinds = ["operator"]\nwhen = "raised"\nchannels = ["horn"]\n'
    reading = load(siren + '[route]\nreceiver = "siren"')
    horn = Manned({TeamKind.OPERATOR}, (), {"horn": "mqtt"})
    assert "duress_noticed" in [one.code for one in prove(reading, here=horn)]
    bell = Manned({TeamKind.OPERATOR}, (), {"horn": "console"})
    assert "duress_noticed" not in [one.code for one in prove(reading, here=bell)]


def test_receiver_in_whose_teams_nobody_works_is_an_error_where_it_is_alone() -> None:
    text = ROOT + '[[route.routes]]\nmatchers = ["severity <= 3"]\nreceiver = "desk"'
    assert codes(text, Manned(set(TeamKind), ())) == []
    assert codes(text, Manned((), ())).count("receiver_alone_unmanned") == 1
    both = ROOT + (
        '[[route.routes]]\nreceiver = "desk"\ncontinue = true\n'
        '[[route.routes]]\nmatchers = ["kind != duress"]\nreceiver = "guards"\n'
    )
    without_guards = Manned(set(TeamKind) - {TeamKind.GUARD}, ())
    found_ = found(both, without_guards)
    assert [(one.code, one.facts["name"], one.error) for one in found_] == [
        ("receiver_unmanned", "guards", False)
    ]


def test_every_finding_has_words_in_both_languages() -> None:
    wrong = load(HEAD + '[route]\nreceiver = "dsek"\ngroup_wait = "x"\n[[route.routes]]\nmatchers = ["x"]')
    for locale in ("en", "zh_CN"):
        for one in (*wrong.findings, *prove(wrong)):
            assert finding_text(texts_of(locale), one)
