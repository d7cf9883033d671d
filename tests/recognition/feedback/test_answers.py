import datetime as dt

import pytest
from feedback_world import NOW
from sqlalchemy import delete

from recognition.feedback import answers, exclusions
from recognition.feedback.answers import Was
from recognition.models import DecisionRow, FaceExclusion
from registry.errors import MissingError, RefusedError
from tests.support.compound import COMPOUND, ELSEWHERE

LATER = NOW + dt.timedelta(minutes=1)


def held(gate):
    with gate.database.read() as session:
        return exclusions.exclusions_for(session, COMPOUND)


def test_answer_freezes_what_was_decided_when_it_was_asked(gate):
    sighting = gate.passed(score=0.41)
    gate.answer(sighting, "no_match")
    with gate.database.write() as session:
        row = session.get_one(DecisionRow, sighting)
        row.outcome, row.person_id, row.score, row.engine_version = "uncertain", None, 0.6, "20"
    with gate.database.read() as session:
        (answer,) = answers.to(session, session.get_one(DecisionRow, sighting))
        assert (answer.verdict, answer.answered_by, answer.answered_at) == ("no_match", "op", NOW)
        assert (answer.outcome, answer.score) == ("identified", 0.41)
        assert (answer.engine, answer.engine_version, answer.device) == ("dlib", "19.24", "cam-1")


def test_each_operator_has_one_answer_and_may_change_it_while_the_incident_is_open(gate):
    sighting = gate.passed()
    gate.answer(sighting, "match")
    gate.answer(sighting, "cannot_tell", at=LATER)
    gate.answer(sighting, "match", by="second")
    assert gate.all_answers() == {(sighting, "op"): "cannot_tell", (sighting, "second"): "match"}
    with pytest.raises(RefusedError, match="answer_settled"):
        gate.answer(sighting, "no_match", changeable=False)
    gate.answer(sighting, "match", by="third", changeable=False)
    assert gate.all_answers()[sighting, "third"] == "match", "a first answer is no change"


def test_answer_to_any_picture_of_a_track_is_to_the_decision_that_was_told(gate):
    leader = gate.passed()
    later = gate.passed(leader=leader)
    gate.answer(later, "match")
    assert gate.all_answers() == {(leader, "op"): "match"}
    with gate.database.write() as session:
        session.execute(delete(DecisionRow).where(DecisionRow.sighting_id == leader))
    gate.answer(later, "match")
    assert gate.all_answers() == {(later, "op"): "match"}


@pytest.mark.parametrize(
    "changes",
    [{"subject_kind": "plate", "outcome": "identified"}, {"outcome": "no_face"}, {"outcome": "unprocessed"}],
)
def test_where_no_face_was_decided_on_there_is_nothing_to_answer(gate, changes):
    sighting = gate.passed(**changes)
    with pytest.raises(RefusedError, match="answer_no_face"):
        gate.answer(sighting, "match")


def test_sighting_of_another_compound_is_not_there(gate):
    sighting = gate.passed(compound=ELSEWHERE)
    with pytest.raises(MissingError, match="sighting"):
        gate.answer(sighting, "match")


@pytest.mark.parametrize("was", ["p2", None])
def test_who_it_was_makes_an_exclusion_in_the_same_commit(gate, was):
    sighting = gate.passed()
    given = gate.answer(sighting, "no_match", was=Was(was))
    assert held(gate) == {("p1", was)}
    assert (given.exclusion.sighting_id, given.exclusion.made_by) == (sighting, "op")


def test_refused_exclusion_leaves_no_answer(gate):
    sighting = gate.passed()
    with pytest.raises(MissingError):
        gate.answer(sighting, "no_match", was=Was("gone"))
    assert gate.all_answers() == {}


@pytest.mark.parametrize(
    ("outcome", "verdict"), [("identified", "match"), ("unknown", "no_match"), ("household", "no_match")]
)
def test_who_it_was_is_only_said_of_somebody_who_was_wrongly_named(gate, outcome, verdict):
    sighting = gate.passed(outcome)
    with pytest.raises(RefusedError, match="answer_was_unfit"):
        gate.answer(sighting, verdict, was=Was(None))
    assert gate.all_answers() == {}


def test_taking_an_answer_back_lifts_what_it_made_and_nothing_else(gate):
    sighting, other = gate.passed(), gate.passed()
    gate.answer(sighting, "no_match", was=Was("p2"))
    gate.answer(other, "no_match", was=Was(None))
    gate.answer(sighting, "no_match", was=Was("p2"), at=LATER)
    assert held(gate) == {("p1", "p2"), ("p1", None)}, "said again, it holds"
    gate.answer(sighting, "match", by="second")
    assert held(gate) == {("p1", "p2"), ("p1", None)}, "another operator takes nothing back"
    gate.answer(sighting, "match", at=LATER)
    assert held(gate) == {("p1", None)}
    with gate.database.read() as session:
        (lifted,) = (row for row in exclusions.of_person(session, "p2"))
        assert (lifted.lifted_by, lifted.lifted_at) == ("op", LATER)


def test_another_person_named_instead_takes_the_place_of_the_first(gate):
    sighting = gate.passed()
    gate.answer(sighting, "no_match", was=Was(None))
    gate.answer(sighting, "no_match", was=Was("p2"))
    assert held(gate) == {("p1", "p2")}


def test_answers_go_with_their_decision_by_the_databases_own_word(gate):
    sighting, stays = gate.passed(), gate.passed()
    gate.answer(sighting, "no_match", was=Was("p2"))
    gate.answer(stays, "match")
    # Core on a connection, as retention deletes.
    with gate.database.engine.begin() as connection:
        gone = connection.execute(
            delete(DecisionRow.__table__).where(DecisionRow.sighting_id == sighting)
        ).rowcount
    assert gone == 1
    assert gate.all_answers() == {(stays, "op"): "match"}
    with gate.database.read() as session:
        assert session.query(FaceExclusion).count() == 1, "whom they are taken for outlives the picture"
