"""The month's figures against a made month that is counted a second time, in another way."""

import datetime as dt
import random

import pytest
from review_world import OPERATOR, people, reopen
from sqlalchemy import select

from alerts.duty.coverage import Need
from alerts.duty.models import Shift
from alerts.duty.rostermodels import RosterGap
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.patrols.models import RoundState
from alerts.review.models import IncidentRating, IncidentReview, Measure
from alerts.review.models import Need as NeedRow
from alerts.review.month import figures
from alerts.review.rules import AlertVerdict, Cause, MeasureState, RaterKind
from registry.errors import RefusedError
from storage import Database, new_id
from tests.support import keeping
from tests.support.compound import COMPOUND, ELSEWHERE
from tests.support.rounds import Walked

# November in Shanghai.
FIRST = dt.date(2026, 11, 1)
START = dt.datetime(2026, 10, 31, 16, tzinfo=dt.UTC)
END = dt.datetime(2026, 11, 30, 16, tzinfo=dt.UTC)
AFTER = END + dt.timedelta(days=3)
HOUR = dt.timedelta(hours=1)
WAYS = {
    State.RAISED: [],
    State.FALSE_ALARM: [(30, State.ACKNOWLEDGED), (60, State.FALSE_ALARM)],
    State.AUTO_CLEARED: [(5, State.AUTO_CLEARED)],
    State.MERGED: [(9, State.MERGED)],
    State.CLOSED: [
        (80, State.CONFIRMED),
        (100, State.DISPATCHED),
        (400, State.RESOLVED),
        (500, State.REVIEWED),
        (900, State.CLOSED),
    ],
    State.RESOLVED: [(10, State.CONFIRMED), (700, State.RESOLVED)],
}


@pytest.fixture
def settled(either_database: Database) -> Database:
    people(either_database)
    return either_database


def happened(session, at, state, **changes):
    row = keeping.incident(at, state, **changes)
    session.add(row)
    session.flush()
    path = [(0, State.RAISED), *WAYS[state]]
    for number, (seconds, to) in enumerate(path, 1):
        session.add(
            Transition(
                id=new_id(),
                incident=row.id,
                version=number,
                from_state=path[number - 2][1] if number > 1 else None,
                to_state=to,
                actor="a",
                role="r",
                at=at + dt.timedelta(seconds=seconds),
            )
        )
    row.version = len(path)
    session.flush()
    return row


def made_month(session) -> list[Incident]:
    """Three hundred incidents, some of another month, another compound, exercises, of care."""
    chance = random.Random(7)
    rows = []
    for _ in range(300):
        at = START + dt.timedelta(seconds=chance.randrange(-5 * 86400, 35 * 86400))
        state = chance.choice(list(WAYS))
        reason = (
            chance.choice(["courier", "test_drill", "weather_light"]) if state is State.FALSE_ALARM else None
        )
        rows.append(
            happened(
                session,
                at,
                state,
                compound=COMPOUND if chance.random() < 0.9 else ELSEWHERE,
                severity=chance.randint(1, 4),
                ring=chance.choice(["entrance", "common", "building"]),
                rule=chance.choice(["R-E04", "R-B05"]),
                false_alarm_reason=reason,
                held=chance.random() < 0.1,
                drill=chance.random() < 0.1,
                care=chance.random() < 0.1,
            )
        )
    return rows


