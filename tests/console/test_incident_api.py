import asyncio

import msgspec
import pytest
from console_world import PLATE, incident
from sqlalchemy import select

from alerts.incidents.models import Incident, Transition
from storage.audit import AuditRow, verify
from storage.events import OutboxRow


def audit_of(database) -> list[tuple[str, str, str]]:
    with database.read() as session:
        assert verify(session) is None
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq))
        return [(row.action, row.purpose, row.subject) for row in rows]


def ids(answer) -> list[str]:
    return [item["id"] for item in answer.json()["items"]]


async def test_queue_shows_this_compound_newest_first(operator, world):
    assert ids(await operator.get("/api/v1/incidents")) == [world.sent, world.confirmed, world.raised]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=raised", ["raised"]),
        ("state=raised&state=confirmed", ["confirmed", "raised"]),
        ("severity=1", ["sent"]),
        ("ring=entrance", ["confirmed", "raised"]),
        ("ring=entrance&severity=2", ["confirmed"]),
        ("state=closed", []),
    ],
)
async def test_queue_is_filtered(operator, world, query, found):
    answer = await operator.get(f"/api/v1/incidents?{query}")
    assert ids(answer) == [getattr(world, name) for name in found]


async def test_pages_together_are_the_whole_queue_while_more_comes_in(operator, world, database):
    with database.write() as session:
        session.add_all([incident(minutes=5) for _ in range(4)])
    everything = ids(await operator.get("/api/v1/incidents"))
    seen, cursor = [], None
    while True:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = await operator.get("/api/v1/incidents", params=parameters)
        seen += ids(answer)
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
        with database.write() as session:
            session.add(incident(minutes=29))
    assert seen == everything
    assert len(seen) == 7


async def test_incident_comes_with_what_it_stands_on(operator, world):
    full = (await operator.get(f"/api/v1/incidents/{world.raised}")).json()
    assert full["subject"] == PLATE
    assert [evidence["event_ids"] for evidence in full["evidence"]] == [[world.event]]
    assert [step["to_state"] for step in full["transitions"]] == ["raised"]
    assert [s["responder_id"] for s in full["suggestions"]] == ["li"]
    assert full["happened_at"].endswith("Z")
    sent = (await operator.get(f"/api/v1/incidents/{world.sent}")).json()
    assert {d["responder"] for d in sent["dispatches"]} == {"li", "wang"}


async def test_incident_of_another_compound_is_not_found(operator, world, database):
    assert (await operator.get(f"/api/v1/incidents/{world.elsewhere}")).status_code == 404
    path = f"/api/v1/incidents/{world.elsewhere}"
    assert (await operator.post(f"{path}/steps", json={"to": "acknowledged"})).status_code == 404
    assert (await operator.post(f"{path}/dispatches", json={"responder_ids": ["li"]})).status_code == 404
    assert audit_of(database) == []


async def test_looking_at_an_incident_with_a_subject_is_audited(operator, world, database):
    await operator.get(f"/api/v1/incidents/{world.raised}?purpose=review")
    assert audit_of(database) == [("incident.viewed", "review", world.raised)]


async def test_volunteer_sees_the_task_of_own_dispatches_only(volunteer, world):
    task = await volunteer.get(f"/api/v1/incidents/{world.sent}")
    assert set(task.json()) == {
        "id", "kind", "ring", "zone", "lane", "severity", "state", "version", "happened_at", "reason", "reason_args",
    }  # fmt: skip
    assert task.json()["reason_args"] == {"lane": "lane-1"}
    assert PLATE not in task.text
    assert (await volunteer.get(f"/api/v1/incidents/{world.raised}")).status_code == 404


async def test_step_is_taken_recorded_announced_and_audited(operator, world, database):
    answer = await operator.post(
        f"/api/v1/incidents/{world.raised}/steps",
        json={"to": "acknowledged", "expected_version": 1, "note": "looking"},
    )
    assert (answer.status_code, answer.json()["state"], answer.json()["version"]) == (201, "acknowledged", 2)
    with database.read() as session:
        step = session.scalars(select(Transition).where(Transition.version == 2)).one()
        assert (step.actor, step.role, step.note) == (operator.user.id, "operator", "looking")
        message = msgspec.json.decode(session.scalars(select(OutboxRow.payload)).one())
        assert (message["id"], message["state"]) == (world.raised, "acknowledged")
    assert audit_of(database) == [("incident.acknowledged", "incident_handling", world.raised)]


async def test_stale_version_tells_the_current_one_and_changes_nothing(operator, world, database):
    path = f"/api/v1/incidents/{world.sent}/steps"
    answer = await operator.post(path, json={"to": "resolved", "expected_version": 2})
    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["current_version"]) == ("stale_version", 3)
    assert audit_of(database) == []


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ({"to": "closed"}, "not_from_here"),
        ({"to": "false_alarm"}, "reason_required"),
    ],
)
async def test_refused_step_says_why(operator, world, step, code):
    answer = await operator.post(f"/api/v1/incidents/{world.raised}/steps", json=step)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert (answer.json()["current"], answer.json()["to"]) == ("raised", step["to"])


