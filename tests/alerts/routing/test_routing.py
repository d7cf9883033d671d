"""The tree: which way an incident goes, and what no file may change about that."""

import datetime as dt
import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.duty.models import TeamKind
from alerts.routing.proving import OTHER, holes
from alerts.routing.reading import REPORTED, default_tree, load
from alerts.routing.tree import Facts, Tree, When, decide, facts, hears, looked_at, people
from alerts.rules import RULES

RINGS = ("entrance", "common", "building")
NIGHT = dt.datetime(2026, 11, 22, 18, tzinfo=dt.UTC)  # Monday, 02:00 in Shanghai
NOON = dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)
KINDS = tuple(sorted({rule.kind for rule in RULES} | REPORTED | {OTHER}))
HEAD = """
version = 1
[receivers.desk]
team_kinds = ["operator"]
when = "raised"
[receivers.guards]
team_kinds = ["guard"]
when = "raised"
[receivers.helpers]
team_kinds = ["volunteer_police"]
[times.night]
from = "22:00"
to = "06:00"
"""


def tree(text: str) -> Tree:
    reading = load(HEAD + text)
    assert reading.errors == ()
    return reading.tree


def way(routes: Tree, what: Facts, at: dt.datetime = NOON) -> list[str]:
    return [one.receiver.name for one in decide(routes, what, at).told]


def test_first_child_that_matches_has_it_and_continue_lets_the_next_ones_look() -> None:
    routes = tree(
        """
        [route]
        receiver = "desk"
        [[route.routes]]
        matchers = ["kind = door.forced"]
        receiver = "helpers"
        continue = true
        [[route.routes]]
        matchers = ["ring = building"]
        receiver = "guards"
        [[route.routes]]
        matchers = ["severity <= 2"]
        receiver = "helpers"
        """
    )
    assert way(routes, facts(ring="building", kind="door.forced", severity=1)) == ["helpers", "guards"]
    assert way(routes, facts(ring="building", kind="device.clock")) == ["guards"]
    assert way(routes, facts(ring="common", severity=2)) == ["helpers"]
    assert way(routes, facts(ring="common", severity=3)) == ["desk"]


def test_children_inherit_and_a_matching_child_without_children_of_its_own_has_it() -> None:
    routes = tree(
        """
        [route]
        receiver = "desk"
        group_by = ["zone"]
        group_wait = "20s"
        repeat_interval = "1h"
        [[route.routes]]
        name = "inner"
        matchers = ["ring = building"]
        [[route.routes.routes]]
        name = "deep"
        matchers = ["kind = device.clock"]
        group_wait = "5s"
        """
    )
    (told,) = decide(routes, facts(ring="building", kind="device.clock"), NOON).told
    assert (told.receiver.name, told.path, told.wait_s, told.repeat_s) == (
        "desk",
        ("all", "inner", "deep"),
        5,
        3600,
    )
    assert told.group == (("zone", ""),)


def test_route_out_of_its_times_is_passed_over_so_that_the_next_one_has_it() -> None:
    routes = tree(
        """
        [route]
        receiver = "desk"
        [[route.routes]]
        matchers = ["ring = entrance"]
        active = ["night"]
        receiver = "guards"
        """
    )
    assert way(routes, facts(ring="entrance"), NIGHT) == ["guards"]
    assert way(routes, facts(ring="entrance"), NOON) == ["desk"]


def test_muted_route_puts_off_what_has_time_and_nothing_that_is_urgent() -> None:
    routes = tree('[route]\nreceiver = "desk"\nmute = ["night"]\n')
    until = dt.datetime(2026, 11, 22, 22, tzinfo=dt.UTC)
    (late,) = decide(routes, facts(severity=3), NIGHT).told
    assert late.until == until
    (day,) = decide(routes, facts(severity=3), NOON).told
    assert day.until is None
    for severity in (1, 2):
        (urgent,) = decide(routes, facts(severity=severity), NIGHT).told
        assert urgent.until is None
    (safety,) = decide(routes, facts(severity=4, safety=True), NIGHT).told
    assert safety.until is None


def test_why_and_why_not_are_said_of_every_route_that_was_looked_at() -> None:
    looked = looked_at(default_tree(), facts(ring="building", kind="door.forced", severity=2), NIGHT)
    said = {one.route.name: (one.matched, one.why, one.has_it) for one in looked}
    assert said["duress"] == (False, "no_match", False)
    assert said["control-room"] == (True, "matched", True)
    assert said["inside"] == (True, "matched", True)
    assert said["all"] == (True, "matched", False)
    by_name = {one.route.name: one for one in looked}
    assert str(by_name["gate"].matcher) == "ring = entrance"


