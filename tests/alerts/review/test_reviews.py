"""一事一评 on real tables: nothing is reviewed without a review, and what a low score does."""

import datetime as dt

import pytest
from review_world import (
    LEAD,
    MANAGER,
    NOW,
    OPERATOR,
    confirmed,
    draft,
    later,
    people,
    reopen,
    resolved,
    told,
    write,
)
from sqlalchemy import func, select, text

from alerts.incidents import timers
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State, Step, StepRefusedError
from alerts.incidents.models import Incident, Transition
from alerts.reactions import Changed
from alerts.review import measures, ratings, rounds
from alerts.review.measures import MeasureDraft, NeedDraft
from alerts.review.models import IncidentReview, Measure, Need
from alerts.review.reaction import follow, unreviewed
from alerts.review.rules import MeasureState, RaterKind
from alerts.review.writing import review
from registry.errors import MissingError, RefusedError
from storage import Database, audit
from storage.audit import AuditEntry
from tests.support.compound import COMPOUND, ELSEWHERE

LAMP = MeasureDraft(
    "车棚装一盏灯", later(days=7), team="property", need=NeedDraft("车棚没有灯", "gate"), blocking=True
)


@pytest.fixture
def settled(either_database: Database) -> Database:
    people(either_database)
    return either_database


def refused(session, step, incident):
    with pytest.raises(StepRefusedError) as error:
        take_step(session, incident.id, step, OPERATOR, later(hours=1))
    return error.value.code


def test_nothing_is_reviewed_or_closed_without_a_review(settled):
    with settled.write() as session:
        row = resolved(session)
        assert refused(session, Step(State.REVIEWED), row) == "review_required"
        assert refused(session, Step(State.CLOSED), row) == "not_from_here"
        written = write(session, row)
        assert (row.state, written.review.reopened) == (State.REVIEWED, False)
        assert take_step(session, row.id, Step(State.CLOSED), OPERATOR, later(hours=2)).state == State.CLOSED
        assert audit.verify(session) is None


def test_what_was_resolved_again_is_reviewed_again(settled):
    with settled.write() as session:
        row = resolved(session)
        write(session, row)
        reopen(session, row, later(hours=2))
        take_step(session, row.id, Step(State.RESOLVED), OPERATOR, later(hours=3))
        assert refused(session, Step(State.REVIEWED), row) == "review_required"
        write(session, row, at=later(hours=4))
        assert session.scalar(select(func.count()).select_from(IncidentReview)) == 2


def test_nobody_reviews_what_they_resolved_themselves(settled):
    def code(session, row, by, responder=None):
        with pytest.raises(RefusedError) as error:
            review(session, COMPOUND, row.id, draft(), by, later(hours=1), responder=responder)
        return error.value.code

    with settled.write() as session:
        by_manager = resolved(session, MANAGER)
        assert code(session, by_manager, MANAGER) == "own_work"
        by_lead = resolved(session, Actor("op-lead", "responder"))
        assert code(session, by_lead, LEAD, "op-lead") == "own_work"
        # Somebody pressed the button for a volunteer who had told them by radio.
        by_radio = resolved(session, Actor("li", "responder"))
        pressed = AuditEntry(LEAD.id, "operator", "dispatch.resolve", "incident_handling", by_radio.id)
        audit.append(session, later(seconds=1), pressed)
        assert code(session, by_radio, LEAD, "op-lead") == "own_work"
        assert code(session, by_radio, Actor("u2", "operator"), "op-2") == "not_a_supervisor"
        assert write(session, by_radio).incident.state == State.REVIEWED


def test_a_review_is_of_the_own_compound(settled):
    with settled.write() as session:
        row = resolved(session)
        with pytest.raises(LookupError):
            review(session, ELSEWHERE, row.id, draft(), MANAGER, later(hours=1))


def test_low_score_takes_it_up_again_once_and_tells_the_operators_leader(settled):
    with settled.write() as session:
        row = resolved(session)
        assert write(session, row, 2).review.reopened
        last = session.scalars(select(Transition).order_by(Transition.version.desc())).first()
        assert (row.state, last.reason) == (State.REOPENED, "wrong_result")
        assert told(session, "review") == [("op-lead", "low_score")]
        take_step(session, row.id, Step(State.RESOLVED), OPERATOR, later(hours=2))
        again = write(session, row, 1, at=later(hours=3))
        assert (row.state, again.review.reopened) == (State.REVIEWED, False)
        assert told(session, "review") == [("op-lead", "low_score")] * 2


