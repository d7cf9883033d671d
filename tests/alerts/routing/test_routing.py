"""The routing table: the first route that matches, and no hole."""

import itertools

import pytest

from alerts.routing.tree import DEFAULT_ROUTES, Facts, NoRouteError, Route, holes, route
from alerts.rules import RULES

RINGS = ("entrance", "common", "building")


def facts(ring: str = "entrance", kind: str = "door.forced", severity: int = 3) -> Facts:
    return Facts(ring, kind, severity, "gate")


def test_default_routes_have_no_hole() -> None:
    assert holes(DEFAULT_ROUTES) == []
    for ring, rule, severity in itertools.product(RINGS, RULES, (1, 2, 3, 4)):
        assert route(DEFAULT_ROUTES, Facts(ring, rule.kind, severity, "")).team_kind


def test_gate_is_the_guards_and_the_inside_the_volunteers() -> None:
    teams = {ring: route(DEFAULT_ROUTES, facts(ring)).team_kind for ring in RINGS}
    assert teams == {"entrance": "guard", "common": "volunteer_police", "building": "volunteer_police"}


def test_missing_ring_is_a_hole_at_every_severity() -> None:
    found = holes(DEFAULT_ROUTES[:2])
    assert {(hole.ring, hole.severity) for hole in found} == {
        ("building", severity) for severity in (1, 2, 3, 4)
    }


def test_route_that_takes_only_the_grave_leaves_a_hole_below() -> None:
    found = holes([Route("guard", max_severity=2)])
    assert {hole.severity for hole in found} == {3, 4}
    assert {hole.ring for hole in found} == set(RINGS)


def test_route_for_one_kind_closes_no_hole() -> None:
    only = Route("property", kinds=frozenset({"device.offline"}))
    assert len(holes([only])) == 12
    assert holes([only, Route("guard")]) == []


def test_first_match_wins() -> None:
    routes = [
        Route("property", kinds=frozenset({"device.offline"})),
        Route("emergency", max_severity=1),
        Route("guard"),
    ]
    assert route(routes, facts(kind="device.offline", severity=1)).team_kind == "property"
    assert route(routes, facts(severity=1)).team_kind == "emergency"
    assert route(routes, facts(severity=2)).team_kind == "guard"


def test_incident_that_would_reach_nobody_is_an_error_that_names_it() -> None:
    lost = facts(ring="building")
    with pytest.raises(NoRouteError) as nowhere:
        route(DEFAULT_ROUTES[:1], lost)
    assert nowhere.value.facts == lost
