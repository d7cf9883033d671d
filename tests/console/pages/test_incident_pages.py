"""The operator's page where two people have to look, where something was not over, and what it says later."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, IncidentAnswer
from alerts.rulebook.models import RuleVersion
from alerts.rulebook.versions import digest_of
from console.context import Rooms
from storage import new_id

Visit = Callable[..., TestClient]
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def two_look(seeded: Rooms) -> Rooms:
    """The compound's rules want two people for what the watch-list hits."""
    with seeded.database.write() as session:
        rule = session.get_one(Incident, "i-hit").rule
        text = f'[confirmation]\ntwo_persons = ["{rule}"]\n'
        session.add(
            RuleVersion(
                id=new_id(),
                compound=seeded.compound,
                number=1,
                text=text,
                digest=digest_of(text),
                author="administrator",
                at=seeded.clock.now(),
            )
        )
    return seeded


def incident(rooms: Rooms, key: str) -> Incident:
    with rooms.database.read() as session:
        row = session.get_one(Incident, key)
        session.expunge_all()
    return row


def press(client: TestClient, action: str, key: str = "i-hit", **form: str) -> str:
    return client.post(f"/console/incidents/{key}/{action}", data=form, headers=FRAGMENT).text


def answers_of(rooms: Rooms) -> dict[str, str]:
    with rooms.database.read() as session:
        return {row.role: row.answer for row in session.scalars(select(IncidentAnswer))}


def test_first_answer_to_a_guess_is_not_kept_before_its_link_is_answered(
    visit: Visit, two_look: Rooms
) -> None:
    with two_look.database.write() as session:
        session.get_one(Incident, "i-hit").probable = True
    told = press(visit("operator", "en"), "confirm", version="1", comparison="match")
    assert "First say whether the linked steps belong together" in told
    assert answers_of(two_look) == {}


def test_first_answer_is_kept_and_the_second_person_confirms(visit: Visit, two_look: Rooms) -> None:
    told = press(visit("operator", "en"), "confirm", version="1", comparison="match")
    assert "A second person has to answer" in told
    assert (incident(two_look, "i-hit").state, answers_of(two_look)) == (State.RAISED, {"operator": "match"})
    # The same person once more is still one person.
    press(visit("operator", "en"), "confirm", version="1", comparison="match")
    assert incident(two_look, "i-hit").state == State.RAISED
    press(visit("admin", "en"), "confirm", version="1", comparison="match")
    assert incident(two_look, "i-hit").state == State.CONFIRMED


def test_one_alone_does_not_call_a_hit_an_error(visit: Visit, two_look: Rooms) -> None:
    wrong = {"version": "1", "reason": "recognition_error", "comparison": "not_match"}
    assert "A second person has to answer" in press(visit("operator", "en"), "false-alarm", **wrong)
    assert answers_of(two_look) == {"operator": "not_match"}
    press(visit("admin", "en"), "false-alarm", **wrong)
    assert incident(two_look, "i-hit").state == State.FALSE_ALARM


def test_two_who_differ_are_told_so(visit: Visit, two_look: Rooms) -> None:
    press(visit("operator", "en"), "confirm", version="1", comparison="match")
    wrong = {"version": "1", "reason": "recognition_error", "comparison": "not_match"}
    assert "do not agree" in press(visit("admin", "en"), "false-alarm", **wrong)
    assert incident(two_look, "i-hit").state == State.RAISED


def test_resolved_one_can_be_reopened_and_says_why(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        row = session.get_one(Incident, "i-face")
        row.state = State.RESOLVED
    client = visit("operator", "en")
    assert 'id="form-reopen"' in client.get("/console?incident=i-face").text
    assert "reason" in press(client, "reopen", "i-face", version=str(row.version))
    shown = press(client, "reopen", "i-face", version=str(row.version), reason="not_done")
    assert incident(seeded, "i-face").state == State.REOPENED
    assert "It was not dealt with" in shown


def test_another_reason_for_a_false_alarm_is_written_down(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    assert "Please say what it was" in press(client, "false-alarm", "i-face", version="1", reason="other")
    press(client, "false-alarm", "i-face", version="1", reason="other", note="a kite")
    assert incident(seeded, "i-face").state == State.FALSE_ALARM


def test_card_says_what_became_known_later(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        row = session.get_one(Incident, "i-face")
        row.reason_args = {**row.reason_args, "known_later": "belongs", "premise_gone": True}
    page = visit("operator", "en").get("/console?incident=i-face").text
    assert "this person belongs here" in page
    assert "it would not have been raised" in page