def test_reporter_who_is_not_content_takes_it_up_again_whoever_reviewed_it_well(settled):
    with settled.write() as session:
        row = resolved(session)
        invited = ratings.invite(session, row, NOW, responder="li")
        assert ratings.invite(session, row, NOW, responder="li") is None, "asked once"
        write(session, row, 5)
        found = ratings.by_token(session, COMPOUND, invited.token, later(hours=2))
        ratings.rate(session, found, 1, "没有人来", Actor("li", "responder"), later(hours=2))
        assert (row.state, found.reopened) == (State.REOPENED, True)
        last = session.scalars(select(Transition).order_by(Transition.version.desc())).first()
        assert (last.reason, last.actor) == ("not_done", "li")
        with pytest.raises(MissingError):
            ratings.by_token(session, COMPOUND, invited.token, later(hours=2))
        with pytest.raises(RefusedError) as twice:
            ratings.rate(session, found, 5, None, Actor("li", "responder"), later(hours=3))
        assert twice.value.code == "rating_given"


def test_rating_of_what_was_resolved_again_since_reopens_nothing(settled):
    with settled.write() as session:
        row = resolved(session)
        invited = ratings.invite(session, row, NOW, kind=RaterKind.HOUSEHOLD)
        reopen(session, row, later(hours=1))
        take_step(session, row.id, Step(State.RESOLVED), OPERATOR, later(hours=2))
        ratings.rate(session, invited.rating, 1, None, Actor("household", "link"), later(hours=3))
        assert row.state == State.RESOLVED


def test_link_ends_after_a_week_and_belongs_to_its_compound(settled):
    with settled.write() as session:
        row = resolved(session)
        invited = ratings.invite(session, row, NOW)
        assert ratings.by_token(session, COMPOUND, invited.token, later(days=6.9)) is invited.rating
        for compound, token, at in (
            (COMPOUND, invited.token, later(days=7)),
            (COMPOUND, "guessed", NOW),
            (ELSEWHERE, invited.token, NOW),
        ):
            with pytest.raises(MissingError):
                ratings.by_token(session, compound, token, at)
        assert invited.token not in str(
            session.execute(text("SELECT token_hash FROM incident_ratings")).all()
        )


def test_blocking_measure_keeps_it_from_being_closed_by_hand_and_by_time(settled):
    with settled.write() as session:
        row = resolved(session)
        write(session, row, measure=LAMP)
        lamp = session.scalars(select(Measure)).one()
        assert refused(session, Step(State.CLOSED), row) == "measure_open"
        assert timers.sweep(session, later(days=2)) == 0
        assert row.state == State.REVIEWED
        measures.move(session, COMPOUND, lamp.id, MeasureState.DONE, MANAGER, later(days=2), note="照片已存")
        assert timers.sweep(session, later(days=3)) == 1
        assert row.state == State.CLOSED


def test_other_measures_hold_nothing(settled):
    with settled.write() as session:
        row, other = resolved(session), resolved(session)
        write(session, row, measure=LAMP)
        write(session, other, measure=MeasureDraft("贴提示", later(days=2), responder="li"))
        assert timers.sweep(session, later(days=2)) == 1
        assert (row.state, other.state) == (State.REVIEWED, State.CLOSED)


def test_review_that_is_late_is_said_to_the_supervisor_once_and_listed(settled):
    with settled.write() as session:
        row = resolved(session, severity=1)
        assert timers.sweep(session, later(hours=24)) == 1
        step = session.scalars(select(Transition).order_by(Transition.version.desc())).first()
        for _ in range(2):
            follow(session, Changed(row, row.version, step.at, step), later(hours=24))
        assert told(session, "review") == [("op-lead", "review_late")]
        assert [one.id for one in unreviewed(session, COMPOUND)] == [row.id]
        write(session, row, at=later(hours=25))
        assert unreviewed(session, COMPOUND) == []
        assert session.execute(text("SELECT state FROM notifications")).all() == [("answered",)]


