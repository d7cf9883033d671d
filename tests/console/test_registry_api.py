import base64
import datetime as dt

import pytest
from console_world import JPEG, PLATE, event
from sqlalchemy import select, update

from bus.deadletters import DeadLetter
from console.accounts.models import Role
from registry.models import Consent, FaceTemplate
from storage.audit import AuditRow, verify
from storage.events import EventAmendment, EventRow
from tests.support.tampering import unguard

GIVEN = {"purpose": "face_access", "wording": "I agree.", "channel": "counter", "given_by": "self"}


def audit_of(database) -> list[tuple[str, str, str, str]]:
    with database.read() as session:
        assert verify(session) is None
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq))
        return [(row.actor, row.action, row.purpose, row.subject) for row in rows]


# ── people ────────────────────────────────────────────────────────────────────


async def test_look_at_a_person_has_a_purpose_and_is_audited(operator, world, database):
    answer = await operator.get("/api/v1/people/adult?purpose=resident_request")
    assert answer.json()["name"] == "张三"
    assert audit_of(database) == [(operator.user.id, "person.viewed", "resident_request", "person:adult")]


@pytest.mark.parametrize("query", ["", "?purpose=", "?purpose=curiosity"])
async def test_without_a_known_purpose_nothing_is_shown(operator, world, database, query):
    answer = await operator.get(f"/api/v1/people/adult{query}")
    assert answer.status_code == 422
    assert "张三" not in answer.text
    assert audit_of(database) == []


async def test_person_of_another_compound_is_not_found(operator, world):
    for path in ("", "/consents"):
        answer = await operator.get(f"/api/v1/people/stranger{path}?purpose=review")
        assert answer.json()["code"] == "person_not_found"
    assert (await operator.post("/api/v1/people/stranger/consents", json=GIVEN)).status_code == 404
    assert (await operator.delete("/api/v1/people/stranger/consents/face_access")).status_code == 404
    photo = {"photo": b"a face"}
    assert (await operator.post("/api/v1/people/stranger/templates", files=photo)).status_code == 404


async def test_no_consent_no_template(operator, world, database, rooms):
    answer = await operator.post("/api/v1/people/adult/templates", files={"photo": b"a face"})
    assert (answer.status_code, answer.json()["code"]) == (409, "consent_missing")
    assert rooms.portrait_engine.seen == [], "the photo is not even looked at"
    with database.read() as session:
        assert session.scalars(select(FaceTemplate)).all() == []
    assert audit_of(database) == []


async def test_consent_then_template_then_withdrawal(operator, world, database):
    given = await operator.post("/api/v1/people/adult/consents", json=GIVEN)
    assert given.status_code == 201
    assert "I agree" not in given.text
    made = await operator.post("/api/v1/people/adult/templates", files={"photo": b"a face"})
    assert made.status_code == 201
    assert set(made.json()) == {"template_id", "media_id", "quality"}
    assert (await operator.get("/api/v1/people/adult?purpose=review")).json()["templates"] == 1
    ended = await operator.delete("/api/v1/people/adult/consents/face_access")
    assert ended.json()["templates_deleted"] == 1
    assert ended.json()["erasure"]["kind"] == "face"
    with database.read() as session:
        assert session.scalars(select(FaceTemplate)).all() == []
    assert [action for _, action, _, _ in audit_of(database)] == [
        "consent.given", "template.enrolled", "person.viewed", "consent.withdrawn",
    ]  # fmt: skip
    again = await operator.post("/api/v1/people/adult/templates", files={"photo": b"a face"})
    assert again.json()["code"] == "consent_missing"


async def test_child_needs_a_guardian(operator, world):
    own = await operator.post("/api/v1/people/child/consents", json=GIVEN)
    assert (own.status_code, own.json()["code"]) == (409, "guardian_required")
    guardian = await operator.post("/api/v1/people/child/consents", json=GIVEN | {"given_by": "guardian"})
    assert guardian.status_code == 201


async def test_photo_without_face_says_why(operator, world):
    await operator.post("/api/v1/people/adult/consents", json=GIVEN)
    answer = await operator.post("/api/v1/people/adult/templates", files={"photo": b"no face"})
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (
        422,
        "photo_refused",
        "no_face",
    )


async def test_photo_has_a_size(operator, world):
    answer = await operator.post(
        "/api/v1/people/adult/templates", files={"photo": bytes(8 * 1024 * 1024 + 1)}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "photo_too_large")


async def test_template_is_made_once_under_one_key(operator, world, rooms):
    await operator.post("/api/v1/people/adult/consents", json=GIVEN)
    path, key = "/api/v1/people/adult/templates", {"Idempotency-Key": "t-1"}
    first = await operator.post(path, files={"photo": b"a face"}, headers=key)
    second = await operator.post(path, files={"photo": b"a face"}, headers=key)
    assert first.json() == second.json()
    assert rooms.portrait_engine.seen == [b"a face"]


