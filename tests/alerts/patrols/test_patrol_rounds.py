"""Rounds with time: planned, told, walked by phone and reader, closed; what is said of them, and how often."""

import datetime as dt
import threading

import pytest
from patrol_world import MANAGER, Patrols, at
from sqlalchemy import select
from timeline import COMPOUND

from alerts.duty.models import Shift, TeamKind
from alerts.patrols import checkpoints, facts, routes, visiting, walking
from alerts.patrols.models import How, PatrolRound, PatrolVisit
from alerts.patrols.visiting import Told
from registry.errors import MissingError, RefusedError
from storage import Database


@pytest.fixture
def patrols(database: Database) -> Patrols:
    return Patrols(database).settle_in()


def test_a_round_is_planned_once_and_told_to_who_has_walked_least(patrols: Patrols) -> None:
    assert patrols.turn(-600) == 1
    assert patrols.turn(-31) == 0
    assert patrols.told() == []
    patrols.turn(-30)
    patrols.turn(-29)
    assert patrols.told() == [("walk", "li")]
    row = patrols.round()
    assert (row.state, row.responder, row.due_from, row.counts_until) == ("planned", "li", at(0), at(40))


def test_volunteers_are_told_two_at_once(database: Database) -> None:
    patrols = Patrols(database).settle_in(TeamKind.VOLUNTEER_POLICE)
    patrols.turn(-600)
    patrols.turn(-30)
    assert sorted(patrols.told()) == [("walk", "li"), ("walk", "wang")]


def test_nobody_on_duty_is_told_the_control_room_when_it_begins(patrols: Patrols) -> None:
    with patrols.database.write() as session:
        for row in session.scalars(select(Shift).where(Shift.responder != "op")):
            session.delete(row)
    patrols.turn(-600)
    patrols.turn(-1)
    assert patrols.told() == []
    patrols.turn(0)
    patrols.turn(1)
    assert patrols.told() == [("nobody", "op")]
    # Somebody comes after all.
    with patrols.database.write() as session:
        session.add(Patrols.shift("wang", 5, 60))
    patrols.turn(6)
    assert patrols.told()[1:] == [("walk", "wang")]


def test_a_round_that_is_walked_is_done_at_its_last_point(patrols: Patrols) -> None:
    patrols.turn(-600)
    patrols.begins(0)
    patrols.scans("gate", 2)
    patrols.reports(8)
    patrols.turn(9)
    assert patrols.round().state == "under_way"
    patrols.scans("hall", 15)
    row = patrols.round()
    assert (row.state, row.started_at, row.ended_at) == ("done", at(0), at(15))
    assert patrols.standing(60).judged.findings == ()
    patrols.turn(60)
    assert patrols.told() == []


def test_a_missed_round_is_closed_once_and_told_the_control_room(patrols: Patrols) -> None:
    patrols.turn(-600)
    patrols.scans("gate", 2)
    patrols.turn(40)
    assert patrols.round().state == "under_way"
    patrols.turn(41)
    patrols.turn(42)
    assert patrols.round().state == "missed"
    assert patrols.told()[-1] == ("missed", "op")
    with patrols.database.read() as session:
        missed = facts.missed_points(session, COMPOUND, at(0), at(60))
        assert [(one.point_name, one.why, one.zone) for one in missed] == [
            ("square", "missed", "square"),
            ("hall", "missed", "hall"),
        ]
        assert facts.missed_points(session, COMPOUND, at(41), at(60)) == []


def test_a_phone_without_a_network_completes_a_missed_round_and_it_shows(patrols: Patrols) -> None:
    patrols.turn(-600)
    patrols.scans("gate", 2)
    patrols.reports(5)
    patrols.turn(41)
    assert patrols.round().state == "missed"
    visit, new = patrols.scans("hall", 20, told=50)
    assert (new, visit.told_late) == (True, True)
    assert patrols.round().state == "done"
    assert [str(one.what) for one in patrols.standing(60).judged.findings] == ["told_late"]


def test_the_same_visit_sent_again_is_one(patrols: Patrols) -> None:
    patrols.turn(-600)
    first, new = patrols.scans("gate", 2, client="phone-visit-1")
    again, new_again = patrols.scans("gate", 3, client="phone-visit-1")
    assert (new, new_again, again.id, again.at) == (True, False, first.id, at(2))