@pytest.mark.parametrize(
    ("ring", "wanted"), [("entrance", "gate"), ("common", "neighbours"), ("building", "neighbours")]
)
def test_by_default_the_gate_is_the_guards_and_the_inside_the_neighbours(ring: str, wanted: str) -> None:
    assert way(default_tree(), facts(ring=ring, kind="door.forced", severity=2)) == ["control_room", wanted]


def test_by_default_disputes_are_the_mediators_and_violence_is_the_desks_alone() -> None:
    for kind in ("reported.noise", "reported.dispute"):
        assert way(default_tree(), facts(ring="building", kind=kind, severity=4)) == [
            "control_room",
            "mediators",
        ]
    assert way(default_tree(), facts(ring="building", kind="reported.violence", severity=1)) == [
        "control_room"
    ]


ANY = st.builds(
    facts,
    ring=st.sampled_from(RINGS),
    kind=st.sampled_from(KINDS),
    severity=st.integers(1, 4),
    care=st.booleans(),
    safety=st.booleans(),
    silent=st.booleans(),
    compare=st.booleans(),
    confirmed=st.booleans(),
    labels=st.fixed_dictionaries(
        {
            "mode": st.sampled_from(["normal", "heightened", "emergency"]),
            "drill": st.sampled_from(["true", "false"]),
        }
    ),
)
MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2028, 1, 1), timezones=st.just(dt.UTC))


@given(ANY, MOMENTS)
def test_by_default_everything_reaches_people_who_hear_of_it_at_every_hour(
    what: Facts, at: dt.datetime
) -> None:
    told = decide(default_tree(), what, at).told
    assert any(people(one.receiver, what) for one in told if hears(one.receiver, what))


def test_by_default_every_kind_of_every_rule_reaches_somebody_in_every_ring_and_severity() -> None:
    assert list(holes(default_tree())) == []
    for ring, kind, severity in itertools.product(RINGS, KINDS, (1, 2, 3, 4)):
        assert way(default_tree(), facts(ring=ring, kind=kind, severity=severity))


@given(ANY, MOMENTS)
def test_nothing_urgent_ever_waits(what: Facts, at: dt.datetime) -> None:
    for one in decide(default_tree(), what, at).told:
        assert not (what.severity <= 2 or what.safety) or (one.wait_s == 0 and one.until is None)


@given(ANY, MOMENTS)
def test_duress_goes_to_a_desk_alone_and_care_to_no_guard_whatever_the_tree_says(
    what: Facts, at: dt.datetime
) -> None:
    loud = tree('[route]\nreceiver = "guards"\n[[route.routes]]\nreceiver = "helpers"\ncontinue = true\n')
    for routes in (default_tree(), loud):
        for one in decide(routes, what, at).told:
            kinds = set(people(one.receiver, what))
            if what.silent:
                assert kinds <= {TeamKind.OPERATOR, TeamKind.PROPERTY, TeamKind.POLICE}
            if what.care:
                assert kinds.isdisjoint({TeamKind.GUARD, TeamKind.VOLUNTEER_POLICE, TeamKind.PATROL})


@given(ANY)
def test_nobody_outside_the_desk_sees_what_a_machine_says_of_a_person_before_it_is_compared(
    what: Facts,
) -> None:
    for one in decide(default_tree(), what, NOON).told:
        waits = what.compare and not what.confirmed and not what.safety and not what.silent
        if waits and hears(one.receiver, what):
            assert set(one.receiver.team_kinds) == {TeamKind.OPERATOR}


def test_volunteers_hear_only_of_what_is_confirmed() -> None:
    receivers = default_tree().receivers
    for receiver in receivers.values():
        if (
            any(kind.volunteers for kind in receiver.team_kinds)
            and TeamKind.MEDIATION not in receiver.team_kinds
        ):
            assert receiver.when is When.CONFIRMED, receiver.name


def test_labels_say_what_the_facts_are() -> None:
    labels: Mapping[str, str] = facts(ring="common", severity=2, care=True, confirmed=True).labels
    assert (labels["care"], labels["severity"], labels["stage"]) == ("true", "2", "confirmed")
