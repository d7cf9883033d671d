"""What becomes known after an alarm is written on its card; nobody closes it behind an operator's back."""

import dataclasses

import pytest
from saying import again, moment, observed, over, path_of, raise_one, said, told, write
from timeline import COMPOUND, OPERATOR

from alerts.incidents import actions, amending
from alerts.incidents.lifecycle import FalseAlarmReason, State, Step
from alerts.incidents.models import Incident
from alerts.rules import Observation, PersonFacts
from storage import Database

STRANGER = observed(0)


def known(seen: Observation, **facts: object) -> Observation:
    """The same sighting once more, and now it says who it is."""
    return dataclasses.replace(seen, amends=True, type="face.identified", **facts)


RESIDENT = known(STRANGER, person_id="p-1", person=PersonFacts("p-1", belongs=True))


def learn(database: Database, seen: Observation, at: float = 5) -> list[Incident]:
    with database.write() as session:
        return amending.became_known(session, COMPOUND, seen, moment(at))


@pytest.fixture
def incident(database: Database) -> Incident:
    return raise_one(database, "a", anchor=STRANGER)


def test_unknown_person_becomes_one_who_belongs_here_and_the_card_says_so(
    database: Database, incident: Incident
) -> None:
    assert [one.id for one in learn(database, RESIDENT)] == [incident.id]
    amended = again(database, incident)
    assert (amended.subject_kind, amended.subject) == ("person", "p-1")
    assert amended.reason_args == {"lane": "entrance", "known_later": "belongs", "premise_gone": True}
    # It is still the operator's to close.
    assert (amended.state, amended.severity, amended.version) == (State.RAISED, 3, 2)
    assert [(one.version, one.state) for one in told(database)] == [(1, "raised"), (2, "raised")]
    assert len(path_of(database, incident)) == 1


def test_no_name_is_in_what_is_written(database: Database, incident: Incident) -> None:
    learn(database, RESIDENT)
    assert "p-1" not in str(again(database, incident).reason_args)


@pytest.mark.parametrize(
    ("facts", "words", "subject"),
    [
        ({"person_id": "p-1"}, "registered", "p-1"),
        ({"household_id": "h-1"}, "household", None),
    ],
)
def test_what_is_known_is_said_as_far_as_it_is(
    database: Database, incident: Incident, facts: dict, words: str, subject: str | None
) -> None:
    learn(database, known(STRANGER, **facts))
    amended = again(database, incident)
    assert (amended.reason_args["known_later"], amended.subject) == (words, subject)


def test_plate_that_is_read_better_is_filled_in(database: Database) -> None:
    unread = observed(0, type="plate.uncertain")
    incident = raise_one(database, "p", anchor=unread)
    learn(database, dataclasses.replace(unread, amends=True, type="plate.recognised", plate="云M00000"))
    assert (again(database, incident).subject_kind, again(database, incident).subject) == (
        "plate",
        "云M00000",
    )


def test_same_news_twice_changes_nothing(database: Database, incident: Incident) -> None:
    learn(database, RESIDENT)
    assert learn(database, RESIDENT, at=6) == []
    assert again(database, incident).version == 2


def test_who_was_named_first_stays(database: Database) -> None:
    incident = raise_one(database, "a", anchor=STRANGER, subject_kind="person", subject="p-9")
    learn(database, RESIDENT)
    assert again(database, incident).subject == "p-9"


def test_what_amends_nothing_or_something_else_changes_nothing(
    database: Database, incident: Incident
) -> None:
    assert learn(database, dataclasses.replace(RESIDENT, amends=False)) == []
    other = observed(0)
    assert learn(database, known(other, person_id="p-1")) == []
    with database.write() as session:
        assert amending.became_known(session, "poplar", RESIDENT, moment(5)) == []


def test_further_evidence_that_becomes_known_leaves_the_premise(database: Database) -> None:
    """Only what the alarm was raised for can be gone; a second camera's picture is a further fact."""
    camera = observed(1, device="second-camera")
    first = said("a", anchor=STRANGER)
    incident = write(database, dataclasses.replace(first, evidence=(STRANGER, camera)))[0].incident
    learn(database, known(camera, person_id="p-1"))
    assert again(database, incident).reason_args == {"lane": "entrance", "known_later": "registered"}


@pytest.mark.parametrize("ends", ["cleared", "false_alarm"])
def test_ended_incident_stays_as_it_was(database: Database, incident: Incident, ends: str) -> None:
    if ends == "cleared":
        write(database, over("a", 3), at=3)
    else:
        with database.write() as session:
            step = Step(State.FALSE_ALARM, reason=FalseAlarmReason.COURIER)
            actions.take_step(session, incident.id, step, OPERATOR, moment(3))
    assert learn(database, RESIDENT) == []
    assert again(database, incident).subject is None