def test_a_reader_report_is_one_visit_however_often_it_is_looked_at(patrols: Patrols) -> None:
    patrols.turn(-600)
    patrols.begins(0, "wang")
    patrols.reports(5)
    # A resident's card at the same reader is nobody's round.
    patrols.reports(6, "access.granted")
    patrols.turn(7)
    patrols.turn(8)
    with patrols.database.read() as session:
        visits = [(one.how, one.responder, one.at) for one in session.scalars(select(PatrolVisit))]
    assert visits == [("reader", "wang", at(5))]


def test_two_phones_that_scan_at_once_are_two_visits_of_one_point(each_database: Database) -> None:
    patrols = Patrols(each_database).settle_in()
    patrols.turn(-600)
    gate = threading.Barrier(4)
    made: list[bool] = []

    def scan(by: str, client: str) -> None:
        gate.wait(10)
        made.append(patrols.scans("gate", 3, by=by, client=client)[1])

    hands = [
        threading.Thread(target=scan, args=hand)
        for hand in (("li", "a"), ("li", "a"), ("wang", "b"), ("wang", "b"))
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(30)
    assert sorted(made) == [False, False, True, True]
    stands = patrols.standing(10)
    assert len(stands.visits) == 2
    assert [str(one.what) for one in stands.judged.findings] == ["repeated"]


def test_two_processes_plan_one_round(each_database: Database) -> None:
    patrols = Patrols(each_database).settle_in()
    gate = threading.Barrier(2)

    def plan() -> None:
        gate.wait(10)
        patrols.turn(-600)

    hands = [threading.Thread(target=plan) for _ in range(2)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(30)
    assert len(patrols.rounds()) == 1


def test_a_renewed_code_counts_and_the_old_one_is_told_of(patrols: Patrols) -> None:
    patrols.turn(-600)
    old = patrols.codes["gate"]
    with patrols.database.write() as session:
        _, new = checkpoints.renew_code(session, COMPOUND, patrols.points["gate"], MANAGER, at(0))
    visit, _ = patrols.scans("gate", 2, code=old)
    assert visit.old_code
    assert patrols.round().state == "planned"
    assert patrols.standing(3).judged.visited == {}
    patrols.scans("gate", 4, code=new)
    stands = patrols.standing(5)
    assert list(stands.judged.visited.values()) == [at(4)]
    assert [str(one.what) for one in stands.judged.findings] == ["old_code"]
    with pytest.raises(MissingError):
        patrols.scans("gate", 5, code="guessed")


def test_the_clock_of_a_phone_is_corrected_by_when_it_sent() -> None:
    wrong = dt.timedelta(hours=3)
    corrected = visiting.corrected(at(2) + wrong, at(50) + wrong, at(50))
    assert corrected == at(2)
    # A phone of another day's clock that sends at once was there now.
    assert visiting.corrected(at(9999), at(9999), at(50)) == at(50)
    # Nobody comes by later than it is told.
    assert visiting.corrected(at(60), at(50), at(50)) == at(50)
    assert visiting.corrected(None, None, at(50)) == at(50)
    with pytest.raises(RefusedError, match="patrol_too_old"):
        visiting.corrected(at(0), at(24 * 60 + 1), at(24 * 60 + 1))


def test_a_visit_by_hand_needs_a_reason(patrols: Patrols) -> None:
    told = Told("x", at(1), at(1), How.HAND, "li", reason=" ")
    with patrols.database.write() as session:
        point = checkpoints.point(session, COMPOUND, patrols.points["gate"])
        with pytest.raises(RefusedError, match="reason_required"):
            visiting.visit(session, COMPOUND, point, told)


def test_a_round_that_is_broken_off_is_told_with_its_points(patrols: Patrols) -> None:
    patrols.turn(-600)
    patrols.begins(0)
    patrols.scans("gate", 2)
    round_id = patrols.round().id
    with patrols.database.write() as session, pytest.raises(MissingError):
        walking.break_off(session, COMPOUND, round_id, "storm", MANAGER, at(5), responder="wang")
    with patrols.database.write() as session:
        walking.break_off(session, COMPOUND, round_id, "storm", MANAGER, at(5), responder="li")
    assert patrols.told()[-1] == ("aborted", "op")
    with patrols.database.read() as session:
        missed = facts.missed_points(session, COMPOUND, at(0), at(60))
    assert [(one.point_name, one.why) for one in missed] == [("square", "aborted"), ("hall", "aborted")]
    # Nobody misses it a second time.
    patrols.turn(60)
    assert patrols.round().state == "aborted"
    assert [one.type for one in patrols.calendar(0, 120) if one.type == "patrol.due"] == []


def test_a_changed_route_changes_rounds_that_nobody_was_told_of(patrols: Patrols) -> None:
    patrols.turn(-600)
    only = routes.RouteGiven("night", "walkers", (patrols.points["gate"],))
    with patrols.database.write() as session:
        routes.change_route(session, COMPOUND, patrols.route, only, MANAGER, at(-500))
    patrols.turn(-499)
    assert len(patrols.standing(0).points) == 1
    patrols.turn(-30)
    both = routes.RouteGiven("night", "walkers", (patrols.points["gate"], patrols.points["hall"]))
    with patrols.database.write() as session:
        routes.change_route(session, COMPOUND, patrols.route, both, MANAGER, at(-20))
    patrols.turn(-19)
    assert len(patrols.standing(0).points) == 1


def test_a_schedule_that_ends_takes_its_rounds_back(patrols: Patrols) -> None:
    patrols.turn(-600)
    with patrols.database.write() as session:
        routes.end_schedule(session, COMPOUND, patrols.schedule, MANAGER, at(-500))
    patrols.turn(-499)
    assert patrols.rounds() == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"points": ()}, "patrol_no_points"),
        ({"points": ("gate", "gate")}, "patrol_point_twice"),
        ({"least_s": 60, "most_s": 30}, "patrol_pace"),
        ({"name": " "}, "patrol_name_required"),
    ],
)
def test_a_route_that_nobody_can_walk_is_refused(patrols: Patrols, given: dict, code: str) -> None:
    points = tuple(patrols.points[one] for one in given.pop("points", ("gate",)))
    asked = routes.RouteGiven(**({"name": "x", "team": "walkers", "points": points} | given))
    with patrols.database.write() as session, pytest.raises(RefusedError, match=code):
        routes.add_route(session, COMPOUND, asked, MANAGER, at(0))


