"""What tables of patrols and rosters say to the rules: once, the same in one piece as in many, file or table."""

import datetime as dt
import itertools
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patrol_world import MANAGER, READER, Patrols, at
from timeline import COMPOUND

from alerts.patrols import walking
from alerts.rehearsal import Trial, rehearse
from alerts.rulebook.values import Patrol, Post
from alerts.rules import RULES, RuleBook
from alerts.rules.site import Site, SiteDevice, SiteZone
from storage import Database


@pytest.fixture
def patrols(database: Database) -> Patrols:
    patrols = Patrols(database).settle_in()
    patrols.turn(-600)
    return patrols


def said(seen, kind: str) -> list[tuple[str, dt.datetime]]:
    return [(one.device or one.zone, one.at) for one in seen if one.type == kind]


# Twenty past ten in the evening, by the file; the round of the tables is from ten to half past.
def file(*checkpoints: str, minutes: int = 20) -> SimpleNamespace:
    times = (dt.timedelta(hours=22, minutes=minutes),)
    return SimpleNamespace(patrols=(Patrol("by the file", checkpoints, times),), posts=())


def test_every_point_of_a_planned_round_is_due_when_its_time_ends(patrols: Patrols) -> None:
    seen = [one for one in patrols.calendar(-60, 120) if one.type == "patrol.due"]
    assert sorted(said(seen, "patrol.due")) == [("gate", at(30)), ("hall", at(30)), (READER, at(30))]
    assert {one.attributes["early_min"] for one in seen} == {40}
    assert {one.attributes["grace_min"] for one in seen} == {10}
    assert {one.attributes["point"] for one in seen} == set(patrols.points.values())


@pytest.mark.parametrize(
    ("checkpoint", "minutes", "due"),
    [
        (READER, 20, False), ("gate", 20, False), ("square", 20, False), ("gate", 40, False),
        ("gate", 41, True), ("side-gate", 20, True), ("gate", 0, False),
    ],
)  # fmt: skip
def test_where_the_tables_speak_the_file_does_not(
    patrols: Patrols, checkpoint: str, minutes: int, *, due: bool
) -> None:
    seen = [
        one
        for one in patrols.calendar(-60, 120, file(checkpoint, minutes=minutes))
        if one.type == "patrol.due" and one.attributes["round"] == "by the file"
    ]
    assert len(seen) == due


def test_a_visit_is_heard_when_it_was_and_one_that_waited_when_it_was_told(patrols: Patrols) -> None:
    patrols.scans("gate", 2)
    patrols.scans("hall", 5, told=25)
    # What the reader reports is heard from the reader.
    patrols.reports(8)
    patrols.turn(9)
    came = patrols.calendar(0, 60)
    assert said(came, "patrol.checkin") == [("gate", at(2)), ("hall", at(25))]
    assert not any(one.late for one in came)


def test_a_round_that_was_broken_off_before_its_end_is_due_nowhere(patrols: Patrols) -> None:
    round_id = patrols.round().id
    with patrols.database.write() as session:
        walking.break_off(session, COMPOUND, round_id, "storm", MANAGER, at(29.9))
    assert said(patrols.calendar(-60, 120), "patrol.due") == []


def test_posts_of_a_roster_are_declared_and_from_one_moment_once(patrols: Patrols) -> None:
    posts = (Post("gate", dt.time(22), dt.time(23)), Post("hall", dt.time(22), dt.time(23)))
    with patrols.database.write() as session:
        session.add(Patrols.shift("li", 0, 480, post="gate"))
        session.add(Patrols.shift("wang", 0, 240, post="gate"))
        session.add(Patrols.shift("op", 10, 240, post="gate", on_call=True))
        session.add(Patrols.shift("op", 20, 240, post="nowhere"))
    seen = patrols.calendar(-60, 60, SimpleNamespace(patrols=(), posts=posts))
    shifts = [(one.zone, one.at, one.until) for one in seen if one.type == "post.shift"]
    assert sorted(shifts) == [("gate", at(0), at(480)), ("hall", at(0), at(60))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(st.lists(st.integers(-60, 120), max_size=5).map(sorted))
def test_in_one_piece_as_in_many(patrols: Patrols, cuts: list[int]) -> None:
    patrols.scans("gate", 2, client="one")
    patrols.scans("hall", 5, told=25, client="two")
    bounds = [-60, *cuts, 120]
    parts = [
        seen.id
        for begins, ends in itertools.pairwise(bounds)
        for seen in patrols.calendar(begins, ends, file("side-gate"))
    ]
    assert sorted(parts) == sorted(seen.id for seen in patrols.calendar(-60, 120, file("side-gate")))


def rehearsed(patrols: Patrols, plans: object) -> list[tuple[str, str, int]]:
    """What a replay of the evening raises of R-C11: by what it is known, and how grave."""
    zones = {name: SiteZone(name, "common", "square") for name in ("gate", "square", "hall")}
    site = Site(zones, {READER: SiteDevice(READER, "square", "sensor")})
    only = [rule for rule in RULES if rule.id == "R-C11"]
    zone = dt.timezone(dt.timedelta(hours=8))
    seen = patrols.calendar(-60, 120, plans)
    (outcome,) = rehearse([], only, [Trial(RuleBook(zone), (), seen)], site, at(-60), at(120))
    assert outcome.faults == []
    return [(one.key, one.device or one.zone, one.severity) for one in outcome.incidents]


def test_a_replay_raises_what_the_tables_missed_once_though_the_file_names_it_too(patrols: Patrols) -> None:
    patrols.scans("gate", 2)
    patrols.scans("hall", 5, told=25)
    assert rehearsed(patrols, file(READER)) == [(f"R-C11:{READER}", READER, 4)]


def test_a_replay_raises_nothing_of_points_that_were_come_by(patrols: Patrols) -> None:
    patrols.scans("gate", 2)
    patrols.scans("hall", 39)
    # The reader's own report is no part of this past.
    assert [device for _, device, _ in rehearsed(patrols, file())] == [READER]