async def test_nobody_is_confirmed_on_a_machines_word(operator, world, database):
    with database.write() as session:
        session.get_one(Incident, world.raised).needs_comparison = True
    path = f"/api/v1/incidents/{world.raised}/steps"
    for comparison, code in ((None, "comparison_required"), ("cannot_tell", "comparison_negative")):
        answer = await operator.post(path, json={"to": "confirmed", "comparison": comparison})
        assert answer.json()["code"] == code
    assert (await operator.post(path, json={"to": "confirmed", "comparison": "match"})).status_code == 201


async def test_sending_asks_responders_and_is_audited(operator, world, database):
    path = f"/api/v1/incidents/{world.confirmed}/dispatches"
    answer = await operator.post(path, json={"responder_ids": ["li", "wang"], "expected_version": 1})
    assert answer.status_code == 201
    assert {d["responder"]: d["state"] for d in answer.json()["items"]} == {
        "li": "offered",
        "wang": "offered",
    }
    assert audit_of(database) == [("incident.dispatch", "incident_handling", world.confirmed)]


@pytest.mark.parametrize(
    ("name", "responders", "status", "code"),
    [
        ("confirmed", ["nobody"], 409, "unknown_responder"),
        ("raised", ["li"], 409, "not_from_here"),
        ("confirmed", [], 422, "invalid_request"),
    ],
)
async def test_refused_sending_says_why(operator, world, name, responders, status, code):
    path = f"/api/v1/incidents/{getattr(world, name)}/dispatches"
    answer = await operator.post(path, json={"responder_ids": responders})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


# ── Idempotency-Key ───────────────────────────────────────────────────────────


async def test_same_key_does_it_once_and_answers_alike(operator, world, database):
    path, step = f"/api/v1/incidents/{world.raised}/steps", {"to": "acknowledged"}
    key = {"Idempotency-Key": "k-1"}
    first = await operator.post(path, json=step, headers=key)
    second = await operator.post(path, json=step, headers=key)
    assert (second.status_code, second.json()) == (201, first.json())
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(audit_of(database)) == 1
    assert (await operator.post(path, json=step)).json()["code"] == "not_from_here"


async def test_same_key_at_the_same_moment_does_it_once(operator, world, database):
    path, step = f"/api/v1/incidents/{world.raised}/steps", {"to": "acknowledged"}
    answers = await asyncio.gather(
        *(operator.post(path, json=step, headers={"Idempotency-Key": "k-1"}) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 4
    assert len(audit_of(database)) == 1


async def test_of_two_who_decide_at_the_same_moment_one_is_too_late(operator, administrator, world, database):
    path = f"/api/v1/incidents/{world.raised}/steps"
    answers = await asyncio.gather(
        operator.post(path, json={"to": "confirmed", "expected_version": 1}),
        administrator.post(path, json={"to": "false_alarm", "reason": "courier", "expected_version": 1}),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    late = next(answer for answer in answers if answer.status_code == 409)
    assert (late.json()["code"], late.json()["current_version"]) == ("stale_version", 2)
    assert len(audit_of(database)) == 1


async def test_same_key_on_another_request_is_refused(operator, world):
    key = {"Idempotency-Key": "k-1"}
    path = f"/api/v1/incidents/{world.raised}/steps"
    await operator.post(path, json={"to": "acknowledged"}, headers=key)
    answer = await operator.post(path, json={"to": "confirmed"}, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_refusal_is_not_remembered(operator, world):
    key = {"Idempotency-Key": "k-1"}
    path = f"/api/v1/incidents/{world.raised}/steps"
    step = {"to": "resolved"}
    assert (await operator.post(path, json=step, headers=key)).status_code == 409
    await operator.post(path, json={"to": "confirmed"})
    assert (await operator.post(path, json=step, headers=key)).status_code == 201


async def test_key_is_ones_own(operator, administrator, world):
    key = {"Idempotency-Key": "k-1"}
    path = f"/api/v1/incidents/{world.raised}/steps"
    assert (await operator.post(path, json={"to": "acknowledged"}, headers=key)).status_code == 201
    answer = await administrator.post(path, json={"to": "confirmed"}, headers=key)
    assert (answer.status_code, answer.json()["state"]) == (201, "confirmed")


@pytest.mark.parametrize("key", ["", "k" * 129])
async def test_key_has_a_length(operator, world, key):
    path = f"/api/v1/incidents/{world.raised}/steps"
    answer = await operator.post(path, json={"to": "acknowledged"}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")
