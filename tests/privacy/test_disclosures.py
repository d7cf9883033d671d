"""Disclosures (L-18): only by a document and two people, only the scope, only the window, only once."""

import datetime as dt
import hashlib
import io
import json
import zipfile

import pytest

from privacy import disclosures, export
from privacy.disclosures import DisclosureScope
from privacy.models import Disclosure
from registry.errors import MissingError, RefusedError
from registry.models import Credential
from storage.events import EventRow
from tests.support import keeping
from tests.support.compound import COMPOUND, ELSEWHERE, JPEG
from tests.support.keeping import DAY, NOW

BEGIN, END = NOW - 10 * DAY, NOW - 5 * DAY


@pytest.fixture
def settled(either_database):
    keeping.settle_in(either_database)
    keeping.add(either_database, keeping.person(), keeping.person("p2"))
    return either_database


def asked(session, kind=DisclosureScope.PERSON, subject="p1", *, begin=BEGIN, end=END, by="officer"):
    return disclosures.request(
        session,
        COMPOUND,
        kind,
        subject,
        requester_org="Longyang station",
        document_no="2026-17",
        reason="theft",
        from_at=begin,
        to_at=end,
        applicant=by,
        at=NOW,
    )


def approved(database, *args, **options) -> str:
    with database.write() as session:
        made = asked(session, *args, **options)
        disclosures.decide(session, COMPOUND, made.id, approve=True, approver="manager", at=NOW)
        return made.id


def handed_out(database, media, disclosure_id, *, begin=None, end=None, at=NOW):
    with database.read() as session:
        made = disclosures.find(session, COMPOUND, disclosure_id)
        found = export.gather(session, made, *disclosures.window(made, at, begin, end))
    packed = export.pack(found, media, by="deliverer", at=at)
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
        return packed, files, json.loads(files["data.json"]), archive.comment.decode()


def test_nothing_is_delivered_without_another_persons_approval(settled):
    with settled.write() as session:
        made = asked(session)
        with pytest.raises(RefusedError, match="disclosure_not_approved"):
            disclosures.window(made, NOW, None, None)
        with pytest.raises(RefusedError, match="two_people"):
            disclosures.decide(session, COMPOUND, made.id, approve=True, approver="officer", at=NOW)
        disclosures.decide(session, COMPOUND, made.id, approve=False, approver="manager", at=NOW)
        with pytest.raises(RefusedError, match="disclosure_not_approved"):
            disclosures.window(made, NOW, None, None)
        with pytest.raises(RefusedError, match="disclosure_decided"):
            disclosures.decide(session, COMPOUND, made.id, approve=True, approver="manager", at=NOW)


@pytest.mark.parametrize(
    ("begin", "end", "code"),
    [
        (END, BEGIN, "disclosure_window"),
        (NOW - 93 * DAY, NOW - dt.timedelta(hours=1), "disclosure_too_long"),
        (NOW - DAY, NOW + DAY, "disclosure_future"),
    ],
)
def test_window_is_of_the_past_and_short(settled, begin, end, code):
    with settled.write() as session, pytest.raises(RefusedError, match=code):
        asked(session, begin=begin, end=end)


def test_scope_is_something_that_the_compound_has(settled):
    with settled.write() as session:
        for kind in (DisclosureScope.PERSON, DisclosureScope.ZONE, DisclosureScope.INCIDENT):
            with pytest.raises(MissingError):
                asked(session, kind, "nothing")
        with pytest.raises(RefusedError, match="plate_malformed"):
            asked(session, DisclosureScope.PLATE, "not a plate")
        assert asked(session, DisclosureScope.PLATE, "云m·12345").scope["id"] == "云M12345"
        with pytest.raises(MissingError):
            disclosures.find(session, ELSEWHERE, asked(session).id)


def test_delivery_outside_the_approved_window_is_refused(settled):
    made_id = approved(settled)
    with settled.read() as session:
        made = disclosures.find(session, COMPOUND, made_id)
        assert disclosures.window(made, NOW, BEGIN + DAY, None) == (BEGIN + DAY, END)
        for begin, end in ((BEGIN - DAY, None), (None, END + DAY), (END, BEGIN)):
            with pytest.raises(RefusedError, match="disclosure_window"):
                disclosures.window(made, NOW, begin, end)
        with pytest.raises(RefusedError, match="disclosure_expired"):
            disclosures.window(made, NOW + 31 * DAY, None, None)


def test_delivery_happens_once_and_leaves_its_hash(settled, media):
    made_id = approved(settled)
    packed, *_ = handed_out(settled, media, made_id)
    with settled.write() as session:
        made = disclosures.delivered(session, COMPOUND, made_id, export_hash=packed.sha256, at=NOW)
        assert (made.state, made.export_hash) == ("delivered", hashlib.sha256(packed.content).hexdigest())
    with settled.write() as session, pytest.raises(RefusedError, match="disclosure_delivered"):
        disclosures.delivered(session, COMPOUND, made_id, export_hash=packed.sha256, at=NOW)