def test_figures_are_those_of_a_month_counted_by_hand(settled):
    with settled.write() as session:
        rows = made_month(session)
        found = figures(session, COMPOUND, FIRST, AFTER)
        here = [r for r in rows if r.compound == COMPOUND and START <= r.raised_at < END]
        real = [r for r in here if not r.drill and not r.care]
        counted = [r for r in real if r.state != State.MERGED]
        assert 100 < len(counted) < len(real) < len(here) < len(rows)
        assert found.drills == len([r for r in here if r.drill])
        assert found.care == len([r for r in here if r.care and not r.drill])
        assert found.held == len([r for r in real if r.held])
        confirmed = [r for r in counted if r.state in {State.CLOSED, State.RESOLVED}]
        false = [r for r in counted if r.false_alarm_reason in {"courier", "weather_light"}]
        assert found.totals == {
            "total": len(counted),
            "confirmed": len(confirmed),
            "false": len(false),
            "cleared": len([r for r in counted if r.state == State.AUTO_CLEARED]),
            "undecided": len([r for r in counted if r.state == State.RAISED]),
            "no_alarm": len([r for r in counted if r.false_alarm_reason == "test_drill"]),
        }
        for level in range(1, 5):
            assert found.by_severity[level] == len([r for r in counted if r.severity == level])
        for ring in ("entrance", "common", "building"):
            assert found.by_ring[ring] == len([r for r in counted if r.ring == ring])
        for one in found.rules:
            mine = [r for r in confirmed + false if r.rule == one.rule]
            assert (one.judged, one.false) == (len(mine), len([r for r in mine if r in false]))
        acknowledged = [
            30.0 if r.state == State.FALSE_ALARM else 80.0 if r.state == State.CLOSED else 10.0
            for r in counted
            if r.state not in {State.RAISED, State.AUTO_CLEARED}
        ]
        (first,) = [one for one in found.responses if one.timer == "acknowledge"]
        assert first.count == len(acknowledged)
        assert first.p50_s == sorted(acknowledged)[(len(acknowledged) - 1) // 2]
        limits = {1: 20, 2: 60, 3: 300}
        met = [
            seconds <= limits[r.severity]
            for r, seconds in zip(
                [r for r in counted if r.state not in {State.RAISED, State.AUTO_CLEARED}],
                acknowledged,
                strict=True,
            )
            if r.severity in limits
        ]
        assert first.met == pytest.approx(sum(met) / len(met))


def test_an_exercise_changes_no_figure_but_its_own(settled):
    with settled.write() as session:
        made_month(session)
        before = figures(session, COMPOUND, FIRST, AFTER)
        for state in WAYS:
            happened(session, START + HOUR, state, drill=True)
        after = figures(session, COMPOUND, FIRST, AFTER)
    assert after.drills == before.drills + len(WAYS)
    for name in (
        "totals",
        "counts",
        "by_ring",
        "by_severity",
        "held",
        "rules",
        "responses",
        "reviews",
        "care",
    ):
        assert getattr(after, name) == getattr(before, name), name


def test_the_first_and_the_last_second_are_the_compounds(settled):
    with settled.write() as session:
        for at in (START - dt.timedelta(microseconds=1), START, END - dt.timedelta(microseconds=1), END):
            happened(session, at, State.RAISED)
        assert figures(session, COMPOUND, FIRST, AFTER).totals["total"] == 2
        with pytest.raises(RefusedError):
            figures(session, COMPOUND, dt.date(2026, 11, 2), AFTER)


def test_what_people_said_and_did(settled):
    with settled.write() as session:
        reviewed, waits, drill = (
            happened(session, START + HOUR, state, drill=is_drill)
            for state, is_drill in ((State.CLOSED, False), (State.RESOLVED, False), (State.CLOSED, True))
        )
        for incident, score in ((reviewed, 2), (drill, 5)):
            session.add(
                IncidentReview(
                    id=new_id(),
                    incident=incident.id,
                    compound=COMPOUND,
                    resolved_version=4,
                    score=score,
                    cause=Cause.LIGHTING,
                    alert=AlertVerdict.LATE,
                    lesson="x",
                    measure=True,
                    reopened=score == 2,
                    reviewer="m",
                    role="property_manager",
                    at=START + 2 * HOUR,
                )
            )
        for number, score in enumerate((1, 5, None)):
            session.add(
                IncidentRating(
                    id=new_id(),
                    incident=reviewed.id,
                    compound=COMPOUND,
                    resolved_version=4,
                    kind=RaterKind.REPORTER,
                    token_hash=str(number),
                    invited_at=START,
                    expires_at=END,
                    score=score,
                    rated_at=START + HOUR if score else None,
                )
            )
        need = NeedRow(id="n", compound=COMPOUND, what="灯", author="m", at=START, version=1)
        session.add(need)
        session.flush()
        ends = {
            MeasureState.DONE: START + HOUR,
            MeasureState.REFUSED: END + HOUR,
            MeasureState.OPEN: None,
            MeasureState.DOING: None,
        }
        for state, ended in ends.items():
            session.add(
                Measure(
                    id=f"m-{state}",
                    compound=COMPOUND,
                    need="n",
                    what="灯",
                    team="property",
                    due_at=START if state is MeasureState.OPEN else AFTER,
                    blocking=False,
                    state=state,
                    author="m",
                    at=START,
                    ended_at=ended,
                    reminded=0,
                    version=1,
                )
            )
        session.add(
            RosterGap(
                id="g1",
                compound=COMPOUND,
                need=next(iter(Need)),
                starts_at=START - HOUR,
                ends_at=START + HOUR,
                have=0,
                want=1,
                found_at=START,
            )
        )
        session.add(
            RosterGap(
                id="g2",
                compound=COMPOUND,
                need=next(iter(Need)),
                starts_at=START + HOUR,
                ends_at=START + 2 * HOUR,
                have=0,
                want=1,
                found_at=START,
                closed_at=START,
            )
        )
        for who, start, hours in (("li", -1, 3), ("li", 100, 2), ("op-1", 0, 8)):
            session.add(
                Shift(
                    id=f"{who}{start}",
                    responder=who,
                    starts_at=START + start * HOUR,
                    ends_at=START + (start + hours) * HOUR,
                )
            )
        session.flush()
        found = figures(session, COMPOUND, FIRST, AFTER)
        assert (found.reviews.written, found.reviews.unreviewed, found.reviews.reopened) == (1, 1, 1)
        assert (found.reviews.scores.mean, found.reviews.ratings.mean) == (2, 3)
        assert (found.reviews.causes, found.reviews.alerts) == ({"lighting": 1}, {"late": 1})
        assert (found.measures.done, found.measures.refused, found.measures.open, found.measures.late) == (
            1,
            0,
            3,
            1,
        )
        assert (found.duty.gaps, found.duty.gap_hours, found.duty.volunteer_hours) == (1, 1.0, 4.0)
        assert waits.state == State.RESOLVED


def test_rounds_of_the_month_are_counted_with_the_points_that_were_missed(settled):
    with settled.write() as session:
        walked = Walked(session, COMPOUND, "gate", START)
        walked.round(START - HOUR, RoundState.MISSED, 0)
        walked.round(START, RoundState.DONE, 2)
        walked.round(START + 24 * HOUR, RoundState.DONE, 2)
        walked.round(START + 48 * HOUR, RoundState.MISSED, 1)
        walked.round(START + 72 * HOUR, RoundState.ABORTED, 0)
        walked.round(END, RoundState.MISSED, 0)
        found = figures(session, COMPOUND, FIRST, AFTER).patrols
    assert (found.rounds, found.done, found.points, found.missed) == (4, 2, 8, 3)


def test_it_names_nobody(settled):
    with settled.write() as session:
        row = happened(
            session,
            START + HOUR,
            State.RESOLVED,
            subject="云A00001",
            subject_kind="plate",
            resolution="王小明来了",
        )
        reopen(session, row, START + 2 * HOUR)
        said = str(figures(session, COMPOUND, FIRST, AFTER))
        assert session.scalars(select(Transition.actor)).first()
    for word in ("云A00001", "王小明", OPERATOR.id, "name of", "'li'"):
        assert word not in said
