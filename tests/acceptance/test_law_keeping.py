"""What is kept, held back, handed out, assessed, and lost: L-09, L-14, L-15, L-18, L-21, L-22, L-24."""

import datetime as dt
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

import storage.keys
import storage.vault
from console.accounts.models import Role
from privacy import filing, retention
from privacy.models import DeletionProof, PassageCount
from recognition.models import DecisionRow
from registry.models import Person
from ringward.demo import cast, plan
from storage import new_id
from storage.events import EVENT_COLUMNS, EventRow, store
from tests.acceptance.site import COMPOUND, START, Site

OLD = START - dt.timedelta(days=200)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    before = storage.keys._ring, storage.vault._vault
    site = Site(tmp_path / "site")
    site.settle()
    yield site
    site.close()
    storage.keys._ring, storage.vault._vault = before


def passages(site: Site, at: dt.datetime, number: int, picture: bytes | None = None) -> list[str]:
    """Plates that were read at the north gate; each with a picture of its own where one is given."""
    ids = [new_id() for _ in range(number)]
    rows = []
    for index, event_id in enumerate(ids):
        pictures = []
        if picture is not None:
            stored = site.ground.media.put(picture + str(index).encode())
            pictures = [{"role": "vehicle", "media_id": stored.media_id, "size": stored.size}]
        moment = at + dt.timedelta(seconds=index)
        body = {"plate": {"text": cast.PLATE_A}, "pictures": pictures}
        values = {
            "id": event_id, "compound": COMPOUND, "device_id": f"{plan.PREFIX}-north-plate-in",
            "record_id": f"r-{event_id}", "type": "plate.recognised", "ring": "entrance",
            "zone": plan.NORTH_GATE, "lane": None, "direction": "in", "device_time": moment,
            "corrected_time": moment, "received_at": moment, "late": False, "marks": [], "body": body,
            "content_hash": "0" * 32, "resent": 0, "revision": None,
        }  # fmt: skip
        rows.append(tuple(values[name] for name in EVENT_COLUMNS))
    with site.ground.database.write() as session:
        store(session, rows)
        session.add_all(
            DecisionRow(
                sighting_id=new_id(), event_id=event_id, compound=COMPOUND, subject_kind="plate",
                outcome="identified", plate=cast.PLATE_A, candidates=[], reasons=[], evidence={},
                milliseconds=1, at=at, decided_at=at,
            )
            for event_id in ids
        )  # fmt: skip
    return ids


def keep(site: Site) -> None:
    """What the keeper does at night."""
    ground = site.ground
    policy, now = ground.settings.retention, site.clock.now()
    retention.run(ground.database, ground.media, ground.vault, policy, now, sleep=lambda _: None)


def events(site: Site) -> set[str]:
    with site.ground.database.read() as session:
        return set(session.scalars(select(EventRow.id)))


def test_l09_what_is_over_goes_with_a_proof_and_leaves_a_count(site: Site) -> None:
    old, fresh = passages(site, OLD, 30, b"\xff\xd8\xff an old picture"), passages(site, START, 5)
    auditor = site.client(Role.AUDITOR)
    planned = {
        c["retention_class"]: c for c in auditor.get("/api/v1/retention").json()["classes"] if c["count"]
    }
    assert sum(c["count"] for c in planned.values()) >= 30
    assert events(site) == {*old, *fresh}, "a dry run deletes nothing"
    keep(site)
    assert events(site) == set(fresh)
    assert not [path for path in (site.folder / "media").rglob("*") if path.is_file()]
    with site.ground.database.read() as session:
        proofs = session.scalars(select(DeletionProof).where(DeletionProof.count > 0)).all()
        events_gone = sum(p.count for p in proofs if p.retention_class == "passages")
        digests = {p.digest for p in proofs}
        counted = session.scalar(select(func.sum(PassageCount.count)))
    assert (events_gone, counted) == (30, 30)
    whole = hashlib.sha256("".join(f"{i}\n" for i in sorted(old)).encode()).hexdigest()
    assert whole in digests
    shown = auditor.get("/api/v1/retention/proofs").json()["items"]
    assert whole in {proof["digest"] for proof in shown}


def test_l14_the_assessment_is_made_of_facts_and_says_what_has_changed(site: Site) -> None:
    admin = site.client(Role.ADMINISTRATOR)
    before = admin.get("/api/v1/assessments/facts").json()
    assert before["version"] is None
    made = admin.post("/api/v1/assessments", json={"assessment": "必要、相称;风险可控。"})
    assert made.status_code == 201, made.text
    assert made.json()["version"] == 1
    now = admin.get("/api/v1/assessments/facts").json()
    assert (now["version"], now["changed"]) == (1, [])
    with site.ground.database.write() as session:
        name = session.get_one(Person, cast.RESIDENT_A).name
    assert name not in json.dumps(now, ensure_ascii=False)
    document = admin.get("/api/v1/assessments/1/document")
    assert "必要、相称" in document.text


