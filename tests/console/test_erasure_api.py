"""Consent, erasure, requests, terminal orders and one's own data, over HTTP."""

import datetime as dt

import pytest
from console_world import COMPOUND, PLATE, START, incident
from sqlalchemy import select

from alerts.incidents.lifecycle import State
from console.accounts.models import Role, User
from devices import enrolments
from privacy import holds
from recognition.models import DecisionRow
from registry.models import (
    Credential,
    CredentialKind,
    CredentialStatus,
    LegalBasis,
    Person,
    Vehicle,
    WatchlistEntry,
    WatchlistSubject,
)
from storage import new_id
from storage.audit import AuditRow, verify

GIVEN = {"purpose": "face_access", "wording": "I agree.", "channel": "counter", "given_by": "self"}


def actions(database) -> list[tuple[str, str]]:
    with database.read() as session:
        assert verify(session) is None
        return [(row.action, row.subject) for row in session.scalars(select(AuditRow).order_by(AuditRow.seq))]


@pytest.fixture
def manager(signed_in):
    return signed_in(Role.PROPERTY_MANAGER)


@pytest.fixture
def resident(signed_in, world, database):
    browser = signed_in(Role.RESIDENT, name="a.resident")
    with database.write() as session:
        session.get_one(User, browser.user.id).person_id = "adult"
    return browser


@pytest.fixture
def terminal(signed_in, world, database):
    browser = signed_in(Role.DEVICE, name="cam-1")
    with database.write() as session:
        session.get_one(User, browser.user.id).device_id = "cam-1"
    return browser


def enrolled(database, person_id="adult"):
    with database.write() as session:
        return enrolments.note(session, COMPOUND, "cam-1", person_id, face=True, at=START).ref


# ── erasure ───────────────────────────────────────────────────────────────────


async def test_erasure_is_ordered_followed_up_and_receipted(manager, world, database):
    enrolled(database)
    ordered = await manager.post("/api/v1/people/adult/erasure", json={})
    assert ordered.status_code == 202
    path = f"/api/v1/erasures/{ordered.json()['id']}"
    receipt = (await manager.get(path)).json()
    assert {step["place"]: step["state"] for step in receipt["steps"]} == {
        "database": "confirmed",
        "passages": "confirmed",
        "media": "confirmed",
        "keys": "confirmed",
        "terminal": "pending",
    }
    assert (receipt["completed_at"], receipt["overdue"]) == (None, False)
    assert [e["id"] for e in (await manager.get("/api/v1/erasures?open=true")).json()["items"]] == [
        receipt["id"]
    ]
    with database.read() as session:
        assert session.get_one(Person, "adult").name == ""
    assert actions(database) == [("erasure.ordered", "person:adult"), ("erasure.viewed", "person:adult")]


