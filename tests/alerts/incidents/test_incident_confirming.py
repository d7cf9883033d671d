"""Before anybody is sent because a machine named somebody, people compare: one of them, or two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from saying import again, at_once, moment, path_of, raise_one
from timeline import OPERATOR

from alerts.incidents import actions, answers
from alerts.incidents.actor import Actor
from alerts.incidents.confirming import missing, missing_for_error
from alerts.incidents.lifecycle import Comparison, FalseAlarmReason, State, Step, StepRefusedError
from alerts.incidents.models import Incident
from alerts.incidents.record import StaleVersionError
from storage import Database

SECOND = Actor("operator-2", "operator")
MATCH, NOT, UNSURE = Comparison.MATCH, Comparison.NOT_MATCH, Comparison.CANNOT_TELL


@pytest.mark.parametrize(
    ("given_answers", "two", "code"),
    [
        ({}, False, "comparison_required"),
        ({"a": MATCH}, False, None),
        ({"a": NOT}, False, "comparison_negative"),
        ({"a": UNSURE}, False, "comparison_negative"),
        ({}, True, "comparison_required"),
        ({"a": MATCH}, True, "second_person_required"),
        ({"a": MATCH, "b": MATCH}, True, None),
        ({"a": MATCH, "b": NOT}, True, "answers_differ"),
        ({"a": MATCH, "b": UNSURE}, True, "second_person_required"),
        # A third who can tell makes it two.
        ({"a": MATCH, "b": UNSURE, "c": MATCH}, True, None),
        ({"a": MATCH, "b": MATCH, "c": NOT}, True, "answers_differ"),
        ({"a": NOT, "b": UNSURE}, True, "comparison_negative"),
    ],
)
def test_what_is_missing_before_a_face_is_confirmed(
    given_answers: dict[str, Comparison], *, two: bool, code: str | None
) -> None:
    assert missing(given_answers, needs_comparison=True, two_persons=two) == code


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.sampled_from(Comparison), max_size=6))
def test_two_people_never_let_through_what_one_person_would_not(given_answers: dict[str, Comparison]) -> None:
    strict = missing(given_answers, needs_comparison=True, two_persons=True)
    if strict is None:
        assert missing(given_answers, needs_comparison=True, two_persons=False) is None
        assert sum(answer is MATCH for answer in given_answers.values()) >= 2
    assert missing(given_answers, needs_comparison=False, two_persons=False) is None
    # What is confirmed cannot at the same time be called an error.
    assert strict is not None or missing_for_error(given_answers, two_persons=True) == "answers_differ"


def confirm(
    database: Database, incident: Incident, actor: Actor, answer: Comparison | None = MATCH, **more: object
) -> None:
    with database.write() as session:
        step = Step(State.CONFIRMED, comparison=answer)
        actions.take_step(session, incident.id, step, actor, moment(5), **more)


def give(database: Database, incident: Incident, actor: Actor, answer: Comparison, at: float = 3) -> None:
    with database.write() as session:
        answers.give(session, incident.id, answer, actor, moment(at))


def code_of(work, *args: object, **more: object) -> str:
    with pytest.raises(StepRefusedError) as refused:
        work(*args, **more)
    return refused.value.code


def given_to(database: Database, incident: Incident) -> dict[str, Comparison]:
    with database.read() as session:
        return answers.given(session, incident.id)


def test_one_person_is_enough_where_the_rules_do_not_want_two(database: Database) -> None:
    incident = raise_one(database, "a", needs_comparison=True)
    confirm(database, incident, OPERATOR)
    assert again(database, incident).comparison == MATCH
    assert given_to(database, incident) == {OPERATOR.id: MATCH}


def test_second_person_has_to_be_another_one(database: Database) -> None:
    incident = raise_one(database, "a", needs_comparison=True)
    give(database, incident, OPERATOR, MATCH)
    assert code_of(confirm, database, incident, OPERATOR, two_persons=True) == "second_person_required"
    assert again(database, incident).state == State.RAISED
    confirm(database, incident, SECOND, two_persons=True)
    assert again(database, incident).state == State.CONFIRMED
    assert path_of(database, incident)[-1].actor == SECOND.id
    assert set(given_to(database, incident)) == {OPERATOR.id, SECOND.id}


def test_two_who_differ_confirm_nothing_until_one_of_them_looks_again(database: Database) -> None:
    incident = raise_one(database, "a", needs_comparison=True)
    give(database, incident, OPERATOR, NOT)
    assert code_of(confirm, database, incident, SECOND, two_persons=True) == "answers_differ"
    give(database, incident, OPERATOR, MATCH, at=4)
    confirm(database, incident, SECOND, two_persons=True)
    assert given_to(database, incident) == {OPERATOR.id: MATCH, SECOND.id: MATCH}


def test_two_confirm_what_nobody_has_to_compare_as_well(database: Database) -> None:
    incident = raise_one(database, "a")
    assert code_of(confirm, database, incident, OPERATOR, None, two_persons=True) == "second_person_required"
    give(database, incident, OPERATOR, MATCH)
    confirm(database, incident, SECOND, None, two_persons=True)
    assert again(database, incident).state == State.CONFIRMED


def test_one_alone_does_not_wave_through_whom_two_should_look_at(database: Database) -> None:
    incident = raise_one(database, "a", needs_comparison=True)
    step = Step(State.FALSE_ALARM, reason=FalseAlarmReason.RECOGNITION_ERROR, comparison=NOT)

    def call_it_false(actor: Actor) -> None:
        with database.write() as session:
            actions.take_step(session, incident.id, step, actor, moment(5), two_persons=True)

    assert code_of(call_it_false, OPERATOR) == "second_person_required"
    give(database, incident, SECOND, MATCH)
    assert code_of(call_it_false, OPERATOR) == "answers_differ"
    give(database, incident, SECOND, UNSURE)
    call_it_false(OPERATOR)
    assert (again(database, incident).state, again(database, incident).comparison) == (State.FALSE_ALARM, NOT)


def test_answer_is_not_changed_once_it_was_acted_on(database: Database) -> None:
    incident = raise_one(database, "a", needs_comparison=True)
    confirm(database, incident, OPERATOR)
    assert code_of(give, database, incident, OPERATOR, NOT) == "already_decided"
    assert given_to(database, incident) == {OPERATOR.id: MATCH}


def test_two_operators_who_press_together_take_one_step_and_the_other_is_told(
    each_database: Database,
) -> None:
    """No transition is lost and none doubled: whoever was second hears what it is by now."""
    made = [raise_one(each_database, f"k-{number}") for number in range(6)]
    told: list[int] = []
    for incident in made:

        def press(actor: Actor, to: State, incident: Incident = incident) -> None:
            reason = FalseAlarmReason.COURIER if to is State.FALSE_ALARM else None
            try:
                with each_database.write() as session:
                    step = Step(to, reason=reason)
                    actions.take_step(session, incident.id, step, actor, moment(5), expected_version=1)
            except StaleVersionError as stale:
                told.append(stale.current_version)

        at_once([lambda p=press: p(OPERATOR, State.CONFIRMED), lambda p=press: p(SECOND, State.FALSE_ALARM)])
    assert told == [2] * len(made)
    for incident in made:
        rows = path_of(each_database, incident)
        assert [row.version for row in rows] == [1, 2]
        assert again(each_database, incident).state == rows[-1].to_state
        assert again(each_database, incident).state in {State.CONFIRMED, State.FALSE_ALARM}