def test_l15_the_number_of_stored_faces_warns_and_then_asks_for_a_filing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = site.client(Role.ADMINISTRATOR)
    for people, tasks in ((79_999, 0), (80_000, 1), (99_999, 1), (100_000, 2), (100_001, 2)):
        # So many templates would take minutes to write; counting them has a test of its own.
        monkeypatch.setattr(filing, "people_with_faces", lambda _, people=people: people)
        with site.ground.database.write() as session:
            filing.check(session, site.clock.now())
        assert len(admin.get("/api/v1/filing-tasks").json()["items"]) == tasks
    first, second = sorted(admin.get("/api/v1/filing-tasks").json()["items"], key=lambda t: t["people"])
    assert (first["level"], second["level"]) == ("warning", "filing")
    due = dt.datetime.fromisoformat(second["due_at"])
    assert (due - START).days == 42, "30 working days are six weeks"


def test_l18_nothing_is_handed_out_without_a_document_a_window_and_a_second_person(site: Site) -> None:
    inside = passages(site, START - dt.timedelta(hours=2), 3)
    passages(site, START - dt.timedelta(days=3), 4)
    police = site.client(Role.POLICE)
    asked = {
        "requester_org": "红花派出所", "document_no": "保公调〔2026〕8号", "reason": "盗窃案",
        "scope": {"kind": "plate", "id": cast.PLATE_A},
        "from_at": (START - dt.timedelta(hours=6)).isoformat(), "to_at": START.isoformat(),
    }  # fmt: skip
    for missing in ("document_no", "reason", "requester_org", "scope", "from_at"):
        wrong = {key: value for key, value in asked.items() if key != missing}
        assert police.post("/api/v1/disclosures", json=wrong).status_code == 422, missing
    made = police.post("/api/v1/disclosures", json=asked)
    assert made.status_code == 201, made.text
    path = f"/api/v1/disclosures/{made.json()['id']}"
    assert police.post(f"{path}/delivery", json={}).status_code == 409
    assert police.post(f"{path}/decision", json={"verdict": "approve"}).status_code == 403
    admin = site.client(Role.ADMINISTRATOR)
    assert admin.post(f"{path}/decision", json={"verdict": "approve"}).status_code == 200
    wider = {"from_at": (START - dt.timedelta(days=4)).isoformat()}
    assert police.post(f"{path}/delivery", json=wider).status_code == 409
    handed = police.post(f"{path}/delivery", json={})
    assert handed.status_code == 200, handed.text
    archive = zipfile.ZipFile(io.BytesIO(handed.content))
    whole = b"".join(archive.read(name) for name in archive.namelist()).decode(errors="replace")
    assert all(event_id in whole for event_id in inside)
    assert "保公调〔2026〕8号" in whole, "the watermark"
    (known,) = admin.get("/api/v1/disclosures").json()["items"]
    assert known["export_hash"] == hashlib.sha256(handed.content).hexdigest()


def test_l21_a_hold_freezes_until_it_ends_and_two_people_decide(site: Site) -> None:
    police, auditor = site.client(Role.POLICE), site.client(Role.AUDITOR)
    ends = (START + dt.timedelta(days=30)).isoformat()
    asked = {"subject_kind": "person", "subject": cast.RESIDENT_A, "reason": "调查", "ends_at": ends}
    hold = police.post("/api/v1/holds", json=asked)
    assert hold.status_code == 201, hold.text
    manager = site.client(Role.PROPERTY_MANAGER)
    erasure = manager.post(f"/api/v1/people/{cast.RESIDENT_A}/erasure", json={"kind": "person"}).json()
    kept = [step for step in erasure["steps"] if step["state"] == "kept"]
    assert kept
    # Whoever may not know of an inquiry does not learn of it by asking to be forgotten.
    assert "legal_hold" not in str(erasure)
    assert police.post(f"/api/v1/holds/{hold.json()['id']}/approval").status_code == 403
    approved = auditor.post(f"/api/v1/holds/{hold.json()['id']}/approval")
    assert approved.status_code == 200, approved.text
    site.clock.advance(31 * 24 * 3600)
    site.follow_up()
    with site.ground.database.read() as session:
        assert session.get_one(Person, cast.RESIDENT_A).erased_at is not None


def test_l24_a_breach_has_a_list_of_whom_it_concerns(site: Site) -> None:
    admin = site.client(Role.ADMINISTRATOR)
    assert site.client(Role.OPERATOR).post("/api/v1/breaches/affected", json={}).status_code == 403
    classes = admin.app.openapi()["components"]["schemas"]["BreachClass"]["enum"]
    found = admin.post("/api/v1/breaches/affected", json={"classes": classes})
    assert found.status_code == 200, found.text
    affected = found.json()["affected"]
    assert len({one["id"] for one in affected if one["kind"] == "person"}) == 4_737
    rows = site.client(Role.AUDITOR).get("/api/v1/audit").json()["items"]
    assert "breach.exported" in {row["action"] for row in rows}