async def test_consent_is_given_once_under_one_key(operator, world, database):
    for _ in range(2):
        key = {"Idempotency-Key": "c-1"}
        assert (
            await operator.post("/api/v1/people/adult/consents", json=GIVEN, headers=key)
        ).status_code == 201
    with database.read() as session:
        assert len(session.scalars(select(Consent)).all()) == 1


async def test_without_engine_enrolment_is_unavailable(app, operator, world, rooms):
    from dataclasses import replace

    app.state.rooms = replace(rooms, portrait_engine=None)
    answer = await operator.post("/api/v1/people/adult/templates", files={"photo": b"a face"})
    assert (answer.status_code, answer.json()["code"]) == (503, "enrolment_unavailable")


# ── media ─────────────────────────────────────────────────────────────────────


async def test_picture_is_shown_private_and_audited(operator, world, database):
    answer = await operator.get(f"/api/v1/media/{world.picture}")
    assert (answer.content, answer.headers["Content-Type"]) == (JPEG, "image/jpeg")
    assert answer.headers["Cache-Control"].startswith("private")
    subject = f"media:{world.picture}"
    assert audit_of(database) == [(operator.user.id, "media.viewed", "incident_handling", subject)]


async def test_what_is_no_picture_is_never_shown_as_a_page(operator, world):
    answer = await operator.get(f"/api/v1/media/{world.page}")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_refused_look_at_a_picture_gives_no_byte(volunteer, world, database):
    answer = await volunteer.get(f"/api/v1/media/{world.picture}")
    assert answer.status_code == 403
    assert JPEG not in answer.content


# ── places, devices, events, dead letters ─────────────────────────────────────


async def test_places_are_those_of_this_compound(volunteer, world):
    assert [c["id"] for c in (await volunteer.get("/api/v1/compounds")).json()["items"]] == ["honghua"]
    assert (await volunteer.get("/api/v1/compounds/sifang")).status_code == 404
    assert [z["id"] for z in (await volunteer.get("/api/v1/zones")).json()["items"]] == ["gate", "yard"]
    assert [b["id"] for b in (await volunteer.get("/api/v1/buildings")).json()["items"]] == ["b1"]


async def test_devices_come_with_condition_and_without_secret(operator, world):
    answer = await operator.get("/api/v1/devices")
    (item,) = answer.json()["items"]
    assert (item["id"], item["online"]) == ("cam-1", True)
    assert "secret" not in answer.text
    assert "$2b$" not in answer.text


async def test_list_of_events_names_nobody_and_a_look_is_audited(operator, world, database):
    listed = await operator.get("/api/v1/events")
    assert [item["id"] for item in listed.json()["items"]] == [world.event]
    assert PLATE not in listed.text
    assert audit_of(database) == []
    full = await operator.get(f"/api/v1/events/{world.event}?purpose=incident_handling")
    assert full.json()["body"] == {"plate": {"text": PLATE}}
    assert audit_of(database) == [
        (operator.user.id, "event.viewed", "incident_handling", f"event:{world.event}")
    ]
    assert (await operator.get(f"/api/v1/events/{world.foreign_event}")).status_code == 404


async def test_event_that_was_told_again_is_shown_as_it_stands_and_how_it_was_told(operator, world, database):
    with database.write() as session:
        row = session.get_one(EventRow, world.event)
        row.revision, row.type = 1, "plate.none"
        session.flush()
        session.add(
            EventAmendment(
                event_id=row.id, revision=2, compound=row.compound, type="plate.recognised",
                received_at=row.received_at + dt.timedelta(seconds=4), marks=[],
                body={"plate": {"text": PLATE}}, content_hash="1" * 32,
            )
        )  # fmt: skip
        received_at = row.received_at
    (listed,) = (await operator.get("/api/v1/events")).json()["items"]
    assert (listed["type"], listed["marks"]) == ("plate.recognised", ["amended"])
    assert dt.datetime.fromisoformat(listed["amended_at"]) == received_at + dt.timedelta(seconds=4)
    full = (await operator.get(f"/api/v1/events/{world.event}?purpose=incident_handling")).json()
    assert (full["body"]["plate"], full["amended_at"]) == ({"text": PLATE}, listed["amended_at"])
    assert [one["type"] for one in full["told"]] == ["plate.none", "plate.recognised"]
    with database.read() as session:
        assert session.get_one(EventRow, world.event).type == "plate.none"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"type": "door.opened"}, 1),
        ({"device": "cam-1"}, 3),
        ({"device": "cam-2"}, 0),
        ({"from": "2026-11-23T06:40:00Z"}, 2),
        ({"from": "2026-11-23T14:40:00+08:00", "to": "2026-11-23T06:50:00Z"}, 1),
    ],
)
async def test_events_are_filtered(operator, world, database, query, count):
    with database.write() as session:
        session.add_all([event(10), event(20, kind="door.opened")])
    assert len((await operator.get("/api/v1/events", params=query)).json()["items"]) == count


