"""Mutes: made and lifted by people, never of a safety rule, and always with an end."""

import datetime as dt

import pytest

from alerts import mutes
from alerts.incidents.actor import Actor
from alerts.rules import RULES, Mute
from registry.errors import RefusedError
from tests.support.compound import COMPOUND, ELSEWHERE

NOW = dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
CHEN = Actor("chen", "operator")


@pytest.fixture
def session(on_sqlite):
    with on_sqlite.write() as session:
        yield session


def made(session, rule="R-E01", place="gate-in", start=NOW, end=NOW + DAY, reason="works", kind=None):
    return mutes.make(session, COMPOUND, Mute(rule, place, start, end, kind), reason, CHEN, NOW)


def in_force(session, since=NOW):
    return [(mute.place, mute.starts_at, mute.ends_at) for mute in mutes.in_force(session, COMPOUND, since)]


@pytest.mark.parametrize("place", ["gate-in", "cam-1", "gate", None])
def test_rule_is_silent_at_a_lane_a_device_a_zone_or_everywhere(session, place):
    made(session, place=place)
    assert in_force(session) == [(place, NOW, NOW + DAY)]
    assert mutes.in_force(session, ELSEWHERE, NOW) == []


def test_subject_kind_goes_along(session):
    made(session, kind="plate")
    (mute,) = mutes.in_force(session, COMPOUND, NOW)
    assert mute.subject_kind == "plate"


@pytest.mark.parametrize("rule", [rule.id for rule in RULES if rule.safety])
def test_safety_rule_is_never_silenced(session, rule):
    with pytest.raises(RefusedError) as refused:
        made(session, rule)
    assert (refused.value.code, in_force(session)) == ("safety_rule", [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rule": "R-Z99"}, "unknown_rule"),
        ({"place": "moon"}, "unknown_place"),
        ({"reason": " "}, "reason_required"),
        ({"end": NOW}, "mute_empty"),
        ({"end": NOW + 31 * DAY + dt.timedelta(seconds=1)}, "mute_too_long"),
        ({"start": NOW - 2 * DAY, "end": NOW - DAY}, "mute_over"),
    ],
)
def test_what_has_no_end_no_reason_or_no_place_is_refused(session, changes, code):
    with pytest.raises(RefusedError) as refused:
        made(session, **changes)
    assert refused.value.code == code


def test_nobody_silences_the_past(session):
    made(session, start=NOW - DAY)
    assert in_force(session) == [("gate-in", NOW, NOW + DAY)]


def test_lifted_one_holds_until_then(session):
    row = made(session)
    later = NOW + dt.timedelta(hours=3)
    mutes.lift(session, COMPOUND, row.id, CHEN, later)
    assert in_force(session) == [("gate-in", NOW, later)]
    assert in_force(session, later) == []
    assert mutes.listed(session, COMPOUND, later) == []
    assert [one.id for one in mutes.listed(session, COMPOUND, later, ended=True)] == [row.id]
    with pytest.raises(RefusedError) as refused:
        mutes.lift(session, COMPOUND, row.id, CHEN, later)
    assert refused.value.code == "mute_over"
