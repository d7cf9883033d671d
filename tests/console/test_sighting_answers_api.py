"""Answers to decisions on faces, what they make, and who is told of it."""

import datetime as dt

import pytest
from console_world import COMPOUND, START, event, incident
from sqlalchemy import select

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident
from console.accounts.models import Role
from recognition.feedback import exclusions
from recognition.models import DecisionRow
from registry.models import Person
from storage import new_id
from storage.audit import AuditRow


@pytest.fixture
def face(database, world):
    """A face at the gate that was taken for 张三, on an open incident; returns the sighting's id."""
    seen = event(kind="face.captured", minutes=1)
    row = DecisionRow(
        sighting_id=new_id(),
        event_id=seen.id,
        compound=COMPOUND,
        subject_kind="face",
        outcome="identified",
        person_id="adult",
        score=0.41,
        threshold=0.45,
        engine="dlib",
        engine_version="19.24",
        candidates=[{"person_id": "adult", "distance": 0.41}],
        reasons=["within_threshold"],
        evidence={},
        milliseconds=9,
        at=START - dt.timedelta(minutes=1),
        decided_at=START,
        device="cam-1",
    )
    with database.write() as session:
        session.add_all([seen, row, Person(id="twin", compound=COMPOUND, name="张四")])
        session.flush()
        session.add(
            Evidence(
                signal_id=new_id(),
                incident=world.raised,
                rule="R-E09",
                severity=3,
                at=START,
                event_ids=[seen.id],
                sighting_ids=[row.sighting_id],
            )
        )
    return row.sighting_id


def path(sighting):
    return f"/api/v1/sightings/{sighting}/answers"


def held(database):
    with database.read() as session:
        return exclusions.exclusions_for(session, COMPOUND)


def audited(database, action):
    with database.read() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq))
        return [(row.actor, row.subject, row.detail) for row in rows]


async def test_answer_is_given_listed_and_audited(operator, administrator, face, database):
    answer = await operator.post(path(face), json={"verdict": "match"})
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["verdict"], shown["outcome"], shown["score"]) == ("match", "identified", 0.41)
    assert (shown["answered_by"], shown["device"], shown["exclusion"]) == (operator.user.id, "cam-1", None)
    await administrator.post(path(face), json={"verdict": "cannot_tell"})
    listed = (await operator.get(path(face))).json()["items"]
    assert [(one["answered_by"], one["verdict"]) for one in listed] == [
        (operator.user.id, "match"),
        (administrator.user.id, "cannot_tell"),
    ]
    assert audited(database, "sighting.answered") == [
        (operator.user.id, f"sighting:{face}", "match"),
        (administrator.user.id, f"sighting:{face}", "cannot_tell"),
    ]


@pytest.mark.parametrize(("was", "other"), [("twin", "twin"), ("stranger", None)])
async def test_who_it_was_keeps_the_two_apart_and_both_are_told(operator, face, database, was, other):
    answer = await operator.post(path(face), json={"verdict": "no_match", "was": was})
    assert answer.status_code == 201
    assert held(database) == {("adult", other)}
    exclusion = answer.json()["exclusion"]
    people = ["person:adult", *([f"person:{other}"] if other else [])]
    assert audited(database, "face_exclusion.made") == [(operator.user.id, p, exclusion) for p in people]


async def test_sent_twice_under_one_key_it_is_said_once(operator, face, database):
    sent = {"json": {"verdict": "no_match", "was": "twin"}, "headers": {"Idempotency-Key": "k"}}
    first, second = await operator.post(path(face), **sent), await operator.post(path(face), **sent)
    assert (first.json(), second.headers["Idempotent-Replayed"]) == (second.json(), "true")
    assert len(audited(database, "sighting.answered")) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"verdict": "perhaps"}, 422, "invalid_request"),
        ({"verdict": "match", "was": "stranger"}, 409, "answer_was_unfit"),
        ({"verdict": "no_match", "was": "adult"}, 409, "exclusion_self"),
        ({"verdict": "no_match", "was": "nobody"}, 404, "person_not_found"),
        # Somebody of another compound is nobody here.
        ({"verdict": "no_match", "was": "neighbour"}, 404, "person_not_found"),
    ],
)
async def test_what_cannot_be_answered_is_refused_and_leaves_nothing(
    operator, face, database, body, status, code
):
    with database.write() as session:
        session.add(Person(id="neighbour", compound="sifang", name="李四"))
    answer = await operator.post(path(face), json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await operator.get(path(face))).json()["items"] == []
    assert held(database) == frozenset()