def test_late_measure_is_said_to_its_owner_then_to_the_manager_and_no_more(settled):
    with settled.write() as session:
        row = measures.add(
            session, COMPOUND, MeasureDraft("修闸机", later(days=1), responder="electrician"), MANAGER, NOW
        )
        for days in (0.5, 1.1, 1.2, 4.1, 4.2, 9):
            measures.remind(session, later(days=days))
        assert told(session, "measure") == [
            ("electrician", "measure_new"),
            ("electrician", "measure_late"),
            ("manager", "measure_still_late"),
        ]
        assert row.reminded == 2


def test_done_measure_is_not_asked_after(settled):
    with settled.write() as session:
        row = measures.add(
            session, COMPOUND, MeasureDraft("修闸机", later(days=1), team="property"), MANAGER, NOW
        )
        measures.move(session, COMPOUND, row.id, MeasureState.REFUSED, MANAGER, NOW, note="没有预算")
        assert measures.remind(session, later(days=9)) == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"what": " "}, "measure_empty"),
        ({"due_at": NOW}, "measure_due"),
        ({"responder": None}, "measure_owner"),
        ({"team": "property"}, "measure_owner"),
        ({"responder": "nobody"}, "measure_owner"),
        ({"need": NeedDraft("灯", "nowhere")}, "unknown_place"),
    ],
)
def test_measure_without_what_it_needs_is_refused_and_leaves_nothing(settled, changes, code):
    given = {"what": "修闸机", "due_at": later(days=1), "responder": "li", **changes}
    with pytest.raises(RefusedError) as error, settled.write() as session:
        measures.add(session, COMPOUND, MeasureDraft(**given), MANAGER, NOW)
    assert error.value.code == code
    with settled.read() as session:
        assert session.scalar(select(func.count()).select_from(Need)) == 0


def test_what_people_wrote_lies_sealed(settled):
    with settled.write() as session:
        row = resolved(session)
        write(session, row, measure=LAMP)
        invited = ratings.invite(session, row, NOW)
        ratings.rate(session, invited.rating, 4, "谢谢小王", Actor("x", "link"), later(hours=1))
    with settled.read() as session:
        raw = [
            *session.execute(text("SELECT lesson FROM incident_reviews")).scalars(),
            *session.execute(text("SELECT words FROM incident_ratings")).scalars(),
            *session.execute(text("SELECT what FROM measures UNION ALL SELECT what FROM needs")).scalars(),
        ]
    assert len(raw) == 4
    for word in ("灯", "小王"):
        assert not any(word.encode() in bytes(one) for one in raw)


def test_two_reviews_at_once_give_one(settled):
    from concurrent.futures import ThreadPoolExecutor

    with settled.write() as session:
        row_id = resolved(session).id

    def attempt(number: int) -> str:
        try:
            with settled.write() as session:
                review(
                    session,
                    COMPOUND,
                    row_id,
                    draft(3 + number % 3),
                    Actor(f"m{number}", "property_manager"),
                    later(hours=1),
                )
        except RefusedError as error:
            return error.code
        return "written"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(4)))
    assert outcomes == ["not_resolved"] * 3 + ["written"]
    with settled.read() as session:
        assert session.get_one(Incident, row_id).state == State.REVIEWED


def test_unresolved_one_invites_nobody_and_is_not_reviewed(settled):
    with settled.write() as session:
        row = confirmed(session)
        assert ratings.invite(session, row, NOW) is None
        with pytest.raises(RefusedError) as error:
            write(session, row)
        assert error.value.code == "not_resolved"


def test_what_nobody_has_reviewed_is_said_on_the_first_of_the_month_and_once(settled):
    with settled.write() as session:
        row = resolved(session)
        resolved(session, drill=True)
        # The first of December begins in Shanghai at 16:00 of the day before.
        first = NOW.replace(day=30, hour=16)
        for at in (first - dt.timedelta(seconds=1), first, first + dt.timedelta(hours=1)):
            rounds.unreviewed(session, at)
        assert told(session, "review") == [("op-lead", "unreviewed")]
        write(session, row, at=first)
        assert rounds.unreviewed(session, first.replace(month=12, day=31)) == 0