async def test_erasure_of_another_compound_is_not_found(manager, administrator, world):
    assert (await manager.post("/api/v1/people/stranger/erasure", json={})).status_code == 404
    other = {"X-Ringward-Compound": "sifang"}
    ordered = await administrator.post("/api/v1/people/stranger/erasure", json={}, headers=other)
    assert ordered.status_code == 202
    answer = await administrator.get(f"/api/v1/erasures/{ordered.json()['id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "erasure_not_found")


async def test_hold_is_named_to_those_who_may_know_of_it_alone(manager, administrator, world, database):
    with database.write() as session:
        holds.apply(
            session,
            COMPOUND,
            holds.HoldSubject.PERSON,
            "adult",
            reason="court",
            document_no=None,
            ends_at=START + dt.timedelta(days=10),
            applicant="a",
            at=START,
        )
    ordered = (await manager.post("/api/v1/people/adult/erasure", json={})).json()
    seen = {}
    for browser, name in ((manager, "manager"), (administrator, "administrator")):
        steps = (await browser.get(f"/api/v1/erasures/{ordered['id']}")).json()["steps"]
        seen[name] = next((s["reasons"], s["until"]) for s in steps if s["place"] == "database")
    assert seen == {"manager": (["by_law"], None), "administrator": (["legal_hold"], "2026-12-03T07:00:00Z")}
    assert "legal_hold" not in str(ordered)


async def test_account_of_an_erased_person_is_closed_and_nameless(manager, resident, database):
    assert (await resident.get("/api/v1/me/data")).status_code == 200
    await manager.post("/api/v1/people/adult/erasure", json={})
    assert (await resident.get("/api/v1/me/data")).status_code == 401
    with database.read() as session:
        row = session.get_one(User, resident.user.id)
        assert (row.active, row.person_id) == (False, None)
        assert "resident" not in row.name


async def test_request_for_erasure_closes_when_the_erasure_is_complete(manager, resident, world):
    asked = (await resident.post("/api/v1/me/requests", json={"kind": "erasure"})).json()
    wrong = await manager.post("/api/v1/people/child/erasure", json={"request": asked["id"]})
    assert wrong.json()["code"] == "request_not_found"
    ordered = await manager.post("/api/v1/people/adult/erasure", json={"request": asked["id"]})
    assert ordered.status_code == 202
    assert (await manager.get(f"/api/v1/requests/{asked['id']}")).json()["state"] == "done"


# ── terminals ─────────────────────────────────────────────────────────────────


async def test_terminal_fetches_its_orders_and_answers_them(manager, terminal, world, database, clock):
    ref = enrolled(database)
    await manager.delete("/api/v1/people/adult/consents/face_access")
    (order,) = (await terminal.get("/api/v1/terminal-orders")).json()["items"]
    assert order["ref"] == ref
    assert (await terminal.get("/api/v1/terminal-orders")).json()["items"] == [], "it has them"
    path = f"/api/v1/terminal-orders/{order['id']}/answer"
    assert (await terminal.post(path, json={"result": "busy"})).json()["state"] == "failed"
    clock.advance(minutes=5)
    (again,) = (await terminal.get("/api/v1/terminal-orders")).json()["items"]
    assert (again["id"], again["attempts"]) == (order["id"], 2)
    assert (await terminal.post(path, json={"result": "deleted"})).json()["state"] == "confirmed"
    assert (await terminal.post(path, json={"result": "busy"})).json()["state"] == "confirmed"


async def test_terminal_gets_nothing_of_another_one(terminal, manager, world, database):
    enrolled(database)
    await manager.delete("/api/v1/people/adult/consents/face_access")
    with database.write() as session:
        session.get_one(User, terminal.user.id).device_id = "cam-9"
        order = session.scalars(select(enrolments.DeleteOrder.id)).one()
    assert (await terminal.get("/api/v1/terminal-orders")).json()["items"] == []
    answer = await terminal.post(f"/api/v1/terminal-orders/{order}/answer", json={"result": "deleted"})
    assert (answer.status_code, answer.json()["code"]) == (404, "terminal_order_not_found")


# ── requests ──────────────────────────────────────────────────────────────────


async def test_request_has_a_deadline_of_fifteen_working_days(manager, signed_in, world, clock):
    asked = (await manager.post("/api/v1/people/adult/requests", json={"kind": "access"})).json()
    # Monday 23 November + 15 working days = Monday 14 December, until midnight in Shanghai.
    assert asked["due_at"] == "2026-12-14T16:00:00Z"
    twice = await manager.post("/api/v1/people/adult/requests", json={"kind": "access"})
    assert (twice.status_code, twice.json()["code"]) == (409, "request_open")
    assert (await manager.get("/api/v1/requests?overdue=true")).json()["items"] == []
    clock.advance(days=22)
    # The session has ended meanwhile.
    manager = signed_in(Role.PROPERTY_MANAGER, name="later")
    (late,) = (await manager.get("/api/v1/requests?overdue=true")).json()["items"]
    assert (late["id"], late["overdue"]) == (asked["id"], True)
    closed = await manager.post(f"/api/v1/requests/{asked['id']}/close", json={"state": "done"})
    assert (closed.json()["state"], closed.json()["overdue"]) == ("done", False)
    again = await manager.post(f"/api/v1/requests/{asked['id']}/close", json={"state": "done"})
    assert again.json()["code"] == "request_closed"


async def test_correction_is_kept_with_old_and_new_and_sealed(manager, world, database):
    asked = {"kind": "correction", "what": "phone", "old": "10012345678", "new": "10087654321"}
    received = await manager.post("/api/v1/people/adult/requests", json=asked)
    assert "10087654321" not in received.text
    with database.read() as session:
        stored = session.connection().exec_driver_sql("SELECT detail FROM subject_requests").scalar_one()
    assert "100" not in stored.replace(received.json()["id"], "")[:12]
    assert "10087654321" not in stored
    full = (await manager.get(f"/api/v1/requests/{received.json()['id']}")).json()
    assert (full["what"], full["old"], full["new"]) == ("phone", "10012345678", "10087654321")
    unclear = await manager.post("/api/v1/people/adult/requests", json={"kind": "correction"})
    assert unclear.json()["code"] == "correction_unclear"


async def test_refusal_needs_a_reason(manager, world):
    asked = (await manager.post("/api/v1/people/adult/requests", json={"kind": "access"})).json()
    path = f"/api/v1/requests/{asked['id']}/close"
    assert (await manager.post(path, json={"state": "refused"})).json()["code"] == "reason_required"
    refused = await manager.post(path, json={"state": "refused", "reason": "identity_not_shown"})
    assert refused.json()["reason"] == "identity_not_shown"


# ── one's own data ────────────────────────────────────────────────────────────


def police_looks(database):
    """An order of the police about this person, its hit, and their look."""
    entry = new_id()
    with database.write() as session:
        session.add(
            WatchlistEntry(
                id=entry,
                compound=COMPOUND,
                subject_kind=WatchlistSubject.PERSON,
                subject="adult",
                legal_basis=LegalBasis.POLICE_ORDER,
                document_no="云公-17",
                applicant="a",
                approver="b",
                reason="secret reason",
                rings=["entrance"],
                starts_at=START,
                ends_at=START + dt.timedelta(days=9),
            )
        )
        session.add(
            incident(
                State.RAISED,
                kind="watchlist.hit",
                subject_kind="person",
                subject="adult",
                reason="watchlist_hit",
                reason_args={"entry_id": entry},
            )
        )


async def test_own_data_is_everything_but_what_must_stay_secret(resident, operator, world, database):
    police_looks(database)
    with database.write() as session:
        session.add(Vehicle(id="v1", compound=COMPOUND, plate="云M88888", owner="adult"))
        session.add(
            Credential(
                id="c1",
                compound=COMPOUND,
                person="adult",
                kind=CredentialKind.CARD,
                status=CredentialStatus.ACTIVE,
                ref="C0FFEE8899",
            )
        )
        decision = session.get_one(DecisionRow, world.sighting)
        decision.vehicle_id = "v1"
    await operator.post("/api/v1/people/adult/consents", json=GIVEN)
    await operator.post("/api/v1/people/adult/templates", files={"photo": b"a face"})
    answer = await resident.get("/api/v1/me/data")
    data = answer.json()
    assert (data["person"]["name"], data["person"]["phone"]) == ("张三", "13900000000")
    assert data["consents"][0]["wording"] == "I agree."
    assert data["credentials"][0]["number"] == "******8899"
    assert [v["plate"] for v in data["vehicles"]] == ["云M88888"]
    assert [p["event_id"] for p in data["passages"]] == [world.event]
    assert [f["engine"] for f in data["faces"]] == ["fake"]
    assert "embedding" not in answer.text
    assert (data["watchlist"], data["incidents"]) == ([], [])
    assert "official_orders" in data["withheld"]
    assert "secret reason" not in answer.text
    assert actions(database)[-1] == ("person.exported", "person:adult")


async def test_who_looked_is_told_by_role_and_without_the_police(resident, operator, signed_in, world):
    await operator.get("/api/v1/people/adult?purpose=resident_request")
    await operator.get("/api/v1/people/adult?purpose=official_request")
    await operator.get("/api/v1/people/child?purpose=review")
    looks = (await resident.get("/api/v1/me/looks")).json()
    assert [(look["role"], look["action"], look["purpose"]) for look in looks["items"]] == [
        ("operator", "person.viewed", "resident_request")
    ]
    assert operator.user.id not in str(looks)
    assert looks["withheld"] == ["official_requests"]


async def test_look_at_a_decision_on_me_is_a_look_at_me(resident, operator, world, database):
    with database.write() as session:
        session.get_one(DecisionRow, world.sighting).person_id = "adult"
    await operator.get(f"/api/v1/sightings/{world.sighting}")
    (look,) = (await resident.get("/api/v1/me/looks")).json()["items"]
    assert (look["action"], look["subject_kind"]) == ("sighting.viewed", "sighting")


async def test_consent_is_taken_back_with_one_call(resident, operator, world, database):
    given = await resident.post("/api/v1/me/consents", json={"purpose": "face_access", "wording": "I agree."})
    assert (given.status_code, given.json()["given_by"]) == (201, "self")
    await operator.post("/api/v1/people/adult/templates", files={"photo": b"a face"})
    taken = (await resident.delete("/api/v1/me/consents/face_access")).json()
    assert taken["templates_deleted"] == 1
    assert {step["place"] for step in taken["erasure"]["steps"]} == {"database", "media", "keys"}
    (consent,) = (await resident.get("/api/v1/me/consents")).json()["items"]
    assert consent["withdrawn_at"] is not None
    refused = await operator.post("/api/v1/people/adult/templates", files={"photo": b"a face"})
    assert refused.json()["code"] == "consent_missing"


async def test_resident_without_a_person_has_no_data(signed_in, world):
    browser = signed_in(Role.RESIDENT)
    for path in ("data", "looks", "consents"):
        answer = await browser.get(f"/api/v1/me/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "person_not_found")


async def test_staff_hand_out_the_same_document_for_a_purpose(manager, resident, world, database):
    assert (await manager.get("/api/v1/people/adult/data")).status_code == 422
    handed = (await manager.get("/api/v1/people/adult/data?purpose=resident_request")).json()
    own = (await resident.get("/api/v1/me/data")).json()
    changing = {"looks", "made_at"}
    assert {k: v for k, v in handed.items() if k not in changing} == {
        k: v for k, v in own.items() if k not in changing
    }
    assert PLATE not in str(handed), "somebody else's car"
