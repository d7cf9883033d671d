"""What the law asks, function by function (L-…): asked through the API by people of every role."""

import datetime as dt
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

import storage.keys
import storage.vault
from console.accounts.models import Role
from devices import enrolments
from devices.models import Device, DeviceKind, Stage
from devices.secrets import hash_secret
from registry import lookups
from registry.models import (
    Consent,
    ConsentPurpose,
    ConsentWording,
    Credential,
    CredentialKind,
    FaceTemplate,
    Person,
    WatchlistEntry,
)
from ringward.demo import DemoPictures, cast, plan, portraits
from storage.audit import AuditRow, verify
from tests.acceptance.site import COMPOUND, START, WORDING, Site

ADULT = cast.RESIDENT_A
AGREES = {"purpose": "face_access", "wording": WORDING, "channel": "counter", "given_by": "self"}
WATCH = {
    "subject_kind": "plate",
    "subject": cast.PLATE_WATCHED,
    "legal_basis": "owners_resolution",
    "document_no": "红花业决〔2026〕3号",
    "applicant_org": "红花物业",
    "reason": "多次占用车库消防通道",
    "rings": ["common"],
    "ends_at": (START + dt.timedelta(days=60)).isoformat(),
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    before = storage.keys._ring, storage.vault._vault
    site = Site(tmp_path / "site")
    site.settle()
    yield site
    site.close()
    storage.keys._ring, storage.vault._vault = before


@pytest.fixture
def manager(site: Site):
    return site.client(Role.PROPERTY_MANAGER)


def consented(site: Site, manager, person: str = ADULT) -> None:
    assert manager.post(f"/api/v1/people/{person}/consents", json=AGREES).status_code == 201


def enrolled(site: Site, manager, pictures: DemoPictures, person: str = ADULT) -> str:
    consented(site, manager, person)
    photo = {"photo": pictures.face(portraits.RESIDENT_A)}
    made = manager.post(f"/api/v1/people/{person}/templates", files=photo)
    assert made.status_code == 201, made.text
    return str(made.json()["media_id"])


def child_of(site: Site) -> Person:
    with site.ground.database.read() as session:
        child = session.scalars(
            select(Person).where(Person.under_14, Person.guardian.is_not(None)).order_by(Person.id)
        ).first()
        assert child is not None
        session.expunge(child)
    return child


def count(site: Site, table: type) -> int:
    with site.ground.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_l01_no_consent_no_template(site: Site, manager, pictures: DemoPictures) -> None:
    photo = {"photo": pictures.face(portraits.RESIDENT_A)}
    refused = manager.post(f"/api/v1/people/{ADULT}/templates", files=photo)
    assert (refused.status_code, refused.json()["code"]) == (409, "consent_missing")
    assert count(site, FaceTemplate) == 0
    # Consent to one purpose is none to another (PIPL art. 14, 29).
    for purpose in ("elder_care", "volunteer_location"):
        given = manager.post(f"/api/v1/people/{ADULT}/consents", json=AGREES | {"purpose": purpose})
        assert given.status_code == 201
    assert manager.post(f"/api/v1/people/{ADULT}/templates", files=photo).json()["code"] == "consent_missing"
    consented(site, manager)
    assert manager.post(f"/api/v1/people/{ADULT}/templates", files=photo).status_code == 201
    assert count(site, FaceTemplate) == 1


def test_l01_what_was_agreed_to_can_be_shown_later(site: Site, manager) -> None:
    consented(site, manager)
    with site.ground.database.read() as session:
        consent = session.scalars(select(Consent).where(Consent.person == ADULT)).one()
        assert session.get_one(ConsentWording, consent.text_hash).text == WORDING
        assert (consent.channel, consent.given_by, consent.withdrawn_at) == ("counter", "self", None)


def test_l02_withdrawal_is_one_call_and_its_receipt_names_who_has_not_confirmed(
    site: Site, manager, pictures: DemoPictures
) -> None:
    media_id = enrolled(site, manager, pictures)
    with site.ground.database.write() as session:
        session.add(
            Device(
                id="terminal-1", compound=COMPOUND, zone=plan.NORTH_GATE, kind=DeviceKind.TURNSTILE,
                name="人脸终端", secret_hash=hash_secret("terminal"), stage=Stage.APPROVED, enabled=True,
            )
        )  # fmt: skip
        session.flush()
        enrolments.note(session, COMPOUND, "terminal-1", ADULT, face=True, at=site.clock.now())
    resident = site.client(Role.RESIDENT, name="resident-a", person_id=ADULT)
    withdrawn = resident.delete("/api/v1/me/consents/face_access")
    assert withdrawn.status_code == 200, withdrawn.text
    assert withdrawn.json()["templates_deleted"] == 1
    assert count(site, FaceTemplate) == 0
    receipt = manager.get(f"/api/v1/erasures/{withdrawn.json()['erasure']['id']}").json()
    states = {(step["place"], step["name"]): step["state"] for step in receipt["steps"]}
    assert states["database", None] == "confirmed"
    assert states["media", None] == "confirmed"
    assert states["terminal", "terminal-1"] == "pending"
    assert receipt["completed_at"] is None
    operator = site.client(Role.OPERATOR)
    assert operator.get(f"/api/v1/media/{media_id}?purpose=review").status_code == 404

    terminal = site.client(Role.DEVICE, name="terminal-1", device_id="terminal-1")
    (order,) = terminal.get("/api/v1/terminal-orders").json()["items"]
    # The terminal never learns who it was.
    assert ADULT not in str(order)
    answered = terminal.post(f"/api/v1/terminal-orders/{order['id']}/answer", json={"result": "deleted"})
    assert answered.status_code == 200
    site.follow_up()
    receipt = manager.get(f"/api/v1/erasures/{receipt['id']}").json()
    assert {step["state"] for step in receipt["steps"]} == {"confirmed"}
    assert receipt["completed_at"] is not None


def test_l02_a_terminal_that_stays_silent_is_overdue_after_a_day(site: Site, manager, pictures) -> None:
    enrolled(site, manager, pictures)
    with site.ground.database.write() as session:
        session.add(
            Device(
                id="terminal-1", compound=COMPOUND, zone=plan.NORTH_GATE, kind=DeviceKind.TURNSTILE,
                name="人脸终端", secret_hash=hash_secret("terminal"), stage=Stage.APPROVED, enabled=True,
            )
        )  # fmt: skip
        session.flush()
        enrolments.note(session, COMPOUND, "terminal-1", ADULT, face=True, at=site.clock.now())
    erasure = manager.delete(f"/api/v1/people/{ADULT}/consents/face_access").json()["erasure"]
    assert not erasure["overdue"]
    site.clock.advance(24 * 3600 + 1)
    auditor = site.client(Role.AUDITOR)
    assert auditor.get(f"/api/v1/erasures/{erasure['id']}").json()["overdue"]


def test_l03_the_last_way_in_that_is_no_face_cannot_be_taken(site: Site, manager) -> None:
    held = manager.get(f"/api/v1/people/{ADULT}/credentials?purpose=registry_maintenance").json()["items"]
    (card,) = held
    assert card["kind"] == "card"
    taken = manager.post(f"/api/v1/credentials/{card['id']}/end", json={"version": card["version"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "last_non_face_credential")
    # A face does not count, even with consent.
    consented(site, manager)
    face = manager.post(f"/api/v1/people/{ADULT}/credentials", json={"kind": "face"})
    assert face.status_code == 201, face.text
    taken = manager.post(f"/api/v1/credentials/{card['id']}/end", json={"version": card["version"]})
    assert taken.json()["code"] == "last_non_face_credential"
    second = {"kind": "card", "ref": "77AA0001"}
    assert manager.post(f"/api/v1/people/{ADULT}/credentials", json=second).status_code == 201
    taken = manager.post(f"/api/v1/credentials/{card['id']}/end", json={"version": card["version"]})
    assert taken.status_code == 200, taken.text


def test_l03_everybody_of_the_compound_has_one(site: Site) -> None:
    with site.ground.database.read() as session:
        people = set(session.scalars(select(Person.id)))
        served = set(session.scalars(select(Credential.person).where(Credential.kind != CredentialKind.FACE)))
    assert len(people) == 4_737
    assert people == served


def test_l05_a_child_consents_through_its_guardian_only(site: Site, manager) -> None:
    child = child_of(site)
    own = manager.post(f"/api/v1/people/{child.id}/consents", json=AGREES)
    assert (own.status_code, own.json()["code"]) == (409, "guardian_required")
    given = manager.post(f"/api/v1/people/{child.id}/consents", json=AGREES | {"given_by": "guardian"})
    assert given.status_code == 201, given.text
    assert given.json()["guardian"] == child.guardian


def test_l06_a_watch_needs_two_people_a_reason_and_an_end(site: Site, manager) -> None:
    for missing in ("document_no", "reason", "applicant_org", "legal_basis", "ends_at", "rings"):
        asked = {key: value for key, value in WATCH.items() if key != missing}
        assert manager.post("/api/v1/watchlist/applications", json=asked).status_code == 422, missing
    for emptied in ({"document_no": " "}, {"reason": ""}, {"rings": []}):
        assert manager.post("/api/v1/watchlist/applications", json=WATCH | emptied).status_code in {409, 422}
    late = WATCH | {"ends_at": (START + dt.timedelta(days=91)).isoformat()}
    assert manager.post("/api/v1/watchlist/applications", json=late).status_code == 409
    asked = manager.post("/api/v1/watchlist/applications", json=WATCH)
    assert asked.status_code == 201, asked.text
    assert count(site, WatchlistEntry) == 0
    one = site.client(Role.ADMINISTRATOR, name="admin-1")
    applied = one.post("/api/v1/watchlist/applications", json=WATCH).json()
    own = one.post(f"/api/v1/watchlist/applications/{applied['id']}/decision", json={"verdict": "approve"})
    assert (own.status_code, own.json()["code"]) == (409, "two_people")
    other = site.client(Role.ADMINISTRATOR, name="admin-2")
    done = other.post(f"/api/v1/watchlist/applications/{applied['id']}/decision", json={"verdict": "approve"})
    assert done.status_code == 200, done.text
    with site.ground.database.read() as session:
        entry = session.scalars(select(WatchlistEntry)).one()
        assert entry.approver != entry.applicant
        assert entry.ends_at - entry.starts_at <= dt.timedelta(days=90)


@pytest.mark.parametrize("basis", ["police_order", "court_order"])
def test_l07_property_staff_cannot_order_what_is_the_polices(site: Site, manager, basis: str) -> None:
    refused = manager.post("/api/v1/watchlist/applications", json=WATCH | {"legal_basis": basis})
    assert refused.status_code == 409
    person = WATCH | {"subject_kind": "person", "subject": ADULT}
    assert manager.post("/api/v1/watchlist/applications", json=person).status_code == 409
    police = site.client(Role.POLICE)
    ordered = person | {"legal_basis": "police_order", "document_no": "保公〔2026〕17号"}
    assert police.post("/api/v1/watchlist/applications", json=ordered).status_code == 201


def test_l08_every_look_has_a_purpose_and_the_person_sees_who_looked(site: Site, manager) -> None:
    operator = site.client(Role.OPERATOR)
    assert operator.get(f"/api/v1/people/{ADULT}").status_code == 422
    looked = operator.get(f"/api/v1/people/{ADULT}?purpose=incident_handling")
    assert looked.status_code == 200
    assert operator.get(f"/api/v1/people/{ADULT}/dwellings?purpose=monitoring").status_code == 200
    name = looked.json()["name"]
    found = operator.post("/api/v1/people/search?purpose=incident_handling", json={"name": name})
    assert ADULT in {person["id"] for person in found.json()["items"]}
    resident = site.client(Role.RESIDENT, name="resident-a", person_id=ADULT)
    items = resident.get("/api/v1/me/looks").json()["items"]
    assert {("operator", "person.viewed", "incident_handling")} <= {
        (look["role"], look["action"], look["purpose"]) for look in items
    }
    assert site.user("operator").id not in str(items)
    # Somebody else's looks are not shown.
    neighbour = site.client(Role.RESIDENT, name="resident-b", person_id=cast.RESIDENT_B)
    assert neighbour.get("/api/v1/me/looks").json()["items"] == []


def test_l08_the_log_cannot_be_changed_unnoticed(site: Site, manager) -> None:
    site.client(Role.OPERATOR).get(f"/api/v1/people/{ADULT}?purpose=monitoring")
    site.client(Role.OPERATOR).get(f"/api/v1/people/{cast.RESIDENT_B}?purpose=monitoring")
    auditor = site.client(Role.AUDITOR)
    assert auditor.get("/api/v1/audit/verification").json() == {"holds": True, "broken_at": None}
    with site.ground.database.write() as session:
        (first, *_) = session.scalars(select(AuditRow.seq).order_by(AuditRow.seq))
    # The database itself refuses.
    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="audit"), site.ground.database.write() as session:
            session.execute(text(statement))
    # Whoever gets around that is found out.
    with site.ground.database.write() as session:
        for trigger in session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            session.execute(text(f'DROP TRIGGER "{trigger}"'))
        session.execute(text("UPDATE audit SET actor = 'nobody' WHERE seq = :seq"), {"seq": first})
    with site.ground.database.read() as session:
        assert verify(session) == first
    assert auditor.get("/api/v1/audit/verification").json() == {"holds": False, "broken_at": first}


def test_l10_templates_and_names_are_not_readable_in_the_file_nor_in_what_is_handed_out(
    site: Site, manager, pictures: DemoPictures, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    enrolled(site, manager, pictures)
    with site.ground.database.read() as session:
        template = session.scalars(select(FaceTemplate)).one()
        vector, dimension = template.embedding, template.dimension
        name = session.get_one(Person, ADULT).name
    assert vector is not None
    assert len(vector) == 4 * dimension
    told = manager.get(f"/api/v1/people/{ADULT}/data?purpose=resident_request")
    assert told.status_code == 200, told.text
    for form in (vector.hex(), str(list(vector))[1:60]):
        assert form not in told.text
    raw = b"".join(p.read_bytes() for p in site.folder.rglob("*") if p.is_file())
    assert vector not in raw
    assert name.encode() not in raw
    assert name not in caplog.text


def test_l13_what_a_camera_guesses_of_a_person_has_no_place(site: Site) -> None:
    from tests.storage.test_no_sensitive_columns import test_no_column_holds_a_sensitive_attribute

    test_no_column_holds_a_sensitive_attribute()


def test_l16_a_person_gets_a_copy_a_correction_and_the_deadline(site: Site, manager) -> None:
    resident = site.client(Role.RESIDENT, name="resident-a", person_id=ADULT)
    copy = resident.get("/api/v1/me/data").json()
    with site.ground.database.read() as session:
        assert session.get_one(Person, ADULT).name in str(copy)
        assert session.get_one(Person, cast.RESIDENT_B).name not in str(copy)
    asked = resident.post(
        "/api/v1/me/requests", json={"kind": "correction", "what": "phone", "new": "10099998888"}
    )
    assert asked.status_code == 201, asked.text
    due = dt.datetime.fromisoformat(asked.json()["due_at"])
    # 15 working days from Monday, 23 November, are three weeks.
    assert (due - START).days in {21, 22}
    requests = manager.get("/api/v1/requests").json()["items"]
    assert [(r["id"], r["overdue"]) for r in requests] == [(asked.json()["id"], False)]
    site.clock.advance(40 * 24 * 3600)
    later = site.client(Role.PROPERTY_MANAGER, name="manager-later")
    assert later.get("/api/v1/requests").json()["items"][0]["overdue"]


def test_l16_whoever_is_erased_is_found_by_nobody(site: Site, manager) -> None:
    before = manager.get(f"/api/v1/people/{ADULT}?purpose=review").json()
    done = manager.post(f"/api/v1/people/{ADULT}/erasure", json={"kind": "person"})
    assert done.status_code == 202, done.text
    receipt = manager.get(f"/api/v1/erasures/{done.json()['id']}").json()
    waiting = {step["place"]: step for step in receipt["steps"] if step["state"] != "confirmed"}
    # What the bus still carries ends by itself within the stream's seven days.
    assert set(waiting) <= {"bus"}, receipt
    assert all(step["state"] == "kept" and step["until"] for step in waiting.values())
    for asked in ({"name": before["name"]}, {"phone": before["phone"]}):
        found = manager.post("/api/v1/people/search?purpose=review", json=asked).json()["items"]
        assert ADULT not in {person["id"] for person in found}
    with site.ground.database.read() as session:
        row = session.get_one(Person, ADULT)
        assert (row.name, row.phone, row.name_key, row.phone_key) == ("", None, None, None)
        key = lookups.name_key(COMPOUND, before["name"])
        assert ADULT not in session.scalars(select(Person.id).where(Person.name_key == key)).all()
        assert session.scalars(select(Consent.purpose).where(Consent.person == ADULT)).all() in (
            [], [ConsentPurpose.FACE_ACCESS],
        )  # fmt: skip
    # Again is harmless.
    again = manager.post(f"/api/v1/people/{ADULT}/erasure", json={"kind": "person"})
    assert again.json()["id"] == receipt["id"]