def test_a_name_is_one_routes(patrols: Patrols) -> None:
    asked = routes.RouteGiven("night", "walkers", (patrols.points["gate"],))
    with pytest.raises(RefusedError, match="patrol_name_taken"), patrols.database.write() as session:
        routes.add_route(session, COMPOUND, asked, MANAGER, at(0))


def test_somebody_of_another_team_does_not_begin_it_and_nobody_does_too_early(patrols: Patrols) -> None:
    patrols.turn(-600)
    with pytest.raises(RefusedError, match="patrol_other_team"):
        patrols.begins(0, "op")
    with pytest.raises(RefusedError, match="patrol_not_yet"):
        patrols.begins(-11)
    patrols.begins(-10)
    patrols.turn(60)
    with pytest.raises(RefusedError, match="patrol_round_over"):
        patrols.begins(61)


def test_a_walk_that_nobody_planned_is_missed_by_nobody(patrols: Patrols) -> None:
    with patrols.database.write() as session:
        first = walking.walk(session, COMPOUND, patrols.route, "li", at(-300)).id
        assert walking.walk(session, COMPOUND, patrols.route, "li", at(-299)).id == first
    patrols.scans("gate", -290)
    assert patrols.standing(-280).visits
    patrols.turn(0)
    with patrols.database.read() as session:
        row = session.get_one(PatrolRound, first)
        assert row.state == "missed"
        assert facts.missed_points(session, COMPOUND, at(-600), at(60)) == []
    assert "missed" not in [what for what, _ in patrols.told()]


def test_what_a_month_came_to(patrols: Patrols) -> None:
    patrols.turn(-600)
    patrols.scans("gate", 2)
    patrols.scans("hall", 35)
    patrols.turn(41)
    with patrols.database.read() as session:
        (found,) = facts.report(session, COMPOUND, at(-1000), at(1000), at(60))
    assert (found.rounds, found.done, found.missed, found.points, found.points_missed, found.late) == (
        1, 0, 1, 3, 1, 1,
    )  # fmt: skip
    assert found.findings == {"late": 1, "missed": 1}
