"""Holds, disclosures, assessments, retention, filing and breaches over the API, each look audited."""

import datetime as dt
import hashlib
import io
import json
import zipfile

import pytest
from console_world import COMPOUND, START
from sqlalchemy import select

from console.accounts.models import Role
from privacy.models import DeletionProof, Disclosure, FilingTask, LegalHold
from recognition.models import DecisionRow
from storage.audit import AuditRow

API = "/api/v1"
DAY = dt.timedelta(days=1)


def iso(moment: dt.datetime) -> str:
    return moment.isoformat()


def audited(database, prefix: str) -> list[tuple[str, str, str, str]]:
    with database.read() as session:
        rows = session.scalars(
            select(AuditRow).where(AuditRow.action.startswith(prefix)).order_by(AuditRow.seq)
        )
        return [(row.action, row.role, row.subject, row.detail) for row in rows]


HOLD = {
    "subject_kind": "incident",
    "reason": "inquiry",
    "document_no": "2026-3",
    "ends_at": iso(START + 30 * DAY),
}


async def test_hold_is_applied_for_by_one_and_approved_by_another_and_then_released(
    world, signed_in, database
):
    officer, auditor, administrator = (
        signed_in(role) for role in (Role.POLICE, Role.AUDITOR, Role.ADMINISTRATOR)
    )
    answer = await officer.post(f"{API}/holds", json=HOLD | {"subject": world.sent})
    assert answer.status_code == 201, answer.text
    hold = answer.json()
    assert (hold["state"], hold["approver"]) == ("applied", None)
    approved = await auditor.post(f"{API}/holds/{hold['id']}/approval")
    assert approved.json()["state"] == "approved"
    again = await administrator.post(f"{API}/holds/{hold['id']}/approval")
    assert (again.status_code, again.json()["code"]) == (409, "hold_approved")
    listed = await officer.get(f"{API}/holds", params={"in_force": True})
    assert [one["id"] for one in listed.json()["items"]] == [hold["id"]]
    released = await auditor.post(f"{API}/holds/{hold['id']}/release")
    assert released.json()["state"] == "released"
    listed = await officer.get(f"{API}/holds", params={"in_force": True})
    assert listed.json()["items"] == []
    subject = f"incident:{world.sent}"
    assert [entry[:3] for entry in audited(database, "hold.") if entry[0] != "hold.listed"] == [
        ("hold.applied", "police", subject),
        ("hold.approved", "auditor", subject),
        ("hold.released", "auditor", subject),
    ]


async def test_administrator_does_not_approve_an_own_application(world, administrator):
    made = await administrator.post(f"{API}/holds", json=HOLD | {"subject": world.sent})
    answer = await administrator.post(f"{API}/holds/{made.json()['id']}/approval")
    assert (answer.status_code, answer.json()["code"]) == (409, "two_people")


async def test_hold_on_another_compounds_incident_does_not_exist(world, administrator, database):
    answer = await administrator.post(f"{API}/holds", json=HOLD | {"subject": world.elsewhere})
    assert (answer.status_code, answer.json()["code"]) == (404, "incident_not_found")
    with database.read() as session:
        assert session.scalars(select(LegalHold)).all() == []


async def test_hold_application_sent_twice_freezes_once(world, administrator, database):
    for _ in range(2):
        answer = await administrator.post(
            f"{API}/holds", json=HOLD | {"subject": world.sent}, headers={"Idempotency-Key": "k1"}
        )
        assert answer.status_code == 201
    with database.read() as session:
        assert len(session.scalars(select(LegalHold)).all()) == 1


ASKED = {
    "requester_org": "Longyang station",
    "document_no": "2026-17",
    "reason": "theft",
    "from_at": iso(START - DAY),
    "to_at": iso(START),
}


@pytest.fixture
def seen(world, database, media):
    """An event of the person `adult` with a picture, of yesterday evening."""
    from storage.events import EventRow

    with database.write() as session:
        row = session.get_one(EventRow, world.event)
        row.body = {"pictures": [{"role": "face", "media_id": world.picture, "size": 3}]}
        session.add(
            DecisionRow(
                sighting_id="s-1",
                event_id=row.id,
                compound=COMPOUND,
                subject_kind="face",
                outcome="identified",
                person_id="adult",
                candidates=[],
                reasons=[],
                evidence={},
                milliseconds=1,
                at=row.corrected_time,
                decided_at=row.corrected_time,
            )
        )
    return world


async def test_disclosure_is_delivered_once_after_another_persons_approval_and_its_hash_is_audited(
    seen, signed_in, database
):
    officer, manager = signed_in(Role.POLICE), signed_in(Role.PROPERTY_MANAGER)
    scope = {"scope": {"kind": "person", "id": "adult"}}
    made = (await officer.post(f"{API}/disclosures", json=ASKED | scope)).json()
    assert made["state"] == "pending"
    delivery = f"{API}/disclosures/{made['id']}/delivery"
    early = await officer.post(delivery, json={})
    assert (early.status_code, early.json()["code"]) == (409, "disclosure_not_approved")
    decided = await manager.post(f"{API}/disclosures/{made['id']}/decision", json={"verdict": "approve"})
    assert decided.json()["state"] == "approved"
    beyond = await officer.post(delivery, json={"from_at": iso(START - 2 * DAY)})
    assert (beyond.status_code, beyond.json()["code"]) == (409, "disclosure_window")
    answer = await officer.post(delivery, json={})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        data = json.loads(archive.read("data.json"))
        assert f"pictures/{seen.picture}.jpg" in archive.namelist()
    assert [one["id"] for one in data["events"]] == [seen.event]
    digest = hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["x-content-sha256"] == digest
    with database.read() as session:
        assert session.get_one(Disclosure, made["id"]).export_hash == digest
    action, role, subject, detail = audited(database, "disclosure.delivered")[0]
    assert (action, role, subject) == ("disclosure.delivered", "police", "person:adult")
    assert digest in detail
    again = await officer.post(delivery, json={})
    assert (again.status_code, again.json()["code"]) == (409, "disclosure_delivered")