def passages(database, media):
    """Two people and a plate within the window, and each once more outside of it."""
    shots = {name: media.put(JPEG + name.encode()).media_id for name in ("p1", "p2", "plate", "outside")}
    mine = keeping.event(BEGIN + DAY, pictures=[shots["p1"]])
    others = keeping.event(BEGIN + DAY, pictures=[shots["p2"]])
    plate = keeping.event(BEGIN + 2 * DAY, kind="plate.recognised", pictures=[shots["plate"]])
    late = keeping.event(END, pictures=[shots["outside"]])
    card = keeping.event(BEGIN + 3 * DAY)
    card.body = {"credential": {"kind": "card", "ref": "00-aa 11"}, "pictures": []}
    elsewhere = keeping.event(BEGIN + DAY, compound=ELSEWHERE)
    with database.write() as session:
        credential = Credential(id="c1", compound=COMPOUND, person="p1", kind="card", status="active")
        credential.ref = "00AA11"
        session.add(credential)
    keeping.add(
        database,
        *(mine, others, plate, late, card, elsewhere),
        keeping.decision(mine, person_id="p1"),
        keeping.decision(others, person_id="p2"),
        keeping.decision(plate, subject_kind="plate", plate="云M12345"),
        keeping.decision(late, person_id="p1"),
    )
    return {"mine": mine.id, "others": others.id, "plate": plate.id, "card": card.id}, shots


def test_export_of_a_person_holds_that_person_in_that_window_and_nothing_else(settled, media):
    ids, shots = passages(settled, media)
    packed, files, data, comment = handed_out(settled, media, approved(settled))
    assert data["person"] == {"id": "p1", "name": "王小明"}
    assert {one["id"] for one in data["events"]} == {ids["mine"], ids["card"]}
    assert {one["person_id"] for one in data["sightings"]} == {"p1"}
    pictures = [name for name in files if name.startswith("pictures/")]
    assert pictures == [f"pictures/{shots['p1']}.jpg"]
    assert files[pictures[0]] == JPEG + b"p1"
    assert (packed.events, packed.pictures) == (2, 1)
    assert "10012345678" not in files["data.json"].decode()
    manifest = json.loads(files["manifest.json"])
    assert manifest["mark"]["document_no"] == "2026-17"
    assert manifest["mark"]["requester"] == "Longyang station"
    assert manifest["mark"] == data["mark"]
    for name, digest in manifest["files"].items():
        assert hashlib.sha256(files[name]).hexdigest() == digest
    assert set(manifest["files"]) == set(files) - {"manifest.json"}
    assert "2026-17" in comment


def test_narrower_delivery_holds_less(settled, media):
    passages(settled, media)
    _, _, data, _ = handed_out(settled, media, approved(settled), end=BEGIN + DAY)
    assert data["events"] == data["sightings"] == []


def test_export_of_a_plate_names_no_person(settled, media):
    ids, shots = passages(settled, media)
    made = approved(settled, DisclosureScope.PLATE, "云M12345")
    _, files, data, _ = handed_out(settled, media, made)
    assert [one["id"] for one in data["events"]] == [ids["plate"]]
    assert f"pictures/{shots['plate']}.jpg" in files
    assert "person" not in data
    assert "p1" not in json.dumps(data)


def test_export_of_a_zone_tells_what_happened_there_and_not_who_it_was(settled, media):
    ids, _ = passages(settled, media)
    _, _, data, _ = handed_out(settled, media, approved(settled, DisclosureScope.ZONE, "gate"))
    assert {one["id"] for one in data["events"]} == set(ids.values())
    assert data["sightings"] == []
    assert '"p1"' not in json.dumps(data)
    assert "00-aa 11" not in json.dumps(data)


def test_export_of_an_incident_holds_its_evidence(settled, media):
    ids, _ = passages(settled, media)
    about = keeping.incident(BEGIN + DAY)
    with settled.read() as session:
        shown = [session.get_one(EventRow, ids["mine"])]
        session.expunge_all()
    keeping.add(settled, about, keeping.evidence(about, shown))
    made = approved(settled, DisclosureScope.INCIDENT, about.id)
    _, _, data, _ = handed_out(settled, media, made)
    assert [one["id"] for one in data["events"]] == [ids["mine"]]
    assert data["incident"]["id"] == about.id


def test_picture_that_is_over_is_listed_as_missing(settled, media):
    _, shots = passages(settled, media)
    media.delete(shots["p1"])
    _, files, _, _ = handed_out(settled, media, approved(settled))
    assert json.loads(files["manifest.json"])["missing_pictures"] == [shots["p1"]]


def test_too_much_is_refused_instead_of_cut_off(settled, media, monkeypatch):
    passages(settled, media)
    monkeypatch.setattr(export, "MOST_EVENTS", 1)
    with pytest.raises(RefusedError, match="disclosure_too_large"):
        handed_out(settled, media, approved(settled))
    monkeypatch.setattr(export, "MOST_EVENTS", 100)
    monkeypatch.setattr(export, "MOST_BYTES", 3)
    with pytest.raises(RefusedError, match="disclosure_too_large"):
        handed_out(settled, media, approved(settled))


def test_disclosures_table_refuses_one_person_as_both(settled):
    with settled.write() as session:
        made = asked(session)
        made_id = made.id
    with pytest.raises(Exception, match="two_people"), settled.write() as session:
        session.get_one(Disclosure, made_id).approver = "officer"
