"""Who looked (L-08): all of it, by role alone, and nothing that would tell of an inquiry."""

import datetime as dt

import pytest
from sqlalchemy import select

from privacy import access, looks
from recognition.models import DecisionRow
from registry.models import FaceTemplate, Person
from storage.audit import AuditEntry, append
from tests.support import resident as world
from tests.support.compound import COMPOUND, ELSEWHERE
from tests.support.resident import NOON


@pytest.fixture
def ids(either_database, media):
    return world.build(either_database, media)


def look(
    database,
    subject,
    *,
    action="person.viewed",
    purpose="review",
    role="operator",
    at=NOON,
    compound=COMPOUND,
):
    with database.write() as session:
        append(session, at, AuditEntry("u-secret", role, action, purpose, subject, "", compound))


def seen(database, since=None):
    with database.read() as session:
        found = looks.at_person(session, session.get_one(Person, "p1"), since)
    return [(each.action, each.subject_kind) for each in found]


def test_every_way_of_looking_at_somebody_counts(either_database, ids):
    with either_database.read() as session:
        decided = select(DecisionRow.sighting_id).where(DecisionRow.person_id == "p1")
        portrait = select(FaceTemplate.media_id).where(FaceTemplate.person == "p1")
        subjects = [
            "person:p1",
            "household:h1",
            "vehicle:v1",
            "credential:c-card",
            "dwelling:d1",
            f"sighting:{session.scalars(decided).one()}",
            f"event:{ids['face']}",
            f"media:{session.scalars(portrait).one()}",
            f"media:{ids['passage']}",
        ]
    for subject in subjects:
        look(either_database, subject)
    for subject in (
        "person:mate",
        "person:p12",
        f"event:{ids['beside']}",
        f"media:{ids['crowd']}",
        "dwelling:d2",
    ):
        look(either_database, subject)
    assert [kind for _, kind in seen(either_database)] == [s.partition(":")[0] for s in reversed(subjects)]


def test_looks_of_an_inquiry_are_left_out_and_do_not_leave_a_gap(either_database, ids):
    look(either_database, "person:p1", purpose="official_request", role="police")
    look(either_database, "person:p1", action="watchlist.hits_viewed")
    look(either_database, "person:p1", action="hold.applied", role="police")
    look(either_database, "person:p1", action="disclosure.delivered")
    look(either_database, "person:p1")
    assert seen(either_database) == [("person.viewed", "person")]
    with either_database.read() as session:
        document = access.export(session, session.get_one(Person, "p1"), NOON)
    assert [entry["action"] for entry in document["looks"]] == ["person.viewed"]
    assert "u-secret" not in str(document)


def test_looks_since_a_moment_and_of_the_own_compound(either_database, ids):
    for days in (3, 2, 1):
        look(either_database, "person:p1", at=NOON - dt.timedelta(days=days), action=f"day.{days}")
    look(either_database, "person:p1", compound=ELSEWHERE)
    assert seen(either_database, NOON - dt.timedelta(days=2)) == [("day.1", "person"), ("day.2", "person")]


def test_document_tells_everything_and_no_number_of_a_face(either_database, ids):
    with either_database.read() as session:
        document = access.export(session, session.get_one(Person, "p1"), NOON)
    assert document["person"] | {"name": world.NAME, "phone": world.PHONE} == document["person"]
    assert document["person"]["id_number"] == "110105********002X"
    assert document["household"] == {"id": "h1", "dwelling": "d1", "is_head": True}
    assert [r["dwelling"] for r in document["residences"]] == ["d1"]
    assert [w["organisation"] for w in document["works_for"]] == ["小卖部"]
    assert {c["number"] for c in document["credentials"]} == {None, "********8899"}
    assert {v["plate"] for v in document["vehicles"]} == {world.PLATE, world.SHARED_PLATE}
    assert [d["vehicle"] for d in document["may_drive"]] == ["v3"]
    assert [p["kind"] for p in document["passes"]] == ["visitor"]
    assert [c["wording"] for c in document["consents"]] == ["I agree."]
    assert {p["event_id"] for p in document["passages"]} == {ids["face"], ids["plate"]}
    assert [i["id"] for i in document["incidents"]] == [ids["closed"]]
    assert [r["id"] for r in document["requests"]] == ["req"]
    (face,) = document["faces"]
    assert set(face) == {"engine", "engine_version", "quality", "media_id", "created_at"}
    assert {(pair["side"], pair["with"]) for pair in document["face_exclusions"]} == {
        ("named", "registered"),
        ("other", "registered"),
    }
    assert "某某" not in str(document), "of the housemate nothing"
    assert "mate" not in str(document["face_exclusions"])
    assert world.VISITOR_PHONE not in str(document)


@pytest.mark.parametrize(
    ("text", "shown"),
    [(None, None), ("", ""), ("1234", "****"), ("C0FFEE8899", "******8899")],
)
def test_numbers_are_masked(text, shown):
    assert access.masked(text, 0, 4) == shown