async def test_requester_sees_own_requests_and_a_plate_does_not_stand_in_the_audit_log(
    world, signed_in, database
):
    officer, other = signed_in(Role.POLICE), signed_in(Role.POLICE, name="other")
    scope = {"scope": {"kind": "plate", "id": "云M12345"}}
    made = (await officer.post(f"{API}/disclosures", json=ASKED | scope)).json()
    mine = await officer.get(f"{API}/disclosures/own")
    assert [one["id"] for one in mine.json()["items"]] == [made["id"]]
    assert (await other.get(f"{API}/disclosures/own")).json()["items"] == []
    entries = audited(database, "disclosure.")
    assert ("disclosure.requested", "police", f"disclosure:{made['id']}", made["id"]) in entries
    assert not any("M12345" in part for entry in entries for part in entry)


async def test_assessment_is_versioned_and_says_what_changed_since(world, administrator, signed_in, rooms):
    first = await administrator.get(f"{API}/assessments/facts")
    assert first.json()["version"] is None
    made = await administrator.post(f"{API}/assessments", json={"assessment": "Necessary: | entrances."})
    assert (made.status_code, made.json()["version"]) == (201, 1)
    auditor = signed_in(Role.AUDITOR)
    now = (await auditor.get(f"{API}/assessments/facts")).json()
    assert (now["version"], now["changed"]) == (1, [])
    assert now["facts_hash"] == made.json()["facts_hash"]
    chinese = await auditor.get(f"{API}/assessments/1/document")
    assert chinese.headers["content-type"].startswith("text/markdown")
    assert "# 个人信息保护影响评估报告" in chinese.text
    english = await auditor.get(f"{API}/assessments/1/document", params={"language": "en"})
    for heading in ("Purposes and consent", "Retention", "Recipients", "Devices and zones", "Assessment"):
        assert f"## {heading}" in english.text
    assert "| pictures | 30 |" in english.text
    assert english.text.endswith("Necessary: | entrances.\n")
    missing = await auditor.get(f"{API}/assessments/2")
    assert (missing.status_code, missing.json()["code"]) == (404, "assessment_not_found")


async def test_retention_plan_and_proofs_are_of_the_own_compound(world, administrator, signed_in, database):
    with database.write() as session:
        for proof, compound in (("here", COMPOUND), ("there", "sifang"), ("whole", None)):
            session.add(
                DeletionProof(
                    id=proof,
                    compound=compound,
                    run="r",
                    retention_class="passages",
                    cutoff=START,
                    count=1,
                    digest="0" * 64,
                    at=START,
                )
            )
    plan = (await administrator.get(f"{API}/retention")).json()["classes"]
    assert {one["compound"] for one in plan} == {COMPOUND, None}
    assert {one["retention_class"] for one in plan} >= {"passages", "pictures", "audit"}
    proofs = (await administrator.get(f"{API}/retention/proofs")).json()["items"]
    assert {one["id"] for one in proofs} == {"here", "whole"}
    auditor = signed_in(Role.AUDITOR)
    with database.write() as session:
        session.get_one(type(auditor.user), auditor.user.id).compounds = [COMPOUND]
    plan = (await auditor.get(f"{API}/retention")).json()["classes"]
    assert {one["compound"] for one in plan} == {COMPOUND}
    proofs = (await auditor.get(f"{API}/retention/proofs")).json()["items"]
    assert {one["id"] for one in proofs} == {"here"}


async def test_filing_task_is_done_by_whoever_sees_the_whole_deployment(world, administrator, database):
    with database.write() as session:
        session.add(
            FilingTask(id="f", people=100_000, level="filing", raised_at=START, due_at=START + 42 * DAY)
        )
    listed = (await administrator.get(f"{API}/filing-tasks")).json()["items"]
    assert [(one["id"], one["done_at"]) for one in listed] == [("f", None)]
    with database.write() as session:
        session.get_one(type(administrator.user), administrator.user.id).compounds = [COMPOUND]
    refused = await administrator.post(f"{API}/filing-tasks/f/completion")
    assert refused.status_code == 403
    with database.write() as session:
        session.get_one(type(administrator.user), administrator.user.id).compounds = None
    done = await administrator.post(f"{API}/filing-tasks/f/completion")
    assert done.json()["done_by"] == administrator.user.id
    again = await administrator.post(f"{API}/filing-tasks/f/completion")
    assert (again.status_code, again.json()["code"]) == (409, "filing_done")


async def test_breach_export_names_whom_to_tell_and_is_audited_with_scope_and_count(
    world, administrator, database
):
    answer = await administrator.post(f"{API}/breaches/affected", json={"classes": ["register", "visitors"]})
    told = {one["id"]: one for one in answer.json()["affected"]}
    assert set(told) == {"adult", "child"}, "and nobody of the other compound"
    assert told["adult"]["phone"] == "13900000000"
    assert audited(database, "breach.") == [
        ("breach.exported", "administrator", f"compound:{COMPOUND}", "register+visitors affected=2")
    ]
    nothing = await administrator.post(f"{API}/breaches/affected", json={"classes": []})
    assert nothing.status_code == 422