async def test_list_of_sightings_names_nobody_and_a_look_is_audited(operator, world, database):
    listed = await operator.get(f"/api/v1/sightings?outcome=unknown&event={world.event}")
    assert [item["sighting_id"] for item in listed.json()["items"]] == [world.sighting]
    assert PLATE not in listed.text
    assert (await operator.get("/api/v1/sightings?outcome=identified")).json()["items"] == []
    full = (await operator.get(f"/api/v1/sightings/{world.sighting}")).json()
    assert (full["plate"], full["candidates"][0]["vehicle_id"]) == (PLATE, "v1")
    assert [entry[1] for entry in audit_of(database)] == ["sighting.viewed"]


async def test_raw_bytes_of_a_dead_letter_are_for_administrators(operator, administrator, world, database):
    path = f"/api/v1/deadletters/{world.letter}"
    listed = (await operator.get("/api/v1/deadletters?reason=bad_json")).json()["items"]
    assert [item["id"] for item in listed] == [world.letter]
    assert (await operator.get(path)).json()["raw_base64"] is None
    assert audit_of(database) == []
    assert base64.b64decode((await administrator.get(path)).json()["raw_base64"]) == b"{,}"
    assert [action for _, action, _, _ in audit_of(database)] == ["dead_letter.viewed"]


async def test_letters_are_found_by_what_is_known_of_them(operator, world, database):
    with database.write() as session:
        row = session.get_one(DeadLetter, world.letter)
        row.adapter, row.count, row.outcome = "native", 3, "malformed_json"
        received_at = row.received_at
    for query, count in (
        ("device=cam-1", 1), ("device=cam-2", 0), ("adapter=native", 1), ("adapter=frigate", 0),
        (f"from={received_at:%Y-%m-%dT%H:%M:%SZ}", 1), (f"to={received_at:%Y-%m-%dT%H:%M:%SZ}", 0),
    ):  # fmt: skip
        items = (await operator.get(f"/api/v1/deadletters?{query}")).json()["items"]
        assert len(items) == count, query
    (item,) = (await operator.get("/api/v1/deadletters")).json()["items"]
    assert (item["adapter"], item["count"], item["outcome"]) == ("native", 3, "malformed_json")


async def test_replay_is_asked_once_by_who_mends_devices_and_audited(
    operator, administrator, world, database
):
    path = f"/api/v1/deadletters/{world.letter}/replay"
    assert (await operator.post(path)).status_code == 403
    answer = await administrator.post(path)
    assert (answer.status_code, answer.json()) == (202, {"asked": 1})
    assert (await administrator.post(path)).json() == {"asked": 0}, "it waits already"
    with database.read() as session:
        row = session.get_one(DeadLetter, world.letter)
        assert (row.replay_asked_by, row.replay_asked_at is None) == (administrator.user.id, False)
    assert audit_of(database)[0][1:] == (
        "dead_letter.replayed", "registry_maintenance", f"dead_letter:{world.letter}",
    )  # fmt: skip
    assert (await administrator.post("/api/v1/deadletters/none/replay")).status_code == 404


async def test_what_became_an_event_is_not_read_again(administrator, world, database):
    with database.write() as session:
        session.get_one(DeadLetter, world.letter).outcome = "stored"
    answer = await administrator.post(f"/api/v1/deadletters/{world.letter}/replay")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_replayable")


async def test_many_letters_are_asked_for_by_what_they_have_in_common(administrator, world, database):
    path = "/api/v1/deadletters/replay"
    nothing = await administrator.post(path, json={})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing_selected")
    assert (await administrator.post(path, json={"adapter": "frigate"})).json() == {"asked": 0}
    wanted = {"device": "cam-1", "reason": "bad_json"}
    assert (await administrator.post(path, json=wanted)).json() == {"asked": 1}
    with database.write() as session:
        row = session.get_one(DeadLetter, world.letter)
        row.replay_asked_at, row.compound = None, "sifang"
    assert (await administrator.post(path, json=wanted)).json() == {"asked": 0}, "of another compound"


# ── audit ─────────────────────────────────────────────────────────────────────


async def test_administrator_reads_and_verifies_the_chain(operator, administrator, world, database):
    for _ in range(3):
        await operator.get("/api/v1/people/adult?purpose=review")
    first = (await administrator.get("/api/v1/audit?limit=2")).json()
    assert [row["seq"] for row in first["items"]] == [3, 2]
    rest = (await administrator.get(f"/api/v1/audit?limit=2&cursor={first['next_cursor']}")).json()
    assert ([row["seq"] for row in rest["items"]], rest["next_cursor"]) == ([1], None)
    assert "张三" not in str(first)
    path = "/api/v1/audit/verification"
    assert (await administrator.get(path)).json() == {"holds": True, "broken_at": None}
    unguard(database)
    with database.write() as session:
        session.execute(update(AuditRow).where(AuditRow.seq == 2).values(purpose="nothing"))
    assert (await administrator.get(path)).json() == {"holds": False, "broken_at": 2}


async def test_me_tells_who_i_am_and_my_token(signed_in, world):
    browser = signed_in(Role.VOLUNTEER, responder_id="li", name="li")
    me = (await browser.get("/api/v1/me")).json()
    assert (me["name"], me["role"], me["responder_id"]) == ("li", "volunteer", "li")
    assert me["csrf_token"] == browser.headers["X-CSRF-Token"]