async def test_plate_and_missing_sighting_have_no_answers(operator, world):
    plate = await operator.post(path(world.sighting), json={"verdict": "match"})
    assert (plate.status_code, plate.json()["code"]) == (409, "answer_no_face")
    missing = await operator.get(path("none"))
    assert (missing.status_code, missing.json()["code"]) == (404, "sighting_not_found")


async def test_answer_is_changed_while_an_incident_on_it_is_open_and_no_longer(
    operator, face, database, world
):
    await operator.post(path(face), json={"verdict": "match"})
    changed = await operator.post(path(face), json={"verdict": "no_match"})
    assert changed.status_code == 201
    with database.write() as session:
        session.get_one(Incident, world.raised).state = State.CLOSED
    late = await operator.post(path(face), json={"verdict": "match"})
    assert (late.status_code, late.json()["code"]) == (409, "answer_settled")
    assert (await operator.post(path(face), json={"verdict": "no_match"})).status_code == 201, "said again"


async def test_exclusions_are_listed_and_lifted_by_whom_it_says(
    operator, administrator, face, database, clock
):
    made = (await operator.post(path(face), json={"verdict": "no_match", "was": "twin"})).json()["exclusion"]
    for query in ("", "?person=twin", "?person=adult"):
        (shown,) = (await operator.get(f"/api/v1/face-exclusions{query}")).json()["items"]
        assert (shown["person"], shown["other"], shown["sighting_id"]) == ("adult", "twin", face)
    assert (await operator.get("/api/v1/face-exclusions?person=child")).json()["items"] == []
    assert ("person:twin", "1 exclusions") in {
        (subject, detail) for _, subject, detail in audited(database, "face_exclusion.listed")
    }
    clock.advance(minutes=1)
    lifted = await administrator.post(f"/api/v1/face-exclusions/{made}/lifting")
    assert (lifted.status_code, lifted.json()["lifted_by"]) == (200, administrator.user.id)
    assert held(database) == frozenset()
    again = await operator.post(f"/api/v1/face-exclusions/{made}/lifting")
    assert (again.status_code, again.json()["code"]) == (409, "exclusion_lifted")
    assert (await operator.get("/api/v1/face-exclusions")).json()["items"] == []
    (past,) = (await operator.get("/api/v1/face-exclusions?lifted=true")).json()["items"]
    assert past["lifted_at"] is not None
    assert [subject for _, subject, _ in audited(database, "face_exclusion.lifted")] == [
        "person:adult",
        "person:twin",
    ]


async def test_score_of_cameras_says_how_sure_it_is_and_names_nobody(operator, face, world):
    await operator.post(path(face), json={"verdict": "no_match", "was": "stranger"})
    answer = await operator.get("/api/v1/reports/recognition?days=7")
    (camera,) = answer.json()["items"]
    assert (camera["device"], camera["named"], camera["unnamed"], camera["answered"]) == ("cam-1", 1, 0, 1)
    assert camera["false_of_named"] == {
        "count": 1,
        "of": 1,
        "value": 1.0,
        "low": pytest.approx(0.025),
        "high": 1.0,
    }
    assert camera["missed_of_judged"] == {"count": 0, "of": 0, "value": None, "low": 0.0, "high": 1.0}
    assert "adult" not in answer.text


async def test_other_compounds_incidents_do_not_keep_an_answer_open(operator, face, database, world):
    with database.write() as session:
        session.get_one(Incident, world.raised).state = State.CLOSED
        elsewhere = incident(compound="sifang")
        session.add(elsewhere)
        session.flush()
        session.add(
            Evidence(
                signal_id=new_id(),
                incident=elsewhere.id,
                rule="R-E09",
                severity=3,
                at=START,
                event_ids=[],
                sighting_ids=[face],
            )
        )
    await operator.post(path(face), json={"verdict": "match"})
    late = await operator.post(path(face), json={"verdict": "no_match"})
    assert late.json()["code"] == "answer_settled"


@pytest.mark.parametrize("role", [Role.GUARD, Role.VOLUNTEER, Role.PROPERTY_MANAGER, Role.POLICE])
async def test_who_does_not_sit_before_the_pictures_does_not_answer(signed_in, face, role):
    answer = await signed_in(role).post(path(face), json={"verdict": "match"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
